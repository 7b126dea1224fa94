// The execution controller: takes orders for this provider's compute offers from the chain, runs
// each in a TEE, and settles with what the loader proves.
//
// Threads: one follows the chain and watches running orders (cancels, deadlines), one looks after
// what orders that are over still lock, `capacity` run orders, each start to settlement. Every step
// is in the ledger before its effect is relied on, so a restart goes on: a queued or running order
// is run again (the same attempt, a new session), a finished one is settled. Settling twice is
// harmless: the market takes one.
//
// The chain may forget what it said. An order whose creation is gone is stopped and looked for
// until kGoneLimit, then dropped; it is taken again when it comes back. A settlement counts when it
// has the confirmations of the options; one that is gone before is sent again. While the chain or
// the brokers are away, orders wait.
//
// Nor does the deposit answer for more than it owes. Sessions that were attested and began nothing
// are told to the market once no other may earn and before owners can claim; and what an order that
// is over here still locks is watched until somebody, mostly this provider, has closed it.
//
// Nor is an order forgotten for want of room: while the queue is full the follower stays before the
// next order, which is taken, with all behind it, as soon as there is room. Its customer may cancel
// it meanwhile, and its windows go on: what can't be begun in time any more fails when it is taken.
#pragma once

#include <deque>
#include <memory>
#include <set>

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
/// Before an order is taken up again that the chain kept from running or from being settled.
inline constexpr std::chrono::seconds kLaterPause{10};
/// Read again before those that a chain has lost: orders whose settlement went with them; a
/// request.
inline constexpr std::uint64_t kRewindBlocks = 1024;
/// A settlement is looked at again after so long, then after twice that, to the last: a chain may
/// lose the block that it was seen in.
inline constexpr std::chrono::seconds kSettledPauseFirst{1};
inline constexpr std::chrono::seconds kSettledPauseLast{512};
inline constexpr unsigned kLoaderTriesMax = 2;  ///< loaders started for one order
/// What a loader may take besides the ordered time: fetching, opening, sealing and storing.
inline constexpr std::chrono::seconds kLoaderGrace{600};
/// Between a cancel at that limit, to a loader that hasn't begun the workload, and its end.
inline constexpr std::chrono::seconds kStopGrace{60};
inline constexpr std::chrono::seconds kLastWordMax{5};  ///< the same where the provider stops
inline constexpr std::chrono::milliseconds kWatchPeriod{
    1000};  ///< how often cancels are looked for
/// Looks in a row that must find an order's creation gone before its loader is ended: an endpoint
/// that is behind for a moment ends none.
inline constexpr int kGoneLooks = 3;
/// After which an order that the chain has forgotten is forgotten here.
inline constexpr std::chrono::seconds kGoneLimit{600};
inline constexpr std::chrono::seconds kChainPause{1};  ///< between looks at a chain that is away
/// Before another loader for an order whose brokers couldn't answer; doubled for each session that
/// was attested and began nothing, up to an equal part of the order's time to begin.
inline constexpr std::chrono::seconds kRerunPause{5};
/// Between looks at what an order that is over locks: a quarter of its shorter window after the
/// end, within these.
inline constexpr std::chrono::seconds kLockPauseLeast{5};
inline constexpr std::chrono::seconds kLockPauseMost{300};
inline constexpr std::chrono::milliseconds kFollowPauseMax{2000};  ///< between polls that fail

struct ControllerOptions {
  Address authority;       ///< whose compute offers are served
  unsigned capacity = 1;   ///< orders that run at once, 1 to kCapacityMax
  std::size_t queue = 16;  ///< orders that wait; at least 1. Further ones wait on the chain
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

/// What a controller counts, for metrics and health.
struct ControllerCounts {
  std::size_t queued = 0;          ///< orders that wait
  std::size_t running = 0;         ///< loaders at work
  std::size_t settling_later = 0;  ///< orders whose settlement is tried again
  std::size_t locked = 0;          ///< orders that are over here and may still lock deposit
  bool full = false;               ///< the chain has an order that the queue has no room for
  std::uint64_t taken = 0, delayed = 0, settled = 0, failed = 0;  ///< since the start
  std::uint64_t settled_by_another = 0;            ///< session's receipt than that of the run here
  std::uint64_t next_block = 0;                    ///< that the follower reads
  std::optional<std::chrono::nanoseconds> polled;  ///< last poll without an error, monotonic
};

/// Whether the chain, or a service, may answer another time.
constexpr bool is_transient(Errc code) {
  return code == Errc::unavailable || code == Errc::timed_out;
}

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

  /// Begins no further order and waits until those under way have ended, `limit` at most. Loaders
  /// that haven't begun their workloads by then are told to stop, and have kLastWordMax to say that
  /// they began nothing: a killed one can't, and owners could claim by it. What the chain still
  /// brings is taken after a restart.
  void drain(std::chrono::nanoseconds limit);

  [[nodiscard]] ControllerCounts counts() const;

  /// Errc::not_found for an order that wasn't taken.
  Result<OrderProgress> progress(const api::OrderId& order) const;
  /// The last loader's last frame. Errc::not_found while the order may run again, and where another
  /// session's receipt has settled it.
  Result<api::Finish> finish_of(const api::OrderId& order) const;

 private:
  struct Running;
  struct Look {
    std::chrono::nanoseconds at{};  ///< monotonic
    std::chrono::nanoseconds pause{};
  };

  Status recover();
  void follow();
  void note_poll(bool answered);
  void count(std::uint64_t ControllerCounts::*what);
  Status take(const chain::Log& log);
  Status take_again(const api::OrderId& order);
  void watch_running();
  std::shared_ptr<Running> hold_running(const api::OrderId& order);
  void let_go(std::shared_ptr<Running> running);
  static bool may_be_asked(Running& running);
  void ask_to_stop(std::vector<std::shared_ptr<Running>> unbegun);
  void tell_running(const api::OrderId& order, const market::OrderRecord& record);
  void work();
  void run_order(const api::OrderId& order);
  bool run_to_finish(const api::OrderId& order, Entry& entry);
  bool put_off(const api::OrderId& order, const Error& error);
  void postpone(const api::OrderId& order, std::chrono::nanoseconds pause, const std::string& why);
  void forget_waiting(const api::OrderId& order);
  bool runs_again(const api::OrderId& order, const Entry& entry);
  bool was_created_anew(const api::OrderId& order, const Entry& entry);
  bool is_gone(const api::OrderId& order);
  void follow_once();
  [[nodiscard]] bool has_room() const;
  Status hold_up(const api::OrderId& order);
  void confirm_settled();
  void confirm(const api::OrderId& order, const chain::Block& newest);
  Status keep_settled(const api::OrderId& order, Entry& entry);
  std::string note_settlement(const api::OrderId& order, Entry& entry);
  Status check_still_wanted(const api::OrderId& order, const Entry& entry);
  Result<api::Finish> run_loaders(const api::OrderId& order, Entry& entry);
  Result<std::unique_ptr<tee::RunningTee>> start_tee(const api::OrderId& order,
                                                     const api::Start& start);
  Result<api::Finish> run_loader(const api::OrderId& order, Entry& entry);
  [[nodiscard]] bool stops() const;
  bool is_cancelled(const api::OrderId& order);
  Status settle(const api::OrderId& order, Entry& entry);
  bool settle_later(const api::OrderId& order, const Entry& entry, const Error& error);
  void resume_later();
  void look_later(const api::OrderId& order);
  void watch_settled();
  void fail(const api::OrderId& order, Entry& entry, const Error& error);
  Status remember_idle(const api::OrderId& order, Entry& entry, const api::Finish& finish);
  Status acquit(const api::OrderId& order, const Entry& entry);
  Status keep_over(const api::OrderId& order, Entry& entry, bool settled_by_own);
  void watch_lock(const api::OrderId& order, std::chrono::nanoseconds pause);
  void tend_locks();
  void look_at_lock(const api::OrderId& order);
  Result<bool> end_lock(const api::OrderId& order, const Entry& entry);
  Result<bool> is_ended_for_good(const api::OrderId& order);

  Parts parts_;
  ControllerOptions options_;
  Ledger ledger_;
  std::optional<chain::Follower> follower_;  // belongs to the following thread
  std::int64_t follow_failures_ = 0;         // in a row; belongs to the following thread
  bool held_up_ = false;                     // the last poll ended at a full queue; as above
  api::OrderId delayed_;                     // the last order that waited for room; as above

  mutable Mutex mutex_;  // guards all below
  Condition wake_;
  bool stopping_ = false;
  bool draining_ = false;
  std::size_t busy_ = 0;  ///< orders that a worker is at
  ControllerCounts counts_;
  std::deque<api::OrderId> queue_;
  std::map<api::OrderId, std::shared_ptr<Running>> running_;
  std::map<api::OrderId, std::string> stages_;
  std::map<api::OrderId, std::chrono::nanoseconds> later_;  ///< looked at again then, monotonic
  std::map<api::OrderId, std::chrono::nanoseconds> gone_since_;  ///< creations that aren't there
  std::set<api::OrderId> waiting_;        ///< put off, and told so in the log
  std::map<api::OrderId, Errc> away_;     ///< whose last loader's broker couldn't answer
  std::set<api::OrderId> unconfirmed_;    ///< settled in a block that isn't final
  std::map<api::OrderId, Look> settled_;  ///< whose settlements are looked at again
  std::map<api::OrderId, std::chrono::nanoseconds> locked_;  ///< whose locks are, then, monotonic

  std::vector<Thread> threads_;
};

}  // namespace sp::provider
