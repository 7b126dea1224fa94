// JSON: what is accepted is within the limits and reads the same when it is written again; an
// object's fields by name.
#include "base/json.hpp"

#include <nlohmann/json.hpp>

#include "base/check.hpp"

namespace sp {
namespace {

constexpr std::size_t kSizeMax = 4096;

// As deep as the parser counts: a value that holds none is 0 deep.
std::size_t depth_of(const Json& value) {
  std::size_t deepest = 0;
  if (!value.is_structured()) return 0;
  for (const Json& inner : value) deepest = std::max(deepest, depth_of(inner));
  return deepest + 1;
}

void check_object(const Json& json) {
  JsonObject object(json, "it");
  const std::string text = object.text("a", 8);
  const std::uint64_t number = object.number("b", 100);
  static_cast<void>(object.boolean("c"));
  static_cast<void>(object.fixed<Digest32>("d"));
  static_cast<void>(object.any("e"));
  SP_CHECK(text.size() <= 8 && number <= 100);
  if (object.finish()) SP_CHECK(json.size() == 5);
}

}  // namespace
}  // namespace sp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = sp::parse_json(sp::as_text({data, size}), sp::kSizeMax);
  SP_CHECK(!json || size <= sp::kSizeMax);
  if (!json) return 0;
  SP_CHECK(sp::depth_of(*json) <= sp::kJsonDepthMax);
  // Written with what it takes at most for an escaped character.
  const auto again = sp::parse_json(json->dump(), size * 6 + 32);
  SP_CHECK(again.ok() && again->dump() == json->dump());
  sp::check_object(*json);
  return 0;
}
