#include <fcntl.h>

#include <algorithm>

#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "provider/controller_running.hpp"

namespace sp::provider {
namespace {

Fd open_log(const Path& path) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

std::string tee_id(const api::OrderId& order, std::uint16_t attempt) {
  return "o-" + order.hex().substr(0, 24) + "-" + std::to_string(attempt);
}

// Whether a settlement that is lost could still be sent again.
bool may_settle(const Entry& entry, const Clock& clock) {
  if (!entry.finish || !entry.finish->attestation) return false;
  const api::Terms& terms = entry.start.terms;
  return clock.unix_seconds() < entry.finish->attestation->statement.time +
                                    std::int64_t{terms.settle_by} + terms.settle_window;
}

bool has_outcome(const api::Finish& finish) {
  return finish.receipt && finish.receipt->statement.outcome != api::Outcome::provider;
}

bool was_cancelled(const Result<api::Finish>& finish) {
  return finish && finish->receipt && finish->receipt->statement.outcome == api::Outcome::cancelled;
}

// So that the sessions which an order may have are spread over its time to begin work.
std::chrono::seconds rerun_pause(const Entry& entry) {
  const std::chrono::seconds part(entry.start.terms.work_by / std::int64_t{kIdleMax});
  return std::min(kRerunPause * (1 << entry.idle.size()), std::max(kRerunPause, part));
}

}  // namespace

Controller::Controller(Parts parts, ControllerOptions options)
    : parts_(parts),
      options_(std::move(options)),
      ledger_(parts.files, options_.folder / "orders") {
  SP_CHECK(options_.capacity >= 1 && options_.capacity <= kCapacityMax);
  SP_CHECK(options_.queue >= 1 && options_.queue <= kQueueMax);
}

Controller::~Controller() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const auto& [order, running] : running_) running->tee->kill();
  }
  wake_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

ControllerCounts Controller::counts() const {
  const std::lock_guard lock(mutex_);
  ControllerCounts counts = counts_;
  counts.queued = queue_.size();
  counts.running = running_.size();
  counts.settling_later = later_.size();
  counts.locked = locked_.size();
  return counts;
}

Status Controller::start() {
  SP_TRY(parts_.files.make_folder(options_.folder / "orders"));
  SP_TRY(parts_.files.make_folder(options_.folder / "logs"));
  SP_TRY(parts_.host.sweep());
  SP_TRY(recover());
  // Only this provider's orders: it is the third topic of OrderCreated.
  Digest32 provider_topic;
  std::copy(options_.authority.data.begin(), options_.authority.data.end(),
            provider_topic.data.begin() + 12);
  SP_ASSIGN(follower_, chain::Follower::open(parts_.market.chain(), parts_.files,
                                             {parts_.market.domain().contract,
                                              {market::order_created_topic(), std::nullopt,
                                               std::nullopt, provider_topic},
                                              options_.start_block,
                                              options_.confirmations,
                                              options_.folder / "cursor",
                                              kRewindBlocks}));
  threads_.emplace_back([this] { follow(); });
  threads_.emplace_back([this] { tend_locks(); });
  for (unsigned i = 0; i < options_.capacity; ++i) threads_.emplace_back([this] { work(); });
  return {};
}

Status Controller::recover() {
  queue_.clear();  // of a start that failed
  SP_ASSIGN(const std::vector<api::OrderId> orders, ledger_.orders());
  for (const api::OrderId& order : orders) {
    const auto entry = ledger_.load(order);
    if (!entry) {
      const bool unread = entry.error().code == Errc::io;
      return entry.error().in((unread ? "ledger " : "damaged ledger ") +
                              ledger_.path_of(order).string());
    }
    if (entry->state == EntryState::settled && may_settle(*entry, parts_.clock)) look_later(order);
    if (entry->locks) watch_lock(order, {});
    if (is_over(entry->state)) continue;
    log(LogLevel::info, "order_resumed",
        {{"order", order.hex0x()}, {"state", entry_state_name(entry->state)}});
    queue_.push_back(order);
  }
  return {};
}

void Controller::follow() {
  auto last_watch = parts_.clock.monotonic();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      // A chain that is away is asked less and less often.
      const auto pause = options_.poll_period * (1U << std::min<std::int64_t>(follow_failures_, 8));
      const auto longest =
          std::max<std::chrono::milliseconds>(options_.poll_period, kFollowPauseMax);
      if (wake_.wait_for(lock, std::min<std::chrono::milliseconds>(pause, longest),
                         [this] { return stopping_; })) {
        return;
      }
    }
    follow_once();
    if (parts_.clock.monotonic() - last_watch < kWatchPeriod) continue;
    last_watch = parts_.clock.monotonic();
    watch_running();
    confirm_settled();
    resume_later();
    watch_settled();
  }
}

void Controller::note_poll(bool answered) {
  const std::lock_guard lock(mutex_);
  counts_.next_block = follower_->next_block();
  counts_.full = held_up_;
  if (answered) counts_.polled = parts_.clock.monotonic();
}

// Takes one order into the ledger, or leaves it alone. Only what should be tried again is an error.
Status Controller::take(const chain::Log& chain_log) {
  const auto event = parts_.market.decode_created(chain_log);
  if (!event) {
    log(LogLevel::warning, "order_unreadable", {{"reason", event.error().message}});
    return {};
  }
  const Status readable = event->terms.check_version_1();
  if (!readable) return {};
  if (ledger_.has(event->order)) return take_again(event->order);
  if (!has_room()) return hold_up(event->order);
  const std::lock_guard lock(mutex_);
  Entry entry;
  entry.start = {parts_.market.domain(), event->terms, 0, 0};
  SP_TRY(ledger_.save(event->order, entry));
  queue_.push_back(event->order);
  ++counts_.taken;
  log(LogLevel::info, "order_taken", {{"order", event->order.hex0x()}});
  wake_.notify_all();
  return {};
}

// An order that is handed on once more: after a restart, or because the chain has lost blocks. What
// is over here and open there is taken up where it was: a lost settlement is sent again.
Status Controller::take_again(const api::OrderId& order) {
  auto entry = ledger_.load(order);
  if (!entry) return {};  // told where it was read first
  const bool never_ran =
      entry->state == EntryState::failed && !entry->finish && entry->idle.empty();
  if (entry->state != EntryState::settled && !never_ran) return {};
  SP_ASSIGN(const market::OrderRecord record, parts_.market.order(order));
  if (record.status != market::OrderStatus::open) return {};
  const std::lock_guard lock(mutex_);
  // Who tends its lock may have written it meanwhile.
  entry = ledger_.load(order);
  if (!entry) return entry.error();
  entry->state = entry->finish ? EntryState::finished : EntryState::queued;
  entry->failure.clear();
  SP_TRY(ledger_.save(order, *entry));
  log(LogLevel::info, "order_taken_again", {{"order", order.hex0x()}});
  queue_.push_back(order);
  wake_.notify_all();
  return {};
}

void Controller::work() {
  for (;;) {
    api::OrderId order;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || (!draining_ && !queue_.empty()); });
      if (stopping_) return;
      order = queue_.front();
      queue_.pop_front();
      ++busy_;
    }
    run_order(order);
    const std::lock_guard lock(mutex_);
    --busy_;
    wake_.notify_all();
  }
}

Status Controller::check_still_wanted(const api::OrderId& order, const Entry& entry) {
  SP_ASSIGN(const market::OrderRecord record, parts_.market.order(order));
  if (record.status == market::OrderStatus::none) {
    return Error{Errc::not_found, "the order's creation isn't on the chain (any more)"};
  }
  forget_waiting(order);
  if (record.status != market::OrderStatus::open || record.cancelled_at != 0) {
    return Error{Errc::conflict, "the order ended or was cancelled before it ran"};
  }
  // Found once the workload has run, a store that is out of reach is the provider's fault, which
  // its deposit pays for.
  SP_TRY(parts_.forwarder.check_services(entry.start.terms));
  SP_ASSIGN(const chain::Block newest, parts_.market.chain().block());
  if (newest.time > record.created_at + entry.start.terms.work_by) {
    return Error{Errc::expired, "the order's time to begin work is over"};
  }
  return {};
}

bool Controller::stops() const {
  const std::lock_guard lock(mutex_);
  return stopping_ || draining_;
}

bool Controller::is_cancelled(const api::OrderId& order) {
  const auto record = parts_.market.order(order);
  return record && record->cancelled_at != 0;
}

Result<std::unique_ptr<tee::RunningTee>> Controller::start_tee(const api::OrderId& order,
                                                               const api::Start& start) {
  const api::Terms& terms = start.terms;
  const Fd log_file = open_log(options_.folder / "logs" / order.hex());
  tee::StartOptions options;
  options.id = tee_id(order, start.attempt);
  options.memory_mib = terms.memory_mib;
  options.disk_mib = terms.disk_mib;
  options.pids = terms.pids;
  options.log_descriptor = log_file.get();
  crash_point(CrashSite::provider_loader, CrashMoment::before);
  auto tee = parts_.host.start(options);
  if (tee) crash_point(CrashSite::provider_loader, CrashMoment::after);
  return tee;
}

Result<api::Finish> Controller::run_loader(const api::OrderId& order, Entry& entry) {
  if (stops()) return Error{Errc::cancelled, "the provider stops"};
  auto running = std::make_shared<Running>();
  SP_ASSIGN(running->tee, start_tee(order, entry.start));
  const auto limit = std::chrono::seconds(entry.start.terms.ordered_seconds) + kLoaderGrace;
  running->deadline = parts_.clock.monotonic() + limit;
  const auto on_stage = [this, order, limit](api::Stage stage, const std::string& text) {
    const std::lock_guard lock(mutex_);
    stages_[order] = std::string(api::stage_name(stage)) + (text.empty() ? "" : ": " + text);
    const auto found = running_.find(order);
    if (stage != api::Stage::running || found == running_.end()) return;
    // Its time counts from here, not from before its inputs were fetched.
    if (std::exchange(found->second->began, true)) return;
    found->second->deadline = parts_.clock.monotonic() + limit;
  };
  // At once: until it is in the ledger, a crash makes it a session that owners can claim by.
  const auto on_finish = [&](const api::Finish& finish) {
    const bool kept = has_outcome(finish) || remember_idle(order, entry, finish).ok();
    if (!kept) log(LogLevel::error, "ledger_unwritable", {{"order", order.hex0x()}});
    const std::lock_guard lock(mutex_);
    running->ended = true;
    wake_.notify_all();
  };
  running->relay =
      std::make_unique<Relay>(running->tee->window(), parts_.forwarder,
                              Relay::Options{entry.start, parts_.action, on_stage, on_finish});
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || draining_) return Error{Errc::cancelled, "the provider stops"};
    running_[order] = running;
  }
  auto finish = running->relay->serve();
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    running_.erase(order);
    stages_.erase(order);
    away_.erase(order);
    if (const auto why = running->relay->broker_away()) away_[order] = *why;
    stopped = draining_ && running->stopped;
    wake_.notify_all();
  }
  if (stopped && was_cancelled(finish) && !is_cancelled(order)) {
    // The customer doesn't pay for a cancel of the provider's own.
    finish = Error{Errc::cancelled, "told to stop in the moment in which it began"};
  }
  running->tee->kill();
  running->tee->wait(std::chrono::seconds(10));
  // The next loader of the order has the same id, which is free once nobody holds this one.
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return running.use_count() == 1; });
  return finish;
}

// A loader that is lost (killed, crashed, out of memory), or that ends without an outcome of the
// order's own (a broker that forgot its nonces, a store that went away), is followed by another: a
// new session of the same attempt may make the receipt.
Result<api::Finish> Controller::run_loaders(const api::OrderId& order, Entry& entry) {
  for (unsigned tries = 1;; ++tries) {
    auto finish = run_loader(order, entry);
    const bool last = tries == kLoaderTriesMax || entry.idle.size() >= kIdleMax;
    if ((finish && has_outcome(*finish)) || last) return finish;
    {
      const std::lock_guard lock(mutex_);
      // A broker that is away isn't there a moment later: see runs_again().
      const auto away = away_.find(order);
      const bool is_away = away != away_.end() && is_transient(away->second);
      if (stopping_ || draining_ || (finish && is_away)) return finish;
    }
    // A chain that is out of reach is no reason to give an order up.
    const Status wanted = check_still_wanted(order, entry);
    if (!wanted && !is_transient(wanted.error().code)) return finish;
    if (finish && !remember_idle(order, entry, *finish)) return finish;
    log(LogLevel::warning, "loader_lost",
        {{"order", order.hex0x()}, {"reason", finish ? finish->failure : finish.error().message}});
  }
}

// False where there is nothing to settle now: it failed, it waits, or the provider stops.
bool Controller::run_to_finish(const api::OrderId& order, Entry& entry) {
  if (const Status wanted = check_still_wanted(order, entry); !wanted) {
    if (put_off(order, wanted.error())) return false;
    // What an earlier run proved is all there will be.
    const bool proven = entry.finish && entry.finish->receipt && entry.finish->attestation;
    if (!proven) fail(order, entry, wanted.error());
    entry.state = EntryState::finished;
    return proven;
  }
  entry.state = EntryState::running;
  if (const Status saved = ledger_.save(order, entry); !saved) {
    fail(order, entry, saved.error());
    return false;
  }
  auto finish = run_loaders(order, entry);
  // A loader that the provider itself ends on its way down is run again after the restart.
  if (!finish && stops()) return false;
  if (!finish) {
    const Status wanted = check_still_wanted(order, entry);
    if (wanted || !put_off(order, wanted.error())) fail(order, entry, finish.error());
    return false;
  }
  entry.finish = std::move(*finish);
  const bool is_anew = was_created_anew(order, entry);
  if (is_anew) entry.idle.clear();  // of before the creation, nobody claims by them
  const bool again = is_anew || runs_again(order, entry);
  entry.state = again ? EntryState::queued : EntryState::finished;
  if (const Status saved = ledger_.save(order, entry); !saved) {
    fail(order, entry, saved.error());
    return false;
  }
  if (again) postpone(order, rerun_pause(entry), entry.finish->failure);
  return !again;
}

void Controller::run_order(const api::OrderId& order) {
  auto loaded = ledger_.load(order);
  if (!loaded) {
    log(LogLevel::error, "ledger_damaged",
        {{"order", order.hex0x()}, {"reason", loaded.error().message}});
    return;
  }
  Entry entry = std::move(*loaded);
  if (entry.state == EntryState::finished && was_created_anew(order, entry)) {
    entry.state = EntryState::queued;
    entry.finish.reset();
    entry.idle.clear();
  }
  if (entry.state != EntryState::finished && !run_to_finish(order, entry)) return;
  if (const Status settled = settle(order, entry); !settled) {
    if (settle_later(order, entry, settled.error())) return;
    fail(order, entry, settled.error());
  }
}

void Controller::count(std::uint64_t ControllerCounts::*what) {
  const std::lock_guard lock(mutex_);
  ++(counts_.*what);
}

void Controller::fail(const api::OrderId& order, Entry& entry, const Error& error) {
  log(LogLevel::error, "order_failed", {{"order", order.hex0x()}, {"reason", error.message}});
  entry.state = EntryState::failed;
  forget_waiting(order);
  count(&ControllerCounts::failed);
  entry.failure = error.message;
  if (const Status saved = keep_over(order, entry, false); !saved) {
    log(LogLevel::error, "ledger_unwritable", {{"reason", saved.error().message}});
  }
}

Result<OrderProgress> Controller::progress(const api::OrderId& order) const {
  SP_ASSIGN(Entry entry, ledger_.load(order));
  const std::lock_guard lock(mutex_);
  const auto stage = stages_.find(order);
  return OrderProgress{entry.state, stage == stages_.end() ? "" : stage->second,
                       std::move(entry.failure)};
}

Result<api::Finish> Controller::finish_of(const api::OrderId& order) const {
  SP_ASSIGN(Entry entry, ledger_.load(order));
  // A receipt ends the order for whoever sends it: nobody has one while another run may prove more.
  const bool over = entry.state != EntryState::queued && entry.state != EntryState::running;
  if (!over || !entry.finish) return Error{Errc::not_found, "the order hasn't finished"};
  // Nobody pays for that work any more, so nobody gets it.
  if (entry.state != EntryState::failed && !entry.failure.empty()) {
    return Error{Errc::not_found, entry.failure};
  }
  return std::move(*entry.finish);
}

}  // namespace sp::provider
