// How the chain answers, looked at regularly by a thread of its own: for health and metrics, which
// must not wait for a chain that is slow.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/world.hpp"
#include "chain/rpc.hpp"
#include "net/metrics.hpp"

namespace sp::apps {

inline constexpr std::chrono::seconds kPulsePeriod{2};
/// A chain that hasn't answered for so long makes its daemon unhealthy.
inline constexpr std::chrono::seconds kPulseAgeMax{30};

/// One chain's pulse. Safe to call from any thread.
class ChainPulse {
 public:
  using Ask = std::function<Result<chain::Block>()>;

  /// `name` is the chain's or market's in metrics. `ask` is called from the pulse's thread until
  /// the destructor returns, first at once.
  ChainPulse(std::string name, Ask ask, const Clock& clock);
  ~ChainPulse();
  ChainPulse(const ChainPulse&) = delete;
  ChainPulse& operator=(const ChainPulse&) = delete;

  /// Errc::unavailable where the last answer is older than kPulseAgeMax.
  [[nodiscard]] Status health() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t block() const { return block_; }
  /// Seconds since the newest block, as this machine's clock has it; before the first answer,
  /// since the start.
  [[nodiscard]] std::uint64_t lag_seconds() const;
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  void run();

  const std::string name_;
  const Ask ask_;
  const Clock& clock_;
  const std::chrono::nanoseconds began_;
  std::atomic<std::int64_t> answered_{-1};  // monotonic nanoseconds of the last answer
  std::atomic<std::uint64_t> block_{0};
  std::atomic<std::int64_t> block_time_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Families PREFIX_chain_block, _chain_lag_seconds, _chain_failures_total with the label "chain".
void write_pulses(net::MetricsText& text, const std::string& prefix,
                  const std::vector<const ChainPulse*>& pulses);

}  // namespace sp::apps
