// The execution controller: takes orders for this provider's compute offers from the chain, runs
// each in a TEE, and settles with what the loader proves.
//
// Threads: one follows the chain and watches running orders (cancels, deadlines), `capacity` run
// orders, each start to settlement. Every step is in the ledger before its effect is relied on, so
// a restart goes on: a queued or running order is run again (the same attempt, a new session), a
// finished one is settled. Settling twice is harmless: the market takes one.
#pragma once

#include <deque>
#include <memory>

#include "base/sync.hpp"
#include "chain/follower.hpp"
#include "market/client.hpp"
#include "provider/ledger.hpp"
#include "provider/relay.hpp"
#include "tee/tee_host.hpp"

namespace sp::provider {

inline constexpr unsigned kCapacityMax = 1024;
inline constexpr std::size_t kQueueMax = 100'000;
inline constexpr int kSettleTriesMax = 8;  ///< in a row
/// After them, as long as the order can be settled.
inline constexpr std::chrono::seconds kSettlePause{10};
inline constexpr unsigned kLoaderTriesMax = 2;  ///< loaders started for one order
/// What a loader may take besides the ordered time: fetching, opening, sealing and storing.
inline constexpr std::chrono::seconds kLoaderGrace{600};
inline constexpr std::chrono::milliseconds kWatchPeriod{
    1000};  ///< how often cancels are looked for

struct ControllerOptions {
  Address authority;       ///< whose compute offers are served
  unsigned capacity = 1;   ///< orders that run at once, 1 to kCapacityMax
  std::size_t queue = 16;  ///< orders that wait; further ones are not taken
  Path folder;             ///< ledger, cursor and logs
  std::uint64_t start_block = 0;
  std::uint64_t confirmations = 1;
  std::chrono::milliseconds poll_period{1000};
};

/// How far an order is, for people.
struct OrderProgress {
  EntryState state = EntryState::queued;
  std::string stage;  ///< the loader's, while it runs
  std::string failure;
};

class Controller {
 public:
  struct Parts {
    market::MarketClient& market;
    chain::TxSender& sender;
    const crypto::EthKey& action;
    tee::TeeHost& host;
    CallForwarder& forwarder;
    Files& files;
    const Clock& clock;
  };
  Controller(Parts parts, ControllerOptions options);
  /// Stops taking orders, ends running loaders, joins all threads. What ran is run again after a
  /// restart.
  ~Controller();
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// Sweeps what an earlier life left, goes on with the ledger, follows the chain. Errc::io and
  /// others.
  Status start();

  /// Errc::not_found for an order that wasn't taken.
  Result<OrderProgress> progress(const api::OrderId& order) const;
  /// The loader's last frame. Errc::not_found before it.
  Result<api::Finish> finish_of(const api::OrderId& order) const;
  Result<std::vector<api::OrderId>> orders() const { return ledger_.orders(); }

 private:
  struct Running;

  Status recover();
  void follow();
  Status take(const chain::Log& log);
  void watch_running();
  void work();
  void run_order(const api::OrderId& order);
  Status check_still_wanted(const api::OrderId& order, const Entry& entry);
  Result<api::Finish> run_loaders(const api::OrderId& order, const Entry& entry);
  Result<api::Finish> run_loader(const api::OrderId& order, const Entry& entry);
  Status settle(const api::OrderId& order, Entry& entry);
  Status check_settled_for_good(const api::OrderId& order);
  bool settle_later(const api::OrderId& order, const Entry& entry, const Error& error);
  void resume_later();
  void fail(const api::OrderId& order, Entry& entry, const Error& error);

  Parts parts_;
  ControllerOptions options_;
  Ledger ledger_;
  std::optional<chain::Follower> follower_;  // belongs to the following thread

  mutable Mutex mutex_;  // guards all below
  Condition wake_;
  bool stopping_ = false;
  std::deque<api::OrderId> queue_;
  std::map<api::OrderId, std::shared_ptr<Running>> running_;
  std::map<api::OrderId, std::string> stages_;
  std::map<api::OrderId, std::chrono::nanoseconds> later_;  ///< settled again then, monotonic

  std::vector<Thread> threads_;
};

}  // namespace sp::provider
