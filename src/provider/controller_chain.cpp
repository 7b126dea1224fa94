// What the controller does about a chain that forgets, is behind or is away.
#include <algorithm>

#include "base/log.hpp"
#include "provider/controller.hpp"

namespace sp::provider {
namespace {

constexpr const char* kOutcomeUnknown = "unknown";

}  // namespace

void Controller::follow_once() {
  // While there is no room, the logs needn't be read again and again: only whether the chain is
  // there.
  if (held_up_ && !has_room()) return note_poll(parts_.market.chain().block().ok());
  held_up_ = false;
  const auto taken = follower_->poll([this](const chain::Log& entry) { return take(entry); });
  note_poll(taken.ok() || held_up_);
  if (taken || held_up_) {
    if (follow_failures_ != 0) log(LogLevel::info, "follow_goes_on");
    follow_failures_ = 0;
    return;
  }
  // 1, 2, 4, 8 ...: a chain that is away for a day doesn't fill the log.
  ++follow_failures_;
  if ((follow_failures_ & (follow_failures_ - 1)) == 0) {
    log(LogLevel::warning, "follow_failed",
        {{"reason", taken.error().message}, {"times", follow_failures_}});
  }
}

bool Controller::has_room() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() < options_.queue;
}

// The error keeps the follower before this order.
Status Controller::hold_up(const api::OrderId& order) {
  held_up_ = true;
  if (delayed_ != order) {
    delayed_ = order;
    log(LogLevel::warning, "order_delayed",
        {{"order", order.hex0x()}, {"reason", "the queue is full"}});
    count(&ControllerCounts::delayed);
  }
  return Error{Errc::unavailable, "the queue is full"};
}

void Controller::postpone(const api::OrderId& order, std::chrono::nanoseconds pause,
                          const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (waiting_.insert(order).second) {
    log(LogLevel::info, "order_waits", {{"order", order.hex0x()}, {"reason", why}});
  }
  later_[order] = parts_.clock.monotonic() + pause;
}

void Controller::forget_waiting(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  gone_since_.erase(order);
  waiting_.erase(order);
}

// Whether an order waits because of this error, and isn't failed by it.
bool Controller::put_off(const api::OrderId& order, const Error& error) {
  const bool away = is_transient(error.code);
  if (!away && error.code != Errc::not_found) return false;
  if (away || !is_gone(order)) {
    postpone(order, kChainPause, error.message);
    return true;
  }
  log(LogLevel::warning, "order_dropped", {{"order", order.hex0x()}, {"reason", error.message}});
  const Status removed = ledger_.remove(order);
  if (!removed) {
    log(LogLevel::error, "ledger_unwritable", {{"reason", removed.error().message}});
  }
  return true;
}

// Whether the order has been missing for kGoneLimit; begins to count where it wasn't missing yet.
bool Controller::is_gone(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  const auto now = parts_.clock.monotonic();
  const auto since = gone_since_.try_emplace(order, now).first;
  if (now - since->second < kGoneLimit) return false;
  gone_since_.erase(since);
  return true;
}

// Whether another run may prove what this one couldn't: it earned nothing, and its brokers were
// away, or the provider stops.
bool Controller::runs_again(const api::OrderId& order, const Entry& entry) {
  const api::Finish& finish = *entry.finish;
  const bool earned = finish.receipt && finish.attestation &&
                      (finish.receipt->statement.outcome != api::Outcome::provider ||
                       finish.receipt->statement.started);
  if (earned || entry.idle.size() >= kIdleMax) return false;
  Errc why{};
  {
    const std::lock_guard lock(mutex_);
    const auto away = away_.find(order);
    if (!draining_ && (stopping_ || away == away_.end())) return false;
    if (!draining_) why = away->second;
  }
  // One that nobody wants any more is settled by what there is, and at once.
  const Status wanted = check_still_wanted(order, entry);
  // An order that is there for the provider and not for its broker isn't a chain's doing.
  if (wanted && why == Errc::not_found) return false;
  const Errc code = wanted ? Errc::unavailable : wanted.error().code;
  return is_transient(code) || code == Errc::not_found;
}

// Whether the order was created again, in another block, after what was proven: no attestation that
// is older than the creation counts.
bool Controller::was_created_anew(const api::OrderId& order, const Entry& entry) {
  if (!entry.finish || !entry.finish->attestation) return false;
  const auto record = parts_.market.order(order);
  return record && record->status == market::OrderStatus::open &&
         record->created_at > entry.finish->attestation->statement.time;
}

// The outcome with which the chain has settled the order, "unknown" where it doesn't say; the
// entry's failure tells of another session's receipt. Looks at the last blocks: an order is looked
// at soon after it is settled.
std::string Controller::note_settlement(const api::OrderId& order, Entry& entry) {
  entry.failure.clear();
  const auto newest = parts_.market.chain().block();
  if (!newest) return kOutcomeUnknown;
  const std::uint64_t first = newest->number - std::min(newest->number, kRewindBlocks);
  const auto said = parts_.market.find_settled(order, first, newest->number);
  if (!said) return kOutcomeUnknown;
  const std::string outcome(api::outcome_name(said->outcome));
  if (said->session != entry.finish->attestation->statement.session) {
    entry.failure = "another session's receipt settled it: " + outcome;
  }
  return outcome;
}

Status Controller::keep_settled(const api::OrderId& order, Entry& entry) {
  const std::string outcome = note_settlement(order, entry);
  const bool is_own = entry.failure.empty();
  entry.state = EntryState::settled;
  forget_waiting(order);
  count(is_own ? &ControllerCounts::settled : &ControllerCounts::settled_by_another);
  log(is_own ? LogLevel::info : LogLevel::warning,
      is_own ? "order_settled" : "order_settled_by_another",
      {{"order", order.hex0x()}, {"outcome", outcome}});
  return keep_over(order, entry, is_own && outcome != kOutcomeUnknown);
}

// Looks after the settlements that aren't final, and the transactions that carry them.
void Controller::confirm_settled() {
  // What fails here fails because the chain is away, which is told by who follows it.
  [[maybe_unused]] const Status tended = parts_.sender.tend();
  std::vector<api::OrderId> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.assign(unconfirmed_.begin(), unconfirmed_.end());
    std::erase_if(gone_since_, [this](const auto& entry) {
      return parts_.clock.monotonic() - entry.second > 2 * kGoneLimit;
    });
  }
  if (orders.empty()) return;
  const auto newest = parts_.market.chain().block();
  if (!newest || newest->number + 1 < options_.confirmations) return;
  for (const api::OrderId& order : orders) confirm(order, *newest);
}

void Controller::confirm(const api::OrderId& order, const chain::Block& newest) {
  const chain::BlockTag final_block{newest.number + 1 - options_.confirmations};
  const auto then = parts_.market.order(order, final_block);
  const auto now = parts_.market.order(order, {newest.number});
  if (!then || !now) return;
  const bool is_final = market::is_settled(then->status);
  if (!is_final && market::is_settled(now->status)) return;
  auto entry = ledger_.load(order);
  if (is_final && entry) {
    if (!keep_settled(order, *entry)) return;
  }
  const std::lock_guard lock(mutex_);
  unconfirmed_.erase(order);
  stages_.erase(order);
  if (is_final) return;
  // A reorganisation took it: it is sent again.
  log(LogLevel::warning, "settlement_gone", {{"order", order.hex0x()}});
  queue_.push_back(order);
  wake_.notify_all();
}

void Controller::look_later(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  settled_[order] = {parts_.clock.monotonic() + kSettledPauseFirst, kSettledPauseFirst};
}

// Settlements of the last minutes: one that the chain has lost with its newest blocks is sent
// again.
void Controller::watch_settled() {
  const auto now = parts_.clock.monotonic();
  std::vector<api::OrderId> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto entry = settled_.begin(); entry != settled_.end();) {
      Look& look = entry->second;
      const bool is_due = look.at <= now;
      if (is_due) due.push_back(entry->first);
      if (is_due) look = {now + look.pause * 2, look.pause * 2};
      entry = look.pause > kSettledPauseLast ? settled_.erase(entry) : std::next(entry);
    }
  }
  for (const api::OrderId& order : due) {
    const Status looked = take_again(order);
    if (!looked) log(LogLevel::warning, "settled_unknown", {{"order", order.hex0x()}});
  }
}

}  // namespace sp::provider
