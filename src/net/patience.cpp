#include "net/patience.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sp::net {
namespace {

using std::chrono::milliseconds;

bool is_busy(const HttpResponse& response) {
  return response.status == 429 || response.status == 503;
}

// Between the pause and half as much again.
milliseconds spread(milliseconds pause, Random& random) {
  std::array<std::uint8_t, 4> bytes{};
  random.fill(bytes);
  // Below 2^24.
  const auto chance = static_cast<std::uint64_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16);
  return pause + milliseconds(static_cast<std::uint64_t>(pause.count()) / 2 * chance >> 24);
}

}  // namespace

std::optional<std::chrono::seconds> retry_after(const Headers& headers) {
  const auto field = headers.find("retry-after");
  if (field == headers.end()) return std::nullopt;
  std::uint32_t seconds = 0;
  const char* end = field->second.data() + field->second.size();
  const auto [rest, failure] = std::from_chars(field->second.data(), end, seconds);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kRetryAfterMax);
}

Result<HttpResponse> call_patiently(HttpCaller& client, const Clock& clock, Random& random,
                                    const Patience& patience, const std::string& method,
                                    const std::string& url, ByteView body, const Headers& headers) {
  const auto deadline = clock.monotonic() + patience.whole;
  milliseconds own_pause = patience.first_pause;
  for (int broken = 0;;) {
    auto answer = client.call(method, url, body, headers);
    if (answer && !is_busy(*answer)) return answer;
    if (!answer && answer.error().code != Errc::unavailable) return answer;
    if (!answer && ++broken >= patience.broken_max) return answer;
    milliseconds pause = own_pause;
    own_pause *= 2;
    const auto told = answer ? retry_after(answer->headers) : std::nullopt;
    if (told) pause = *told;
    pause = spread(pause, random);
    if (clock.monotonic() + pause > deadline) return answer;
    clock.sleep_for(pause);
  }
}

}  // namespace sp::net
