// Calls of services that may be busy: an answer that says when to try again is obeyed.
//
// A pause is what Retry-After says, or one that doubles, and up to half as much again by chance, so
// that those who were refused together don't come back together. Safe to call from any thread.
#pragma once

#include <optional>

#include "base/world.hpp"
#include "net/http.hpp"

namespace sp::net {

inline constexpr std::chrono::seconds kRetryAfterMax{3600};  ///< a longer Retry-After reads as this

/// The Retry-After among an answer's fields, in seconds from now. Empty where there is none that
/// reads as a number (RFC 9110, 10.2.3; our services never send a date).
std::optional<std::chrono::seconds> retry_after(const Headers& headers);

/// How long a caller waits for a busy service, pauses and tries together.
struct Patience {
  std::chrono::milliseconds whole{20'000};
  std::chrono::milliseconds first_pause{200};  ///< where no Retry-After says another; then doubled
  int broken_max = 3;  ///< tries that end without an answer (Errc::unavailable)
};

/// HttpClient::call, tried again after 429 and 503 and where nobody answers, while the pause fits
/// into the patience; then the last answer or error. For requests that may be made twice.
Result<HttpResponse> call_patiently(HttpCaller& client, const Clock& clock, Random& random,
                                    const Patience& patience, const std::string& method,
                                    const std::string& url, ByteView body = {},
                                    const Headers& headers = {});

}  // namespace sp::net
