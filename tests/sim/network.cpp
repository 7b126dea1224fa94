#include "sim/network.hpp"

#include "net/target.hpp"

namespace sp::sim {
namespace {

constexpr Nanoseconds kTimeout = std::chrono::seconds(10);

}  // namespace

void Network::serve(const std::string& name, ProcessId process, Handler handler) {
  servers_[name] = {process, std::move(handler)};
}

bool Network::is_cut(const std::string& from, const std::string& to) {
  Nanoseconds& until = cut_until_[{from, to}];
  if (until > tasks_.now() && !faults_.over()) return true;
  if (!faults_.happens(faults_.rates.partition)) return false;
  until = tasks_.now() + std::chrono::seconds(faults_.dice().between(2, 40));
  faults_.note(until);
  trace_.note(tasks_.now(), "cut " + from + " " + to);
  return true;
}

void Network::deliver(const Server& server, net::HttpRequest request,
                      std::shared_ptr<Exchange> exchange) {
  tasks_.start_in(server.process, [this, handler = server.handler, request = std::move(request),
                                   exchange = std::move(exchange)] {
    // However it ends: a caller of a server that died sees its connection break.
    struct Ended {
      Ended(Tasks& all, Exchange& one) : tasks(all), exchange(one) {}
      Ended(const Ended&) = delete;
      Ended& operator=(const Ended&) = delete;
      ~Ended() {
        exchange.ended = true;
        tasks.wake(&exchange, true);
      }
      Tasks& tasks;
      Exchange& exchange;
    };
    const Ended ended(tasks_, *exchange);
    exchange->response = handler(request);
  });
}

// A copy that arrives some time later, perhaps much later: whoever holds the line may replay.
void Network::deliver_again(const std::string& name, net::HttpRequest request) {
  const Nanoseconds delay = std::chrono::milliseconds(
      faults_.dice().chance(500) ? faults_.dice().below(200) : faults_.dice().below(120'000));
  tasks_.start_in(0, [this, name, request = std::move(request), delay] {
    tasks_.sleep(delay);
    const Server& server = servers_[name];
    if (tasks_.alive(server.process)) deliver(server, request, std::make_shared<Exchange>());
  });
}

Result<net::HttpResponse> Network::call(const std::string& from, const std::string& method,
                                        const std::string& url, ByteView body,
                                        const net::Headers& headers) {
  SP_ASSIGN(const net::Url parsed, net::Url::parse(url));
  SP_ASSIGN(net::Target target, net::parse_target(parsed.target));
  const Nanoseconds deadline = tasks_.now() + kTimeout;
  const auto late = [&]() -> Error {
    tasks_.sleep(std::max(deadline - tasks_.now(), Nanoseconds(0)));
    return {Errc::timed_out, "no answer from " + parsed.host};
  };
  tasks_.sleep(faults_.message_delay());
  const auto found = servers_.find(parsed.host);
  if (found == servers_.end() || !tasks_.alive(found->second.process)) {
    return Error{Errc::unavailable, parsed.host + " is down"};
  }
  if (is_cut(from, parsed.host) || faults_.happens(faults_.rates.drop)) return late();
  const Server server = found->second;
  net::HttpRequest request{method, target.path, target.query, headers, to_bytes(body)};
  if (faults_.happens(faults_.rates.duplicate)) deliver_again(parsed.host, request);
  const auto exchange = std::make_shared<Exchange>();
  deliver(server, std::move(request), exchange);
  while (!exchange->ended && tasks_.now() < deadline) {
    tasks_.block(exchange.get(), deadline, Scheduler::AtEnd::may_end);
  }
  if (!exchange->ended || faults_.happens(faults_.rates.drop)) return late();
  if (!exchange->response) return Error{Errc::unavailable, parsed.host + " broke off"};
  tasks_.sleep(faults_.message_delay());
  trace_.note(tasks_.now(), from + " " + method + " " + url.substr(0, url.find('?')) + " " +
                                std::to_string(exchange->response->status));
  return std::move(*exchange->response);
}

}  // namespace sp::sim
