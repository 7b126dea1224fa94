#include "provider/status.hpp"

namespace sp::provider {

using Type = net::MetricsText::Type;

Status controller_health(const Controller& controller, const Clock& clock) {
  const auto polled = controller.counts().polled;
  if (!polled) return Error{Errc::unavailable, "the chain hasn't been followed yet"};
  const auto age = clock.monotonic() - *polled;
  if (age <= kPollAgeMax) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return Error{Errc::unavailable,
               "the chain hasn't been followed for " + std::to_string(seconds) + " seconds"};
}

void write_controller_metrics(
    net::MetricsText& text,
    const std::vector<std::pair<std::string, const Controller*>>& controllers) {
  std::vector<std::pair<std::string, ControllerCounts>> all;
  for (const auto& [name, controller] : controllers) all.emplace_back(name, controller->counts());
  text.family("superprotocol_provider_orders", Type::gauge, "Orders under way, by state.");
  for (const auto& [name, counts] : all) {
    text.sample({{"market", name}, {"state", "queued"}}, std::uint64_t{counts.queued});
    text.sample({{"market", name}, {"state", "running"}}, std::uint64_t{counts.running});
    text.sample({{"market", name}, {"state", "settling"}}, std::uint64_t{counts.settling_later});
    text.sample({{"market", name}, {"state", "locked"}}, std::uint64_t{counts.locked});
  }
  text.family("superprotocol_provider_orders_total", Type::counter,
              "Orders since the start: taken, delayed because the queue was full, ended.");
  for (const auto& [name, counts] : all) {
    text.sample({{"market", name}, {"event", "taken"}}, counts.taken);
    text.sample({{"market", name}, {"event", "delayed"}}, counts.delayed);
    text.sample({{"market", name}, {"event", "settled"}}, counts.settled);
    text.sample({{"market", name}, {"event", "settled_by_another"}}, counts.settled_by_another);
    text.sample({{"market", name}, {"event", "failed"}}, counts.failed);
  }
  text.family("superprotocol_provider_queue_full", Type::gauge,
              "1 while the chain has an order that the queue has no room for.");
  for (const auto& [name, counts] : all) {
    text.sample({{"market", name}}, std::uint64_t{counts.full ? 1U : 0U});
  }
  text.family("superprotocol_provider_next_block", Type::gauge,
              "The block that the follower reads next.");
  for (const auto& [name, counts] : all) text.sample({{"market", name}}, counts.next_block);
}

}  // namespace sp::provider
