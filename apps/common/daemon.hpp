// What every daemon of ours has in common: an HTTP listener that answers
// /health and /metrics by itself, and a graceful stop at SIGTERM or SIGINT.
//
//   GET /health    200 "ok", or 503 {"healthy": false, "reason": text} in JSON
//   GET /metrics   text exposition format 0.0.4; see serve_until_stopped()
#pragma once

#include <functional>

#include "base/files.hpp"
#include "common/operation.hpp"
#include "net/http.hpp"
#include "net/metrics.hpp"

namespace sp::apps {

/// How long requests at work may take at a stop. Then the listener closes, and who is still
/// sending or being answered has net::kStopGrace.
inline constexpr std::chrono::seconds kAnswerGrace{10};
/// How long an answer about health is good for, so that who asks often costs nothing.
inline constexpr std::chrono::seconds kHealthKept{1};

/// A daemon, as the frame serves it. Functions are called from several threads at once.
struct DaemonFrame {
  std::string name;  ///< "store": begins the names of its metrics, superprotocol_store_...
  Listen listen;
  Operation operation;
  std::size_t body_max = 1 << 20;
  std::vector<std::string> routes;  ///< as net::HttpMetrics takes them
  net::HttpServer::Handler handler;
  /// Why it can't do its work; called at most once a kHealthKept.
  std::function<Status()> health = [] { return Status{}; };
  /// Writes families of its own.
  std::function<void(net::MetricsText&)> collect = [](net::MetricsText&) {};
  /// Called once, when the listeners have their addresses.
  std::function<void()> listening = [] {};
  /// Called after the stop signal, while requests are still answered; returns when work is ended.
  std::function<void()> drain = [] {};
  std::chrono::seconds drain_max{0};  ///< how long `drain` may take, for the service manager
};

/// Blocks the stop signals in this thread and all that it starts; call before any thread is
/// started. SIGHUP is ignored: nothing is read again before a restart.
void block_stop_signals();
/// Waits for SIGTERM or SIGINT.
void wait_for_stop();

/// Sets the level of the log: `operation`'s, unless the command line said one.
void start_log(const Operation& operation);
/// What the command line said.
void override_log_level(LogLevel level);

/// Serves until a stop signal; logs where it listens, and tells the service manager. /metrics is
/// answered on the listener of operation.metrics, or without one on the main listener where that
/// is on a loopback address; nowhere else. Errc::io, Errc::usage.
Status serve_until_stopped(const DaemonFrame& frame);

}  // namespace sp::apps
