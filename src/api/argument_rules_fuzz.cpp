// Owners' rules on arguments, as JSON: what is accepted reads the same when it is written again,
// keeps its limits, travels in a released secret, and judges any arguments.
#include "api/arguments.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::api;
  const std::string_view text = sp::as_text({data, size});
  const auto json = sp::parse_json(text, 1 << 16);
  if (!json) return 0;
  const auto rules = argument_rules_from_json(*json, "rules");
  if (!rules) return 0;
  SP_CHECK(rules->size() <= kConditionsMax);
  SP_CHECK(argument_rules_from_json(argument_rules_to_json(*rules), "again").value() == *rules);
  Arguments arguments;
  static_cast<void>(check_arguments(arguments, *rules).ok());
  for (const ArgumentRule& rule : *rules) {
    SP_CHECK(rule.allowed.size() <= kArgumentsMax);
    arguments.argv.insert(arguments.argv.end(), rule.allowed.begin(), rule.allowed.end());
  }
  static_cast<void>(check_arguments(arguments, *rules).ok());
  const ReleasedSecret released{{}, *rules};
  const sp::SecretBytes encoding = released.encode();
  SP_CHECK(ReleasedSecret::decode(encoding.reveal()).value().conditions == *rules);
  return 0;
}
