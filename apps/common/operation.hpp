// The part of every daemon's settings that is for who operates it: "log" and "metrics", both
// optional. Values; safe to call from any thread.
#pragma once

#include "base/log.hpp"
#include "common/settings.hpp"

namespace sp::apps {

/// "log": {"level": "debug"|"info"|"warning"|"error"}, "metrics": a listener as "listen"
struct Operation {
  std::optional<LogLevel> log_level;
  /// Where GET /metrics is answered; absent: on the main listener, and there only where its address
  /// is a loopback one.
  std::optional<Listen> metrics;

  bool operator==(const Operation&) const = default;
};

/// Errors are noted in `object`.
Operation read_operation(JsonObject& object);
void add_operation(Json& json, const Operation& operation);

/// "debug", "info", "warning", "error". Errc::malformed.
Result<LogLevel> log_level_from(std::string_view name);

/// Whether an address is one of this machine alone: 127.0.0.0/8 or ::1.
bool is_loopback(std::string_view address);

}  // namespace sp::apps
