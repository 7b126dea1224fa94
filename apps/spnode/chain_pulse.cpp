#include "chain_pulse.hpp"

#include <algorithm>

namespace sp::apps {

using Type = net::MetricsText::Type;

ChainPulse::ChainPulse(std::string name, Ask ask, const Clock& clock)
    : name_(std::move(name)),
      ask_(std::move(ask)),
      clock_(clock),
      began_(clock.monotonic()),
      thread_([this] { run(); }) {}

ChainPulse::~ChainPulse() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ChainPulse::run() {
  for (;;) {
    const auto newest = ask_();
    if (newest) {
      block_ = newest->number;
      block_time_ = newest->time;
      answered_ = clock_.monotonic().count();
    } else {
      ++failures_;
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kPulsePeriod, [this] { return stopping_; })) return;
  }
}

Status ChainPulse::health() const {
  const std::int64_t answered = answered_;
  const std::chrono::nanoseconds last = answered < 0 ? began_ : std::chrono::nanoseconds(answered);
  const auto age = clock_.monotonic() - last;
  if (age <= kPulseAgeMax) return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return Error{Errc::unavailable,
               name_ + " hasn't answered for " + std::to_string(seconds) + " seconds"};
}

std::uint64_t ChainPulse::lag_seconds() const {
  const std::int64_t time = block_time_;
  if (time == 0) {
    const auto waited = clock_.monotonic() - began_;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(waited).count());
  }
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, clock_.unix_seconds() - time));
}

void write_pulses(net::MetricsText& text, const std::string& prefix,
                  const std::vector<const ChainPulse*>& pulses) {
  text.family(prefix + "_chain_block", Type::gauge, "Newest block that the chain answered with.");
  for (const ChainPulse* pulse : pulses) text.sample({{"chain", pulse->name()}}, pulse->block());
  text.family(prefix + "_chain_lag_seconds", Type::gauge,
              "Age of that block by this clock; before the first, of the daemon.");
  for (const ChainPulse* pulse : pulses) {
    text.sample({{"chain", pulse->name()}}, pulse->lag_seconds());
  }
  text.family(prefix + "_chain_failures_total", Type::counter, "Looks at the chain that failed.");
  for (const ChainPulse* pulse : pulses) text.sample({{"chain", pulse->name()}}, pulse->failures());
}

}  // namespace sp::apps
