// A clock that a test sets. Belongs to one thread.
#pragma once

#include "base/world.hpp"

namespace sp::store::testing {

inline constexpr std::int64_t kNow = 1'800'000'000;

/// Stands still but for what is slept.
class SetClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return now; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  void sleep_for(std::chrono::nanoseconds time) const override {
    now += std::chrono::duration_cast<std::chrono::seconds>(time).count();
  }

  mutable std::int64_t now = kNow;
};

}  // namespace sp::store::testing
