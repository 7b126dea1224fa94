// What a broker believes of the chain.
//
// What permits a release (the order, its terms, the provider) must be final to a depth; what
// forbids it (a cancel, an end, a disabled offer) counts from the newest block. The time is the
// newest block's and never goes back, nor does the chain itself: a checkpoint survives restarts.
// Implementations are safe to call from any thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "base/sync.hpp"
#include "market/client.hpp"

namespace sp::broker {

/// One order as the chain has it now.
struct OrderFacts {
  api::Eip712Domain market;
  api::Terms terms;
  std::uint16_t attempt = 0;
  std::int64_t created_at = 0;
  std::uint64_t confirmations = 0;  ///< blocks since the creation, its own included
  bool cancelled = false;
  bool ended = false;
  Address action;                  ///< the compute provider's action account
  std::vector<bool> part_enabled;  ///< false: an offer that is disabled now
  std::int64_t now = 0;            ///< chain time, seconds
};

class ChainView {
 public:
  virtual ~ChainView() = default;
  /// Errc::not_found where no followed market has the order (yet); Errc::unavailable where the
  /// endpoint fails or is behind what it said before; Errc::mismatch where it contradicts itself.
  virtual Result<OrderFacts> facts(const api::OrderId& order) = 0;
};

/// Orders whose terms a view remembers; beyond, all are forgotten and read again.
inline constexpr std::size_t kOrdersRememberedMax = 1024;

/// One market, through one endpoint or through what a quorum of endpoints agrees on.
///
/// Witnesses are clients of the quorum's members, each for itself: the facts are the quorum's, but
/// an order counts as cancelled or ended, and an offer as disabled, as soon as any one witness says
/// so of its own newest block. So one endpoint that lies can keep a secret back and can't get one
/// out. A witness that doesn't answer is none, and one that answers in part has that part's word.
///
/// Terms never change under an order's id, so they are remembered; all else is read anew for each
/// question. One question takes two round trips, three where the order is new, and one more of all
/// witnesses at once.
class MarketView final : public ChainView {
 public:
  struct Options {
    std::uint64_t start_block = 0;  ///< no order of this market is older
    Path checkpoint;                ///< file
  };
  /// The witnesses outlive the view; none: what `client` says is all there is.
  MarketView(market::MarketClient& client, Files& files, const Options& options,
             std::vector<market::MarketClient*> witnesses = {});
  /// Reads the checkpoint. Errc::malformed where the file is damaged.
  Status load();

  Result<OrderFacts> facts(const api::OrderId& order) override;

 private:
  struct Known {
    api::Terms terms;
    std::uint64_t block = 0;  ///< of the creation, when it was last seen
  };
  Result<market::CreatedEvent> find_created(const api::OrderId& order, const chain::Block& newest,
                                            const std::optional<Known>& known);
  std::optional<Known> known(const api::OrderId& order) const;
  void remember(const market::CreatedEvent& created);
  Result<OrderFacts> read_facts(const api::OrderId& order, const chain::Block& newest);
  Status advance(const chain::Block& newest);
  void hear_witnesses(const api::OrderId& order, OrderFacts& facts) const;

  market::MarketClient& client_;
  Files& files_;
  Options options_;
  std::vector<market::MarketClient*> witnesses_;
  mutable Mutex mutex_;  // guards all below
  std::map<api::OrderId, Known> known_;
  std::uint64_t newest_number_ = 0;
  std::int64_t newest_time_ = 0;
  std::int64_t saved_time_ = 0;
};

}  // namespace sp::broker
