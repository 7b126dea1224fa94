#include "base/world.hpp"

#include <cstring>
#include <ctime>
#include <thread>

#include "base/secret.hpp"

namespace sp {

std::int64_t SystemClock::unix_seconds() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::chrono::nanoseconds SystemClock::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

void SystemClock::sleep_for(std::chrono::nanoseconds duration) const {
  std::this_thread::sleep_for(duration);
}

void wipe(MutableByteView memory) {
  if (!memory.empty()) explicit_bzero(memory.data(), memory.size());
}

std::string to_rfc3339(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  SP_CHECK(gmtime_r(&time, &parts) != nullptr);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

Result<std::int64_t> from_rfc3339(std::string_view text) {
  const Error refusal{Errc::malformed, "expected a UTC time such as 2026-11-24T19:15:00Z"};
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return refusal;
  const std::int64_t seconds = timegm(&parts);
  if (to_rfc3339(seconds) != text) return refusal;
  return seconds;
}

}  // namespace sp
