// Messages between the processes: each call is a task of the server's process, and may be lost,
// late, doubled, or answered in vain.
#pragma once

#include <map>

#include "net/http.hpp"
#include "sim/faults.hpp"

namespace sp::sim {

class Network {
 public:
  using Handler = std::function<net::HttpResponse(const net::HttpRequest&)>;

  Network(Tasks& tasks, Faults& faults, Trace& trace)
      : tasks_(tasks), faults_(faults), trace_(trace) {}

  /// From now on this process serves "http://NAME".
  void serve(const std::string& name, ProcessId process, Handler handler);
  /// One call of `from`. Errc::unavailable, Errc::timed_out.
  Result<net::HttpResponse> call(const std::string& from, const std::string& method,
                                 const std::string& url, ByteView body,
                                 const net::Headers& headers);

 private:
  struct Server {
    ProcessId process = 0;
    Handler handler;
  };
  struct Exchange {
    std::optional<net::HttpResponse> response;
    bool ended = false;
  };
  void deliver(const Server& server, net::HttpRequest request, std::shared_ptr<Exchange> exchange);
  void deliver_again(const std::string& name, net::HttpRequest request);
  bool is_cut(const std::string& from, const std::string& to);

  Tasks& tasks_;
  Faults& faults_;
  Trace& trace_;
  std::map<std::string, Server> servers_;
  std::map<std::pair<std::string, std::string>, Nanoseconds> cut_until_;
};

/// The HTTP client of one process.
class SimCaller final : public net::HttpCaller {
 public:
  SimCaller(Network& network, std::string name) : network_(network), name_(std::move(name)) {}

 private:
  Result<net::HttpResponse> carry(const std::string& method, const std::string& url, ByteView body,
                                  const net::Headers& headers) override {
    return network_.call(name_, method, url, body, headers);
  }
  Network& network_;
  std::string name_;
};

}  // namespace sp::sim
