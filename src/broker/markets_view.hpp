// Several markets, on one chain or on several, as one view.
//
// An order id is the EIP-712 digest of the order's terms under chain id and market, so at most one
// market has it: each is asked until one does, those first that answered last. A market whose
// endpoints fail is asked by one request at a time while all others are told so at once: a chain
// that hangs takes one thread, never all. Safe to call from any thread.
#pragma once

#include "base/sync.hpp"
#include "broker/chain_view.hpp"

namespace sp::broker {

/// Orders whose market is remembered; beyond, all are forgotten and looked for again.
inline constexpr std::size_t kRoutesMax = 100'000;

class MarketsView final : public ChainView {
 public:
  /// The views outlive this one and are closed until open().
  explicit MarketsView(std::vector<ChainView*> views);
  /// From now on the view of this index is asked.
  void open(std::size_t index);

  /// Errc::not_found where every market answered and none has the order; Errc::unavailable where
  /// one didn't answer that may have it.
  Result<OrderFacts> facts(const api::OrderId& order) override;

 private:
  enum class State : std::uint8_t { closed, answers, fails };
  struct Market {
    ChainView* view = nullptr;
    State state = State::closed;  // guarded by mutex_
    bool asked = false;           // guarded by mutex_: somebody asks it while it fails
  };
  Result<OrderFacts> ask(std::size_t index, const api::OrderId& order);
  std::vector<std::size_t> order_of_asking(const api::OrderId& order);

  Mutex mutex_;  // guards routes_ and the markets' states
  std::vector<Market> markets_;
  std::map<api::OrderId, std::size_t> routes_;
};

}  // namespace sp::broker
