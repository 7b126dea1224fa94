// A proxy that lies: it stands between two real programs, passes on their HTTP, and looks at,
// changes, drops, delays or makes up what a test tells it to. It keeps all that passes.
//
// Hooks run on the proxy's own threads, several at once. Safe to call from any thread.
#pragma once

#include <mutex>
#include <optional>

#include "net/http.hpp"

namespace sp::hostile {

/// One request and its answer, as they left the proxy.
struct Exchange {
  std::string method;
  std::string path;
  Bytes request;
  unsigned status = 0;
  Bytes response;
};

class HostileProxy {
 public:
  /// May change the request; an answer of its own keeps the request from going on.
  using OnRequest = std::function<std::optional<net::HttpResponse>(net::HttpRequest&)>;
  /// May change the answer.
  using OnResponse = std::function<void(const net::HttpRequest&, net::HttpResponse&)>;

  /// Listens on a free port of 127.0.0.1 and passes on to `target`, a URL without a path.
  explicit HostileProxy(std::string target);

  [[nodiscard]] std::string url() const;
  void on_request(OnRequest hook);
  void on_response(OnResponse hook);
  /// An honest proxy again, that has seen nothing.
  void behave();
  /// What has passed since behave(), where the path begins so.
  [[nodiscard]] std::vector<Exchange> seen(const std::string& path = "") const;
  [[nodiscard]] std::size_t count(const std::string& path) const { return seen(path).size(); }

 private:
  net::HttpResponse handle(const net::HttpRequest& from);
  net::HttpResponse pass_on(const net::HttpRequest& request);

  const std::string target_;
  net::HttpClient client_;
  mutable std::mutex mutex_;  // guards all below but the server
  OnRequest on_request_;
  OnResponse on_response_;
  std::vector<Exchange> seen_;
  std::unique_ptr<net::HttpServer> server_;  // last: its threads use all of the above
};

/// A problem answer as the daemons give it, for a proxy that makes one up.
net::HttpResponse made_up_problem(unsigned status, const std::string& code,
                                  const std::string& message);

}  // namespace sp::hostile
