#include "base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/world.hpp"

namespace sp {
namespace {

constexpr std::size_t kLogValueMax = 512;

std::atomic<LogLevel> log_level{LogLevel::info};

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  check_failed("unknown LogLevel", __FILE__, __LINE__);
}

}  // namespace

void set_log_level(LogLevel level) { log_level = level; }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < log_level) return;
  nlohmann::ordered_json line;
  line["time"] = to_rfc3339(SystemClock().unix_seconds());
  line["level"] = level_name(level);
  line["event"] = event;
  for (const LogField& field : fields)
    line[std::string(field.name)] = field.value.substr(0, kLogValueMax);
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  // One write a line, so that lines of several threads and processes don't mix.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace sp
