// When a request is tried again: after a pause that doubles from `first` to `max`, of which a
// random part is slept ("full jitter"), never before the seconds that Retry-After names. A server
// that asks for more than Backoff::patience isn't waited for.
//
// Safe to call from any thread.
#pragma once

#include <chrono>
#include <optional>

#include "base/world.hpp"
#include "net/http.hpp"

namespace sp::store {

inline constexpr std::chrono::seconds kRetryAfterMax{60};  ///< of one pause

struct Backoff {
  unsigned attempts = 1;                           ///< in all
  std::chrono::milliseconds first{200};            ///< 1 ms to max
  std::chrono::milliseconds max{20'000};           ///< of one pause, but for Retry-After
  std::chrono::seconds patience = kRetryAfterMax;  ///< with a Retry-After, up to kRetryAfterMax
};

/// Whether an answer, or its absence, may be otherwise the next time: 429, 500, 502, 503, 504,
/// Errc::unavailable and Errc::timed_out.
bool is_transient(const Result<net::HttpResponse>& answer);

/// How long to wait after try `attempt` (from 1); empty where it was the last, or where the server
/// asks for too long.
std::optional<std::chrono::milliseconds> pause_after(const Backoff& backoff, unsigned attempt,
                                                     const Result<net::HttpResponse>& answer,
                                                     Random& random);

}  // namespace sp::store
