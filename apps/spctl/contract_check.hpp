// Whether what stands on a chain is this version's contracts, byte for byte: the code that was
// built, its immutables filled in.
//
// Functions are as safe for threads as the Chain that they are given.
#pragma once

#include "chain/rpc.hpp"

namespace sp::spctl {

/// The contracts of one market.
struct MarketContracts {
  Address market;
  Address registry;
  Address token;  ///< of security deposits
  Amount minimum_deposit;
  bool test_token = false;  ///< the token is our TestToken, whose faucet gives to anyone
};

/// The code that must stand at each address.
Bytes market_runtime(std::uint64_t chain_id, const Address& market, const Address& registry);
Bytes registry_runtime(const Address& token, Amount minimum_deposit);
Bytes test_token_runtime(std::uint64_t chain_id, const Address& token);

/// Errc::not_found where nothing stands at the address; Errc::mismatch where something else does,
/// with the first byte that differs.
Status check_code(chain::Chain& chain, const Address& at, ByteView expected, std::string_view what);

/// Reads which registry and token a market has, and checks market and registry. The token is
/// anyone's: it is told whether it is our TestToken. Errors as check_code, and the chain's.
Result<MarketContracts> verify_market(chain::Chain& chain, const Address& market);

}  // namespace sp::spctl
