// The operating system behind interfaces: time and randomness. main() constructs the system's own
// and passes them down; tests and simulations pass others.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/bytes.hpp"

namespace sp {

/// Time. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Seconds of Unix time, as this machine believes it.
  [[nodiscard]] virtual std::int64_t unix_seconds() const = 0;
  /// Time that never goes back, from an arbitrary start.
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
  /// Blocks the calling thread.
  virtual void sleep_for(std::chrono::nanoseconds duration) const = 0;
};

/// The system's clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override;
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override;
  void sleep_for(std::chrono::nanoseconds duration) const override;
};

/// Randomness fit for keys. Implementations are safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills `out`; never fails (an exhausted machine terminates).
  virtual void fill(MutableByteView out) = 0;
};

/// "2026-11-24T19:15:00Z" of seconds of Unix time.
std::string to_rfc3339(std::int64_t unix_seconds);

/// Seconds of Unix time of an RFC 3339 time in UTC ("...Z"). Errc::malformed otherwise.
Result<std::int64_t> from_rfc3339(std::string_view text);

}  // namespace sp
