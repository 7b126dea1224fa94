// How the controller settles: with what the loader proved, as soon as the chain lets it.
#include "base/log.hpp"
#include "provider/controller.hpp"

namespace sp::provider {

Status Controller::settle(const api::OrderId& order, Entry& entry) {
  SP_CHECK(entry.finish.has_value());
  if (!entry.finish->receipt || !entry.finish->attestation) {
    return Error{Errc::refused, "nothing to settle with: " + entry.finish->failure};
  }
  const auto call =
      parts_.market.settle(entry.start.terms, *entry.finish->attestation, *entry.finish->receipt);
  // It may be settled already: by an earlier life, or by somebody else.
  const auto before = parts_.market.order(order);
  const bool done = before && market::is_settled(before->status);
  std::chrono::milliseconds pause{250};
  for (int attempt = 1; !done; ++attempt) {
    const auto receipt = parts_.sender.execute(call);
    if (receipt) break;
    // Somebody else may have settled it; who is paid was fixed by the order.
    const auto record = parts_.market.order(order);
    if (record && market::is_settled(record->status)) break;
    if (!is_transient(receipt.error().code) || attempt == kSettleTriesMax) {
      return receipt.error();
    }
    log(LogLevel::warning, "settle_delayed",
        {{"order", order.hex0x()}, {"reason", receipt.error().message}});
    parts_.clock.sleep_for(pause);
    pause *= 2;
  }
  if (options_.confirmations == 1) return keep_settled(order, entry);
  note_settlement(order, entry);
  if (!entry.failure.empty()) SP_TRY(ledger_.save(order, entry));
  const std::lock_guard lock(mutex_);
  unconfirmed_.insert(order);
  stages_[order] =
      "settled; waits for " + std::to_string(options_.confirmations) + " confirmations";
  return {};
}

// Whatever keeps a settlement from the chain (an endpoint, an empty purse, a crowded pool) may pass
// while the order can still be settled: a receipt is money, so it isn't given up before.
bool Controller::settle_later(const api::OrderId& order, const Entry& entry, const Error& error) {
  if (!entry.finish->receipt || !entry.finish->attestation) return false;
  const auto phase = parts_.market.phase(entry.start.terms);
  if (phase && *phase == market::Phase::none) {
    return put_off(order, {Errc::not_found, "the order's creation isn't on the chain (any more)"});
  }
  if (phase && *phase != market::Phase::working && *phase != market::Phase::settling) return false;
  log(LogLevel::warning, "settle_postponed", {{"order", order.hex0x()}, {"reason", error.message}});
  postpone(order, kLaterPause, error.message);
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

}  // namespace sp::provider
