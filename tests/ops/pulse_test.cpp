// What metrics say of a chain that has never answered.
#include <gtest/gtest.h>

#include "spnode/chain_pulse.hpp"

namespace sp::apps {
namespace {

class LateClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return 1'790'000'000; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::seconds(now.load());
  }
  void sleep_for(std::chrono::nanoseconds) const override {}

  std::atomic<std::int64_t> now{1000};
};

TEST(ChainPulse, ALagGrowsThoughNoBlockWasEverSeen) {
  LateClock clock;
  const auto away = []() -> Result<chain::Block> { return Error{Errc::unavailable, "away"}; };
  const ChainPulse pulse("1-market", away, clock);
  EXPECT_EQ(pulse.lag_seconds(), 0U);
  clock.now += 400;
  EXPECT_EQ(pulse.lag_seconds(), 400U);
}

}  // namespace
}  // namespace sp::apps
