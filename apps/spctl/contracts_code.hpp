// Creation code of the contracts that `spctl up` deploys on a local chain, in hexadecimal; made
// from contracts/ by cmake/Contracts.cmake.
#pragma once

#include <string_view>

namespace sp::spctl {

extern const std::string_view kMarketCode;     ///< Market(registry)
extern const std::string_view kRegistryCode;   ///< Registry(security token, minimum deposit)
extern const std::string_view kTestTokenCode;  ///< TestToken()

}  // namespace sp::spctl
