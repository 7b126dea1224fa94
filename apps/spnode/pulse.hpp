// Whether a chain answers, for a daemon's /health: asked at most every kPulsePeriod, whoever asks.
// Safe to call from any thread.
#pragma once

#include <mutex>
#include <string>

#include "chain/rpc.hpp"

namespace sp::apps {

inline constexpr std::chrono::milliseconds kPulsePeriod{5'000};

class ChainPulse {
 public:
  /// `name` is the market's, for errors. What is passed must outlive it.
  ChainPulse(chain::Chain& chain, std::string name, const Clock& clock)
      : chain_(chain), name_(std::move(name)), clock_(clock) {}

  /// What the chain last said. While one thread asks, others get the answer before. The endpoint's
  /// error, with the market's name.
  Status beat();
  /// The newest block's number and time as of the last answer; zero before the first.
  [[nodiscard]] chain::Block newest() const;

 private:
  chain::Chain& chain_;
  const std::string name_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards all below
  std::optional<std::chrono::nanoseconds> asked_;
  Status said_;
  chain::Block newest_;
};

/// The first error of several; success where all chains answer.
Status all_beat(const std::vector<ChainPulse*>& pulses);

/// Errc::io where the disk that holds `folder` has less room than that.
Status room_on_disk(const std::filesystem::path& folder, std::uint64_t bytes_min);

}  // namespace sp::apps
