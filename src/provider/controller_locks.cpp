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
  // There are more only where a chain has forgotten the creation that the first were attested for.
  if (entry.idle.size() == kIdleMax) entry.idle.erase(entry.idle.begin());
  entry.idle.push_back(*finish.receipt);
  return ledger_.save(order, entry);
}

// Tells the market of each session that it doesn't know of. The one that settles tells of itself.
Status Controller::acquit(const api::OrderId& order, const Entry& entry) {
  if (entry.idle.empty()) return {};
  SP_ASSIGN(const market::OrderRecord record, parts_.market.order(order));
  const bool claims_may_come =
      record.status == market::OrderStatus::open || record.status == market::OrderStatus::refunded;
  if (!claims_may_come) return {};
  const bool settles = entry.state == EntryState::finished && entry.finish;
  for (const auto& receipt : entry.idle) {
    if (settles && entry.finish->receipt == receipt) continue;
    SP_ASSIGN(const Address session, receipt.signer(parts_.market.domain()));
    SP_ASSIGN(const bool acquitted, parts_.market.is_acquitted(order, session));
    if (acquitted) continue;
    SP_TRY(parts_.sender.execute(parts_.market.acquit(entry.start.terms, receipt)));
    log(LogLevel::info, "session_acquitted",
        {{"order", order.hex0x()}, {"session", session.hex0x()}});
  }
  return {};
}

// Whether somebody who had this receipt could settle with it before the market knows of the
// sessions before it.
bool Controller::has_untold(const Entry& entry) {
  return entry.state != EntryState::settled && !entry.idle.empty() && entry.finish->receipt &&
         market::leaves_claims(entry.start.terms, entry.finish->receipt->statement);
}

// Keeps an order that is over here, and what it may still lock.
Status Controller::keep_over(const api::OrderId& order, Entry& entry, bool settled_by_own) {
  const bool unclaimed =
      settled_by_own && entry.finish->receipt &&
      !market::leaves_claims(entry.start.terms, entry.finish->receipt->statement);
  entry.locks = !unclaimed && locks_deposit(entry.start.terms);
  if (!settled_by_own && entry.finish) SP_TRY(remember_idle(order, entry, *entry.finish));
  SP_TRY(ledger_.save(order, entry));
  if (entry.locks) watch_lock(order, entry.start.terms);
  return {};
}

void Controller::watch_lock(const api::OrderId& order, const api::Terms& terms) {
  const auto pause = std::clamp<std::chrono::nanoseconds>(std::chrono::seconds(terms.claim_window),
                                                          kLockPauseLeast, kLockPauseMost);
  const std::lock_guard lock(mutex_);
  locked_[order] = parts_.clock.monotonic() + pause;
}

// In a thread of its own: what it does may wait for the chain.
void Controller::tend_locks() {
  for (;;) {
    api::OrderId order;
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, kWatchPeriod, [this] { return stopping_; })) return;
      const auto now = parts_.clock.monotonic();
      const auto due = std::find_if(locked_.begin(), locked_.end(),
                                    [&](const auto& entry) { return entry.second <= now; });
      if (draining_ || due == locked_.end()) continue;
      order = due->first;
      locked_.erase(due);
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
  if (!ended || !*ended) return watch_lock(order, entry->start.terms);
  const std::lock_guard lock(mutex_);
  auto now = ledger_.load(order);
  if (!now || !is_over(now->state)) return;
  now->locks = false;
  if (const Status saved = ledger_.save(order, *now); !saved) {
    log(LogLevel::error, "ledger_unwritable", {{"reason", saved.error().message}});
  }
}

// Whether the order locks nothing any more.
Result<bool> Controller::end_lock(const api::OrderId& order, const Entry& entry) {
  SP_TRY(acquit(order, entry));
  SP_ASSIGN(const market::Phase phase, parts_.market.phase(entry.start.terms));
  switch (phase) {
    case market::Phase::working:
    case market::Phase::settling:
    case market::Phase::claiming:
      return false;
    case market::Phase::closable:
      // Looked at once more: a chain may lose the block of it.
      SP_TRY(parts_.sender.execute(parts_.market.close(entry.start.terms)));
      log(LogLevel::info, "order_closed", {{"order", order.hex0x()}});
      return false;
    case market::Phase::none:
    case market::Phase::settled:
    case market::Phase::closed:
      return true;
  }
  return true;
}

}  // namespace sp::provider
