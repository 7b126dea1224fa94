// Code of the contracts that spctl deploys and verifies, in hexadecimal; made from contracts/ by
// cmake/Contracts.cmake.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sp::spctl {

// What a deployment sends, constructor arguments behind it.
extern const std::string_view kMarketCode;     ///< Market(registry)
extern const std::string_view kRegistryCode;   ///< Registry(security token, minimum deposit)
extern const std::string_view kTestTokenCode;  ///< TestToken()

// What then stands on the chain, with zeros where immutables go.
extern const std::string_view kMarketRuntime;
extern const std::string_view kRegistryRuntime;
extern const std::string_view kTestTokenRuntime;

/// A place of 32 bytes in runtime code that holds an immutable.
struct ImmutableUse {
  std::uint8_t which = 0;    ///< counts in the order of declaration, base contracts first
  std::uint32_t offset = 0;  ///< bytes
};
// EIP712's (see contract_check.cpp), then the registry.
extern const std::vector<ImmutableUse> kMarketImmutables;
extern const std::vector<ImmutableUse> kRegistryImmutables;   ///< security token, minimum deposit
extern const std::vector<ImmutableUse> kTestTokenImmutables;  ///< EIP712's

}  // namespace sp::spctl
