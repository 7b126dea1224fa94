#include "store/remote/backoff.hpp"

#include <algorithm>

#include "net/patience.hpp"

namespace sp::store {

using std::chrono::milliseconds;

bool is_transient(const Result<net::HttpResponse>& answer) {
  if (!answer) {
    return answer.error().code == Errc::unavailable || answer.error().code == Errc::timed_out;
  }
  const unsigned status = answer->status;
  return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::optional<milliseconds> pause_after(const Backoff& backoff, unsigned attempt,
                                        const Result<net::HttpResponse>& answer, Random& random) {
  if (attempt >= backoff.attempts) return {};
  const auto asked = answer ? net::retry_after(answer->headers) : std::nullopt;
  if (asked && *asked > backoff.patience) return {};
  milliseconds ceiling = backoff.first;
  for (unsigned i = 1; i < attempt && ceiling < backoff.max; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, backoff.max);
  std::uint8_t bytes[4];
  random.fill(bytes);
  const std::uint32_t drawn =
      static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
      static_cast<std::uint32_t>(bytes[2]) << 8 | static_cast<std::uint32_t>(bytes[3]);
  const milliseconds jitter(drawn % static_cast<std::uint32_t>(ceiling.count() + 1));
  return jitter + asked.value_or(std::chrono::seconds(0));
}

}  // namespace sp::store
