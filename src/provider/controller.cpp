#include "provider/controller.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/log.hpp"

namespace sp::provider {
namespace {

Fd open_log(const Path& path) {
  return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

std::string tee_id(const api::OrderId& order, std::uint16_t attempt) {
  return "o-" + order.hex().substr(0, 24) + "-" + std::to_string(attempt);
}

bool is_transient(Errc code) { return code == Errc::unavailable || code == Errc::timed_out; }

}  // namespace

// A loader at work, as the watching thread sees it.
struct Controller::Running {
  std::unique_ptr<tee::RunningTee> tee;
  std::unique_ptr<Relay> relay;
  std::chrono::nanoseconds deadline{};
  bool cancel_sent = false;  // guarded by Controller::mutex_
};

Controller::Controller(Parts parts, ControllerOptions options)
    : parts_(parts),
      options_(std::move(options)),
      ledger_(parts.files, options_.folder / "orders") {
  SP_CHECK(options_.capacity >= 1 && options_.capacity <= kCapacityMax);
  SP_CHECK(options_.queue <= kQueueMax);
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
                                              options_.folder / "cursor"}));
  threads_.emplace_back([this] { follow(); });
  for (unsigned i = 0; i < options_.capacity; ++i) threads_.emplace_back([this] { work(); });
  return {};
}

Status Controller::recover() {
  SP_ASSIGN(const std::vector<api::OrderId> orders, ledger_.orders());
  for (const api::OrderId& order : orders) {
    SP_ASSIGN(const Entry entry, ledger_.load(order));
    if (entry.state == EntryState::settled || entry.state == EntryState::failed) continue;
    log(LogLevel::info, "order_resumed",
        {{"order", order.hex0x()}, {"state", entry_state_name(entry.state)}});
    queue_.push_back(order);
  }
  return {};
}

void Controller::follow() {
  auto last_watch = parts_.clock.monotonic();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, options_.poll_period, [this] { return stopping_; })) return;
    }
    const auto taken = follower_->poll([this](const chain::Log& entry) { return take(entry); });
    if (!taken) log(LogLevel::warning, "follow_failed", {{"reason", taken.error().message}});
    if (parts_.clock.monotonic() - last_watch < kWatchPeriod) continue;
    last_watch = parts_.clock.monotonic();
    watch_running();
    resume_later();
  }
}

// Takes one order into the ledger, or leaves it alone. Only what should be tried again is an error.
Status Controller::take(const chain::Log& chain_log) {
  const auto event = parts_.market.decode_created(chain_log);
  if (!event) {
    log(LogLevel::warning, "order_unreadable", {{"reason", event.error().message}});
    return {};
  }
  const Status readable = event->terms.check_version_1();
  if (!readable || ledger_.has(event->order)) return {};
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= options_.queue) {
    log(LogLevel::warning, "order_not_taken",
        {{"order", event->order.hex0x()}, {"reason", "the queue is full"}});
    return {};
  }
  Entry entry;
  entry.start = {parts_.market.domain(), event->terms, 0, 0};
  SP_TRY(ledger_.save(event->order, entry));
  queue_.push_back(event->order);
  log(LogLevel::info, "order_taken", {{"order", event->order.hex0x()}});
  wake_.notify_all();
  return {};
}

void Controller::watch_running() {
  std::vector<std::pair<api::OrderId, std::shared_ptr<Running>>> all;
  {
    const std::lock_guard lock(mutex_);
    all.assign(running_.begin(), running_.end());
  }
  for (const auto& [order, running] : all) {
    if (parts_.clock.monotonic() > running->deadline) {
      log(LogLevel::warning, "loader_overdue", {{"order", order.hex0x()}});
      running->tee->kill();
      continue;
    }
    const auto record = parts_.market.order(order);
    if (!record || record->cancelled_at == 0) continue;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(running->cancel_sent, true)) continue;
    }
    log(LogLevel::info, "order_cancelled", {{"order", order.hex0x()}});
    running->relay->cancel();
  }
}

void Controller::work() {
  for (;;) {
    api::OrderId order;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      order = queue_.front();
      queue_.pop_front();
    }
    run_order(order);
  }
}

Status Controller::check_still_wanted(const api::OrderId& order, const Entry& entry) {
  SP_ASSIGN(const market::OrderRecord record, parts_.market.order(order));
  if (record.status != market::OrderStatus::open || record.cancelled_at != 0) {
    return Error{Errc::conflict, "the order ended or was cancelled before it ran"};
  }
  SP_ASSIGN(const chain::Block newest, parts_.market.chain().block());
  if (newest.time > record.created_at + entry.start.terms.work_by) {
    return Error{Errc::expired, "the order's time to begin work is over"};
  }
  return {};
}

Result<api::Finish> Controller::run_loader(const api::OrderId& order, const Entry& entry) {
  const api::Terms& terms = entry.start.terms;
  const Fd log_file = open_log(options_.folder / "logs" / order.hex());
  tee::StartOptions start;
  start.id = tee_id(order, entry.start.attempt);
  start.memory_mib = terms.memory_mib;
  start.disk_mib = terms.disk_mib;
  start.pids = terms.pids;
  start.log_descriptor = log_file.get();
  auto running = std::make_shared<Running>();
  SP_ASSIGN(running->tee, parts_.host.start(start));
  running->deadline =
      parts_.clock.monotonic() + std::chrono::seconds(terms.ordered_seconds) + kLoaderGrace;
  const auto on_stage = [this, order](api::Stage stage, const std::string& text) {
    const std::lock_guard lock(mutex_);
    stages_[order] = std::string(api::stage_name(stage)) + (text.empty() ? "" : ": " + text);
  };
  running->relay = std::make_unique<Relay>(running->tee->window(), parts_.forwarder,
                                           Relay::Options{entry.start, parts_.action, on_stage});
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{Errc::cancelled, "the provider stops"};
    running_[order] = running;
  }
  auto finish = running->relay->serve();
  {
    const std::lock_guard lock(mutex_);
    running_.erase(order);
    stages_.erase(order);
  }
  running->tee->kill();
  running->tee->wait(std::chrono::seconds(10));
  return finish;
}

// A loader that is lost (killed, crashed, out of memory) is started again: a new session of the
// same attempt may make the receipt.
Result<api::Finish> Controller::run_loaders(const api::OrderId& order, const Entry& entry) {
  for (unsigned tries = 1;; ++tries) {
    auto finish = run_loader(order, entry);
    if (finish || tries == kLoaderTriesMax) return finish;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return finish;
    }
    if (!check_still_wanted(order, entry)) return finish;
    log(LogLevel::warning, "loader_lost",
        {{"order", order.hex0x()}, {"reason", finish.error().message}});
  }
}

void Controller::run_order(const api::OrderId& order) {
  auto loaded = ledger_.load(order);
  if (!loaded) {
    log(LogLevel::error, "ledger_damaged",
        {{"order", order.hex0x()}, {"reason", loaded.error().message}});
    return;
  }
  Entry entry = std::move(*loaded);
  if (!entry.finish) {
    if (const Status wanted = check_still_wanted(order, entry); !wanted) {
      return fail(order, entry, wanted.error());
    }
    entry.state = EntryState::running;
    if (const Status saved = ledger_.save(order, entry); !saved) {
      return fail(order, entry, saved.error());
    }
    auto finish = run_loaders(order, entry);
    {
      // A loader that the provider itself ends on its way down is run again after the restart.
      const std::lock_guard lock(mutex_);
      if (stopping_ && !finish) return;
    }
    if (!finish) return fail(order, entry, finish.error());
    entry.finish = std::move(*finish);
    entry.state = EntryState::finished;
    if (const Status saved = ledger_.save(order, entry); !saved) {
      return fail(order, entry, saved.error());
    }
  }
  if (const Status settled = settle(order, entry); !settled) {
    if (settle_later(order, entry, settled.error())) return;
    fail(order, entry, settled.error());
  }
}

// A reorganisation may undo a settlement, and may put it where it fails, before the attestation's
// time; so it counts when it is as deep as an order must be to be taken.
Status Controller::check_settled_for_good(const api::OrderId& order) {
  if (options_.confirmations <= 1) return {};
  SP_ASSIGN(const chain::Block newest, parts_.market.chain().block());
  const auto event = parts_.market.find_settled(order, options_.start_block, newest.number);
  if (!event) return Error{Errc::unavailable, event.error().message};
  if (event->block + options_.confirmations <= newest.number + 1) return {};
  return Error{Errc::unavailable, "the settlement isn't deep enough in the chain yet"};
}

// Whatever keeps a settlement from the chain (an endpoint, an empty purse, a crowded pool) may pass
// while the order can still be settled: a receipt is money, so it isn't given up before.
bool Controller::settle_later(const api::OrderId& order, const Entry& entry, const Error& error) {
  if (!entry.finish->receipt || !entry.finish->attestation) return false;
  const auto phase = parts_.market.phase(entry.start.terms);
  const bool may_pass = !phase || *phase == market::Phase::working ||
                        *phase == market::Phase::settling || *phase == market::Phase::settled;
  if (!may_pass) return false;
  log(LogLevel::warning, "settle_postponed", {{"order", order.hex0x()}, {"reason", error.message}});
  const std::lock_guard lock(mutex_);
  later_[order] = parts_.clock.monotonic() + kSettlePause;
  return true;
}

// Puts what is due back into the queue.
void Controller::resume_later() {
  const std::lock_guard lock(mutex_);
  const auto now = parts_.clock.monotonic();
  for (auto entry = later_.begin(); entry != later_.end();) {
    if (entry->second > now) {
      ++entry;
      continue;
    }
    queue_.push_back(entry->first);
    entry = later_.erase(entry);
    wake_.notify_all();
  }
}

Status Controller::settle(const api::OrderId& order, Entry& entry) {
  SP_CHECK(entry.finish.has_value());
  if (!entry.finish->receipt || !entry.finish->attestation) {
    return Error{Errc::refused, "nothing to settle with: " + entry.finish->failure};
  }
  const auto call =
      parts_.market.settle(entry.start.terms, *entry.finish->attestation, *entry.finish->receipt);
  std::chrono::milliseconds pause{250};
  for (int attempt = 1;; ++attempt) {
    const auto receipt = parts_.sender.execute(call);
    if (receipt) break;
    // Somebody else may have settled it; who is paid was fixed by the order.
    const auto record = parts_.market.order(order);
    if (record && record->status == market::OrderStatus::settled) break;
    if (!is_transient(receipt.error().code) || attempt == kSettleTriesMax) {
      return receipt.error();
    }
    log(LogLevel::warning, "settle_delayed",
        {{"order", order.hex0x()}, {"reason", receipt.error().message}});
    parts_.clock.sleep_for(pause);
    pause *= 2;
  }
  SP_TRY(check_settled_for_good(order));
  entry.state = EntryState::settled;
  log(LogLevel::info, "order_settled",
      {{"order", order.hex0x()},
       {"outcome", api::outcome_name(entry.finish->receipt->statement.outcome)}});
  return ledger_.save(order, entry);
}

void Controller::fail(const api::OrderId& order, Entry& entry, const Error& error) {
  log(LogLevel::error, "order_failed", {{"order", order.hex0x()}, {"reason", error.message}});
  entry.state = EntryState::failed;
  entry.failure = error.message;
  if (const Status saved = ledger_.save(order, entry); !saved) {
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
  if (!entry.finish) return Error{Errc::not_found, "the order hasn't finished"};
  return std::move(*entry.finish);
}

}  // namespace sp::provider
