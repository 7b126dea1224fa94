// What the registry says, beyond what the market's client reads.
//
// As safe for threads as the client that is passed.
#pragma once

#include "market/client.hpp"

namespace sp::spctl {

/// What a provider must hold in the security token to be ordered.
Result<Amount> minimum_deposit(market::MarketClient& client);
/// Whether an account is the provider's action account, or was at that time or later.
Result<bool> is_action(market::MarketClient& client, const Address& authority,
                       const Address& account, std::int64_t since);

}  // namespace sp::spctl
