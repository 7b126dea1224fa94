// What the controller does so that its deposit answers for no more than it owes: it tells the
// market of sessions that began nothing, and closes what is over.
#include <algorithm>

#include "base/log.hpp"
#include "market/pricing.hpp"
#include "provider/controller.hpp"

namespace sp::provider {
namespace {

bool locks_deposit(const api::Terms& terms) {
  const auto exposed = market::exposure(terms);
  return exposed && *exposed != Amount();
}

bool is_idle(const api::Finish& finish) {
  return finish.attestation && finish.receipt && !finish.receipt->statement.started;
}

}  // namespace

// In the ledger before another session begins: without this receipt, owners could claim by a key
// that was of no use.
Status Controller::remember_idle(const api::OrderId& order, Entry& entry,
                                 const api::Finish& finish) {
  if (!is_idle(finish) || !locks_deposit(entry.start.terms)) return {};
  const auto known = std::find(entry.idle.begin(), entry.idle.end(), *finish.receipt);
  if (known != entry.idle.end()) return {};
  // No loader follows the last of them but after a restart. Then the first is given up.
  if (entry.idle.size() == kIdleMax) entry.idle.erase(entry.idle.begin());
  entry.idle.push_back(*finish.receipt);
  const Status saved = ledger_.save(order, entry);
  if (!saved) entry.idle.pop_back();
  return saved;
}

// Tells the market of the sessions that it doesn't know of.
Status Controller::acquit(const api::OrderId& order, const Entry& entry) {
  std::vector<api::Signed<api::Receipt>> untold;
  for (const auto& receipt : entry.idle) {
    SP_ASSIGN(const Address session, receipt.signer(parts_.market.domain()));
    SP_ASSIGN(const bool acquitted, parts_.market.is_acquitted(order, session));
    if (!acquitted) untold.push_back(receipt);
  }
  if (untold.empty()) return {};
  SP_TRY(parts_.sender.execute(parts_.market.acquit(entry.start.terms, untold)));
  log(LogLevel::info, "sessions_acquitted",
      {{"order", order.hex0x()}, {"sessions", static_cast<std::int64_t>(untold.size())}});
  return {};
}

// Keeps an order that is over here, and what it may still lock.
Status Controller::keep_over(const api::OrderId& order, Entry& entry, bool settled_by_own) {
  const bool unclaimed =
      settled_by_own && !market::leaves_claims(entry.start.terms, entry.finish->receipt->statement);
  entry.locks = !unclaimed && locks_deposit(entry.start.terms);
  const Status kept = entry.finish ? remember_idle(order, entry, *entry.finish) : Status();
  const Status saved = ledger_.save(order, entry);
  // Behind the write: who looks finds it there.
  if (entry.locks) watch_lock(order, {});
  SP_TRY(kept);
  return saved;
}

void Controller::watch_lock(const api::OrderId& order, std::chrono::nanoseconds pause) {
  const std::lock_guard lock(mutex_);
  locked_[order] = parts_.clock.monotonic() + pause;
}

// In a thread of its own: what it does may wait for the chain. Who has waited longest comes first.
void Controller::tend_locks() {
  for (;;) {
    api::OrderId order;
    {
      std::unique_lock lock(mutex_);
      const auto first = std::min_element(
          locked_.begin(), locked_.end(),
          [](const auto& one, const auto& other) { return one.second < other.second; });
      const bool is_due = first != locked_.end() && first->second <= parts_.clock.monotonic();
      if (stopping_) return;
      if (draining_ || !is_due) {
        wake_.wait_for(lock, kWatchPeriod, [this] { return stopping_; });
        continue;
      }
      order = first->first;
      locked_.erase(first);
    }
    look_at_lock(order);
  }
}

void Controller::look_at_lock(const api::OrderId& order) {
  const auto entry = ledger_.load(order);
  // An order that was taken up again watches its lock when it is over again.
  if (!entry || !entry->locks || !is_over(entry->state)) return;
  const auto ended = end_lock(order, *entry);
  if (!ended && !is_transient(ended.error().code)) {
    log(LogLevel::warning, "lock_kept",
        {{"order", order.hex0x()}, {"reason", ended.error().message}});
  }
  if (!ended || !*ended) {
    const api::Terms& terms = entry->start.terms;
    const std::chrono::seconds window(std::min(terms.settle_window, terms.claim_window));
    return watch_lock(order, std::clamp(window / 4, kLockPauseLeast, kLockPauseMost));
  }
  const std::lock_guard lock(mutex_);
  auto now = ledger_.load(order);
  if (!now || now->encode() != entry->encode()) return;
  now->locks = false;
  if (const Status saved = ledger_.save(order, *now); !saved) {
    log(LogLevel::error, "ledger_unwritable", {{"reason", saved.error().message}});
  }
}

// Whether the order locks nothing any more. While a session may still settle with what it earned,
// no idle one's receipt is told: whoever saw it could settle with that.
Result<bool> Controller::end_lock(const api::OrderId& order, const Entry& entry) {
  SP_ASSIGN(const market::Phase phase, parts_.market.phase(entry.start.terms));
  switch (phase) {
    case market::Phase::none:
    case market::Phase::working:
      return false;
    case market::Phase::settling:
    case market::Phase::acquitting:
    case market::Phase::claiming:
      SP_TRY(acquit(order, entry));
      return false;
    case market::Phase::closable:
      SP_TRY(parts_.sender.execute(parts_.market.close(entry.start.terms)));
      log(LogLevel::info, "order_closed", {{"order", order.hex0x()}});
      return false;
    case market::Phase::settled:
    case market::Phase::closed:
      return is_ended_for_good(order);
  }
  return false;
}

// Whether it has ended in a block that counts: a chain may lose newer ones.
Result<bool> Controller::is_ended_for_good(const api::OrderId& order) {
  SP_ASSIGN(const chain::Block newest, parts_.market.chain().block());
  if (newest.number + 1 < options_.confirmations) return false;
  SP_ASSIGN(const market::OrderRecord record,
            parts_.market.order(order, {newest.number + 1 - options_.confirmations}));
  return record.status == market::OrderStatus::settled ||
         record.status == market::OrderStatus::closed;
}

}  // namespace sp::provider
