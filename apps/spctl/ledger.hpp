// What spctl reads of the chain beyond the market's own client: how an order ended, and the
// registry's deposits.
//
// As safe for threads as the Session that is passed.
#pragma once

#include "spctl/context.hpp"

namespace sp::spctl {

/// How an order was settled, as the market's event tells (IMarket.OrderSettled).
struct Settled {
  Address customer;
  Address provider;
  Address session;
  api::Outcome outcome = api::Outcome::provider;
  std::int32_t exit_code = -1;
  Digest32 result;      ///< package id; zero = none
  Digest32 commitment;  ///< zero = none
  Amount compute_paid;
  Amount refunded;
  std::vector<Amount> parts_paid;
  std::uint64_t block = 0;
  chain::TxHash tx;
};

/// Errc::not_found while the order isn't settled; Errc::malformed, Errc::unavailable.
Result<Settled> find_settled(Session& session, const api::OrderId& order, std::uint64_t from_block,
                             std::uint64_t to_block);

inline constexpr std::uint64_t kNewestBlock = ~std::uint64_t{0} >> 1;

/// Whether the provider can be ordered through this market.
Result<bool> is_active(Session& session, const Address& authority);
/// Total and locked deposit for this market.
Result<std::pair<Amount, Amount>> deposit_of(Session& session, const Address& authority,
                                             const Address& token);
/// Whether an account is the provider's action account, or was at that time or later.
Result<bool> is_action(Session& session, const Address& authority, const Address& account,
                       std::int64_t since);
/// Calls that change a provider's deposit for this market. Errc::unavailable where the registry
/// can't be asked for.
Result<chain::TxSender::Call> deposit_call(Session& session, const Address& token, Amount amount);
Result<chain::TxSender::Call> withdraw_deposit_call(Session& session, const Address& token,
                                                    Amount amount);

}  // namespace sp::spctl
