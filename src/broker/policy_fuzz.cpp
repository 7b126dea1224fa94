// Policies: what parses must print to something that parses to the same again.
#include <cstdlib>

#include "broker/policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto policy = sp::broker::ReleasePolicy::parse(sp::as_text({data, size}));
  if (!policy) return 0;
  const auto again = sp::broker::ReleasePolicy::parse(policy->to_json());
  if (!again || !(*again == *policy)) std::abort();
  return 0;
}
