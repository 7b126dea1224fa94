// Numbers for Prometheus: text exposition format 0.0.4, and what every daemon counts of its
// requests.
//
// Numbers alone are told, and labels from closed lists: never an order, an account or a secret, so
// the count of series is bounded however many requests come.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http.hpp"

namespace sp::net {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

/// Writes one exposition. Belongs to one thread.
class MetricsText {
 public:
  enum class Type : std::uint8_t { counter, gauge, histogram };
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  /// Begins a family: each name once. Name and labels are ours: [a-z_]+.
  void family(std::string_view name, Type type, std::string_view help);
  /// One sample of the family begun last; `suffix` is "_bucket", "_sum" or "_count" of a histogram.
  void sample(const Labels& labels, std::uint64_t value, std::string_view suffix = {});
  void sample(const Labels& labels, double value, std::string_view suffix = {});
  /// A family of one sample without labels.
  void single(std::string_view name, Type type, std::string_view help, std::uint64_t value);

  /// Families that were written elsewhere, of other names.
  void append(std::string_view exposition) { text_ += exposition; }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(const Labels& labels, std::string_view value, std::string_view suffix);

  std::string text_;
  std::string family_;
  std::set<std::string, std::less<>> names_;
};

/// Counts requests by method, route and status, how long they took and what they carried. Safe to
/// call from any thread.
class HttpMetrics {
 public:
  /// `routes` are beginnings of paths, the most special first; every other path is "other".
  explicit HttpMetrics(std::vector<std::string> routes) : routes_(std::move(routes)) {}

  /// The route that a path belongs to.
  [[nodiscard]] std::string_view route_of(std::string_view path) const;
  /// Counts one answered request.
  void count(const HttpRequest& request, const HttpResponse& response,
             std::chrono::nanoseconds took);
  /// Families PREFIX_http_requests_total, _http_request_seconds, _http_received_bytes_total and
  /// _http_sent_bytes_total; bytes are those of bodies.
  void write(MetricsText& text, const std::string& prefix) const;

 private:
  struct Key {
    std::string method, route;
    unsigned status = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Route {
    std::vector<std::uint64_t> buckets;  // one for each bound, not cumulated; the last is +Inf
    double seconds = 0;
    std::uint64_t count = 0, received = 0, sent = 0;
  };
  void write_durations(MetricsText& text, const std::string& prefix) const;

  const std::vector<std::string> routes_;
  mutable std::mutex mutex_;  // guards all below
  std::map<Key, std::uint64_t> requests_;
  std::map<std::string, Route, std::less<>> by_route_;
};

}  // namespace sp::net
