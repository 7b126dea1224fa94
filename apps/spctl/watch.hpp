// Waiting for an order's end, with its stages, and cancelling it.
//
// The functions block; they belong to one thread and use another for the provider's remarks.
#pragma once

#include "spctl/context.hpp"
#include "spctl/order_files.hpp"
#include "spctl/timeline.hpp"

namespace sp::spctl {

inline constexpr std::chrono::milliseconds kPollFirst{5};   ///< pause between looks at the chain
inline constexpr std::chrono::milliseconds kPollLast{250};  ///< what it grows to
inline constexpr std::chrono::milliseconds kStagePoll{
    50};  ///< between looks at the provider's words
inline constexpr std::chrono::milliseconds kCancelGrace{5'000};  ///< for a receipt after a cancel

/// How the wait ended: settled, or why not.
struct Watched {
  enum class End : std::uint8_t { settled, closed, cancelled, expired };
  End end = End::settled;
  market::SettledEvent settled;  ///< where it ended so
  std::uint16_t attempt = 0;
  bool was_cancelled = false;  ///< by the customer, before it was settled
  std::string gave_up;  ///< the provider's words, where the order was cancelled because of them
};

/// Waits until the order is settled or nothing more can come. Ctrl-C cancels it on chain, and so
/// does a provider that says it has given up: whoever lies so only loses the order. `timeline`
/// shows stages. Errc::unavailable where the chain can't be read.
Result<Watched> watch_order(Context& context, Session& session, const OrderRecord& record,
                            std::uint64_t created_block, Timeline& timeline);

/// How the order is now, without waiting: Errc::not_found where the chain doesn't have it,
/// Errc::conflict while it isn't settled.
Result<Watched> settled_order(Session& session, const OrderRecord& record,
                              std::uint64_t created_block);

/// Cancels on chain; who has attested before may still settle.
Status cancel_order(Context& context, Session& session, const OrderRecord& record);

/// What becomes of the money of an order that was cancelled or has expired, in words.
std::string money_words(const apps::Network& network, const api::Terms& terms);

/// What the order's provider says of it, for people ("running", "sealing"); empty where it says
/// nothing. Nobody believes it.
std::string provider_words(Context& context, const Session& session, const OrderRecord& record);

/// Block from which an order's events can be looked for.
std::uint64_t first_block(const Session& session, const OrderFiles& orders, const api::OrderId& id);

}  // namespace sp::spctl
