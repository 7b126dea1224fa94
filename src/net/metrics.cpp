#include "net/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sp::net {
namespace {

// Upper bounds in seconds: from an answer out of memory to an upload over a slow line.
constexpr std::array kBounds{0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0};
constexpr std::array<std::string_view, 5> kMethods{"GET", "HEAD", "POST", "PUT", "DELETE"};
constexpr std::string_view kOther = "other";

std::string_view type_name(MetricsText::Type type) {
  switch (type) {
    case MetricsText::Type::counter:
      return "counter";
    case MetricsText::Type::gauge:
      return "gauge";
    case MetricsText::Type::histogram:
      return "histogram";
  }
  SP_CHECK(false);
}

std::string number(double value) {
  SP_CHECK(std::isfinite(value));
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  SP_CHECK(end.ec == std::errc{});
  return {text.data(), end.ptr};
}

// A help text escapes backslash and line feed, a label's value the quote as well.
std::string escaped(std::string_view text, bool label) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || (label && c == '"')) result += '\\';
    result += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return result;
}

std::string method_of(const HttpRequest& request) {
  const bool known = std::find(kMethods.begin(), kMethods.end(), request.method) != kMethods.end();
  return known ? request.method : std::string(kOther);
}

}  // namespace

void MetricsText::family(std::string_view name, Type type, std::string_view help) {
  SP_CHECK(names_.emplace(name).second);
  family_ = name;
  text_ += "# HELP " + family_ + " " + escaped(help, false) + "\n";
  text_ += "# TYPE " + family_ + " " + std::string(type_name(type)) + "\n";
}

void MetricsText::line(const Labels& labels, std::string_view value, std::string_view suffix) {
  SP_CHECK(!family_.empty());
  text_ += family_ + std::string(suffix);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=\"" +
             escaped(labels[i].second, true) + "\"";
  }
  if (!labels.empty()) text_ += "}";
  text_ += " " + std::string(value) + "\n";
}

void MetricsText::sample(const Labels& labels, std::uint64_t value, std::string_view suffix) {
  line(labels, std::to_string(value), suffix);
}

void MetricsText::sample(const Labels& labels, double value, std::string_view suffix) {
  line(labels, number(value), suffix);
}

void MetricsText::single(std::string_view name, Type type, std::string_view help,
                         std::uint64_t value) {
  family(name, type, help);
  sample({}, value);
}

std::string_view HttpMetrics::route_of(std::string_view path) const {
  for (const std::string& route : routes_) {
    if (path.starts_with(route)) return route;
  }
  return kOther;
}

void HttpMetrics::count(const HttpRequest& request, const HttpResponse& response,
                        std::chrono::nanoseconds took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto bucket = static_cast<std::size_t>(
      std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  const std::string route(route_of(request.path));
  const std::lock_guard lock(mutex_);
  ++requests_[{method_of(request), route, response.status}];
  Route& counts = by_route_[route];
  counts.buckets.resize(kBounds.size() + 1);
  ++counts.buckets[bucket];
  ++counts.count;
  counts.seconds += seconds;
  counts.received += request.body.size();
  counts.sent += response.body.size();
}

void HttpMetrics::write_durations(MetricsText& text, const std::string& prefix) const {
  text.family(prefix + "_http_request_seconds", MetricsText::Type::histogram,
              "How long requests took from their last byte to the answer's first.");
  for (const auto& [route, counts] : by_route_) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < counts.buckets.size(); ++i) {
      sum += counts.buckets[i];
      const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
      text.sample({{"route", route}, {"le", bound}}, sum, "_bucket");
    }
    text.sample({{"route", route}}, counts.seconds, "_sum");
    text.sample({{"route", route}}, counts.count, "_count");
  }
}

void HttpMetrics::write(MetricsText& text, const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  text.family(prefix + "_http_requests_total", MetricsText::Type::counter,
              "Requests answered, by method, route and status.");
  for (const auto& [key, count] : requests_) {
    text.sample(
        {{"method", key.method}, {"route", key.route}, {"status", std::to_string(key.status)}},
        count);
  }
  write_durations(text, prefix);
  text.family(prefix + "_http_received_bytes_total", MetricsText::Type::counter,
              "Bytes of requests' bodies.");
  for (const auto& [route, counts] : by_route_) text.sample({{"route", route}}, counts.received);
  text.family(prefix + "_http_sent_bytes_total", MetricsText::Type::counter,
              "Bytes of answers' bodies.");
  for (const auto& [route, counts] : by_route_) text.sample({{"route", route}}, counts.sent);
}

}  // namespace sp::net
