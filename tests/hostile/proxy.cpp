#include "proxy.hpp"

#include "base/testing/must.hpp"

namespace sp::hostile {
namespace {

constexpr std::size_t kBodyMax = 64 << 20;
constexpr unsigned kWorkers = 12;  // a hook that waits must not hold up the others

net::HttpClient::Options client_options() {
  net::HttpClient::Options options;
  options.timeout = std::chrono::seconds(60);
  return options;
}

net::HttpServer::Options server_options() {
  net::HttpServer::Options options;
  options.body_max = kBodyMax;
  options.workers = kWorkers;
  return options;
}

std::string target_of(const net::HttpRequest& request) {
  std::string target = request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    target.append(1, separator).append(name).append("=").append(value);
    separator = '&';
  }
  return target;
}

}  // namespace

HostileProxy::HostileProxy(std::string target)
    : target_(std::move(target)),
      client_(client_options()),
      server_(must(net::HttpServer::start(
          server_options(), [this](const net::HttpRequest& request) { return handle(request); }))) {
}

std::string HostileProxy::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port());
}

void HostileProxy::on_request(OnRequest hook) {
  const std::lock_guard lock(mutex_);
  on_request_ = std::move(hook);
}

void HostileProxy::on_response(OnResponse hook) {
  const std::lock_guard lock(mutex_);
  on_response_ = std::move(hook);
}

void HostileProxy::behave() {
  const std::lock_guard lock(mutex_);
  on_request_ = nullptr;
  on_response_ = nullptr;
  seen_.clear();
}

std::vector<Exchange> HostileProxy::seen(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<Exchange> found;
  for (const Exchange& exchange : seen_) {
    if (exchange.path.starts_with(path)) found.push_back(exchange);
  }
  return found;
}

net::HttpResponse HostileProxy::pass_on(const net::HttpRequest& request) {
  net::Headers headers;
  for (const char* name : {"content-type", "accept", "range", "authorization", "if-none-match",
                           "if-match", "if-range", "content-range"}) {
    const auto field = request.headers.find(name);
    if (field != request.headers.end()) headers[name] = field->second;
  }
  auto answer = client_.call(request.method, target_ + target_of(request), request.body, headers);
  if (!answer) return made_up_problem(503, "unavailable", answer.error().message);
  answer->headers.erase("connection");
  answer->headers.erase("transfer-encoding");
  if (request.method != "HEAD") answer->headers.erase("content-length");
  return std::move(*answer);
}

net::HttpResponse HostileProxy::handle(const net::HttpRequest& from) {
  OnRequest before;
  OnResponse after;
  {
    const std::lock_guard lock(mutex_);
    before = on_request_;
    after = on_response_;
  }
  net::HttpRequest request = from;
  std::optional<net::HttpResponse> made_up;
  if (before) made_up = before(request);
  net::HttpResponse response = made_up ? std::move(*made_up) : pass_on(request);
  if (after) after(request, response);
  const std::lock_guard lock(mutex_);
  seen_.push_back(
      {request.method, request.path, std::move(request.body), response.status, response.body});
  return response;
}

net::HttpResponse made_up_problem(unsigned status, const std::string& code,
                                  const std::string& message) {
  return net::text_response(status, "application/json",
                            R"({"error":")" + code + R"(","message":")" + message + "\"}");
}

}  // namespace sp::hostile
