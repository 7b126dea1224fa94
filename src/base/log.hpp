// Structured log lines on standard error, one JSON object a line. No secret is ever a field:
// secrets have no text form. Safe to call from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sp {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct LogField {
  std::string_view name;
  std::string value;

  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, std::int64_t number)
      : name(field_name), value(std::to_string(number)) {}
};

/// Lines below `level` are dropped from now on. The default is info.
void set_log_level(LogLevel level);

/// Writes one line: time, level, event ("order_settled"), fields. A value longer than 512 bytes is
/// cut.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace sp
