// How the controller watches loaders at work: their deadlines, cancels, orders that are gone, and
// the provider's own stop.
#include <algorithm>

#include "base/log.hpp"
#include "provider/controller_running.hpp"

namespace sp::provider {

void Controller::drain(std::chrono::nanoseconds limit) {
  std::vector<std::shared_ptr<Running>> unbegun;
  {
    std::unique_lock lock(mutex_);
    draining_ = true;
    if (wake_.wait_for(lock, limit, [this] { return busy_ == 0; })) return;
    for (const auto& [order, running] : running_) {
      if (may_be_asked(*running)) unbegun.push_back(running);
    }
  }
  ask_to_stop(std::move(unbegun));
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kLastWordMax, [this] {
    return std::none_of(running_.begin(), running_.end(),
                        [](const auto& one) { return one.second->stopped && !one.second->ended; });
  });
}

// One that has begun nothing can still say so, which a killed one can't. True once for each.
bool Controller::may_be_asked(Running& running) {
  return !running.began && !std::exchange(running.stopped, true);
}

void Controller::ask_to_stop(std::vector<std::shared_ptr<Running>> unbegun) {
  for (std::shared_ptr<Running>& running : unbegun) {
    running->relay->cancel();
    let_go(std::move(running));
  }
}

void Controller::watch_running() {
  std::vector<api::OrderId> orders;
  std::vector<std::shared_ptr<Running>> overdue;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [order, running] : running_) {
      if (parts_.clock.monotonic() <= running->deadline) {
        orders.push_back(order);
        continue;
      }
      log(LogLevel::warning, "loader_overdue", {{"order", order.hex0x()}});
      const bool may_say = may_be_asked(*running);
      running->deadline += kStopGrace;
      if (may_say) overdue.push_back(running);
      if (!may_say) running->tee->kill();
    }
  }
  ask_to_stop(std::move(overdue));
  for (const api::OrderId& order : orders) {
    const auto record = parts_.market.order(order);
    if (record) tell_running(order, *record);
  }
}

// A loader, held while it is told something: its id is in use as long.
std::shared_ptr<Controller::Running> Controller::hold_running(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(order);
  return found == running_.end() ? nullptr : found->second;
}

void Controller::let_go(std::shared_ptr<Running> running) {
  {
    const std::lock_guard lock(mutex_);
    running.reset();
  }
  wake_.notify_all();
}

void Controller::tell_running(const api::OrderId& order, const market::OrderRecord& record) {
  auto running = hold_running(order);
  if (running == nullptr) return;
  const bool cancel = record.cancelled_at != 0 && !std::exchange(running->cancel_sent, true);
  running->gone_looks = record.status == market::OrderStatus::none ? running->gone_looks + 1 : 0;
  if (running->gone_looks == kGoneLooks) {
    log(LogLevel::warning, "order_gone", {{"order", order.hex0x()}});
    running->tee->kill();
  }
  if (cancel) {
    log(LogLevel::info, "order_cancelled", {{"order", order.hex0x()}});
    running->relay->cancel();
  }
  let_go(std::move(running));
}

}  // namespace sp::provider
