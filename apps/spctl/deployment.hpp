// The chain's side of a local system: contracts, play money, a registered provider, and its offers.
// Every step looks first whether it is done, so that `spctl up` can be interrupted and run again.
//
// Belongs to one thread.
#pragma once

#include "spctl/context.hpp"

namespace sp::spctl {

inline constexpr std::uint64_t kLocalChainId = 31337;

/// Contracts as deployed, and the block before them.
struct Contracts {
  Address token;
  Address registry;
  Address market;
  std::uint64_t block = 0;
};

/// Deploys all contracts with a throwaway key. Errc::refused, Errc::unavailable.
Result<Contracts> deploy_contracts(chain::Chain& chain, const Clock& clock, Random& random);

/// Gives an account of a development chain ether for fees.
Status give_ether(chain::Chain& chain, const Address& account);

/// Takes play money from the test token's faucet, where the account has less than a good purse.
Status give_tokens(Session& session, const crypto::EthKey& key, const Clock& clock);

/// Registers the key's account as a provider with that action account, and deposits, where that
/// isn't done.
Status ensure_provider(Session& session, const crypto::EthKey& authority, const Address& action,
                       const Clock& clock);

/// What a local machine offers.
struct LocalOffers {
  api::Compute compute;
  api::Part storage;
};
LocalOffers local_offers(const apps::Network& network, const Address& provider,
                         const attest::ChipId& chip);

/// Puts offers on the chain that aren't there yet, and enables them again.
Status ensure_offers(Session& session, const crypto::EthKey& authority, const LocalOffers& offers,
                     const Clock& clock);

}  // namespace sp::spctl
