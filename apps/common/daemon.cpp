#include "common/daemon.hpp"

#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/world.hpp"
#include "common/notify.hpp"
#include "common/process_metrics.hpp"

namespace sp::apps {
namespace {

constexpr unsigned kHttpWorkers = 12;            // of which one address has eight at most
std::optional<LogLevel> level_override;          // set before there are threads
constexpr std::chrono::seconds kStopMargin{20};  // beyond the graces, before a manager kills

net::HttpServer::Options options_of(const Listen& listen, std::size_t body_max, unsigned workers) {
  net::HttpServer::Options options;
  options.address = listen.address;
  options.port = listen.port;
  options.body_max = body_max;
  options.workers = workers;
  options.certificate_file = listen.certificate;
  options.key_file = listen.key;
  return options;
}

void tell_manager(const std::string& state) {
  const Status told = notify_manager(state);
  if (!told) log(LogLevel::warning, "notify_failed", {{"reason", told.error().message}});
}

// What the frame answers by itself, and counts. Safe to call from any thread.
class FrameService {
 public:
  FrameService(const DaemonFrame& frame, const Clock& clock)
      : frame_(frame),
        clock_(clock),
        prefix_("superprotocol_" + frame.name),
        started_at_(clock.unix_seconds()),
        requests_(frame.routes) {}

  // A request on the main listener.
  net::HttpResponse handle(const net::HttpRequest& request, bool shows_metrics) {
    const auto start = clock_.monotonic();
    const Working working(*this);
    net::HttpResponse response = answer(request, shows_metrics);
    const auto took = clock_.monotonic() - start;
    requests_.count(request, response, took);
    log(LogLevel::debug, "request",
        {{"route", requests_.route_of(request.path)},
         {"status", response.status},
         {"microseconds", took.count() / 1000}});
    return response;
  }

  // Waits until no request is at work, `limit` at most.
  void finish(std::chrono::nanoseconds limit) {
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, limit, [this] { return working_ == 0; });
  }

  // A request on the listener for metrics.
  net::HttpResponse watch(const net::HttpRequest& request) {
    if (request.path == "/health") return answer_health();
    if (request.path == "/metrics") return answer_metrics();
    return net::text_response(404, "text/plain", "here are /health and /metrics\n");
  }

 private:
  // One request at work.
  class Working {
   public:
    explicit Working(FrameService& service) : service_(service) {
      const std::lock_guard lock(service_.mutex_);
      ++service_.working_;
    }
    ~Working() {
      const std::lock_guard lock(service_.mutex_);
      if (--service_.working_ == 0) service_.idle_.notify_all();
    }
    Working(const Working&) = delete;
    Working& operator=(const Working&) = delete;

   private:
    FrameService& service_;
  };

  net::HttpResponse answer(const net::HttpRequest& request, bool shows_metrics) {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && request.path == "/health") return answer_health();
    if (reads && shows_metrics && request.path == "/metrics") return answer_metrics();
    return frame_.handler(request);
  }

  net::HttpResponse answer_health() {
    const Status healthy = health();
    if (healthy) return net::text_response(200, "text/plain", "ok\n");
    const Json body{{"healthy", false}, {"reason", healthy.error().message}};
    return net::text_response(503, "application/json",
                              body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

  Status health() {
    const std::lock_guard lock(health_mutex_);
    const auto now = clock_.monotonic();
    if (!asked_ || now - *asked_ >= kHealthKept) {
      kept_ = frame_.health();
      asked_ = clock_.monotonic();
    }
    return kept_;
  }

  net::HttpResponse answer_metrics() {
    net::MetricsText text;
    write_process_metrics(text, prefix_, started_at_);
    text.single(prefix_ + "_healthy", net::MetricsText::Type::gauge,
                "1 where /health answers ok, else 0.", health() ? 1 : 0);
    requests_.write(text, prefix_);
    frame_.collect(text);
    return net::text_response(200, net::kMetricsType, text.text());
  }

  const DaemonFrame& frame_;
  const Clock& clock_;
  const std::string prefix_;
  const std::int64_t started_at_;
  net::HttpMetrics requests_;
  std::mutex health_mutex_;  // guards kept_ and asked_
  Status kept_;
  std::optional<std::chrono::nanoseconds> asked_;
  std::mutex mutex_;  // guards working_
  std::condition_variable idle_;
  std::size_t working_ = 0;
};

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

void start_log(const Operation& operation) {
  if (level_override) return set_log_level(*level_override);
  if (operation.log_level) set_log_level(*operation.log_level);
}

void override_log_level(LogLevel level) { level_override = level; }

void block_stop_signals() {
  const sigset_t signals = stop_signals();
  SP_CHECK(::pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  // A peer that is gone is an error of the write, never the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
}

void wait_for_stop() {
  const sigset_t signals = stop_signals();
  int signal = 0;
  while (::sigwait(&signals, &signal) != 0) {
  }
}

Status serve_until_stopped(const DaemonFrame& frame) {
  const SystemClock clock;
  FrameService service(frame, clock);
  const bool apart = frame.operation.metrics.has_value();
  const bool shows_metrics = !apart && is_loopback(frame.listen.address);
  SP_ASSIGN(const auto server,
            net::HttpServer::start(options_of(frame.listen, frame.body_max, kHttpWorkers),
                                   [&](const net::HttpRequest& request) {
                                     return service.handle(request, shows_metrics);
                                   }));
  std::unique_ptr<net::HttpServer> metrics;
  if (apart) {
    SP_ASSIGN(metrics,
              net::HttpServer::start(options_of(*frame.operation.metrics, 0, 1),
                                     [&](const auto& request) { return service.watch(request); }));
  }
  frame.listening();
  log(LogLevel::info, "listening",
      {{"daemon", frame.name},
       {"address", frame.listen.address},
       {"port", server->port()},
       {"metrics_port", metrics ? metrics->port() : 0},
       {"tls", frame.listen.tls() ? "yes" : "no"}});
  tell_manager("READY=1");
  wait_for_stop();
  log(LogLevel::info, "stopping", {{"daemon", frame.name}});
  const auto patience = frame.drain_max + kAnswerGrace + kStopMargin;
  tell_manager("STOPPING=1\nEXTEND_TIMEOUT_USEC=" +
               std::to_string(std::chrono::microseconds(patience).count()));
  frame.drain();
  service.finish(kAnswerGrace);
  return {};
}

}  // namespace sp::apps
