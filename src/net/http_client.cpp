#include "net/http.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstring>
#include <mutex>

#include "net/deadline_stream.hpp"
#include "net/fields.hpp"

namespace sp::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;
using RequestMessage = http::request<http::span_body<const std::uint8_t>>;
using ResponseParser = http::response_parser<http::vector_body<std::uint8_t>>;

constexpr std::size_t kBufferMax = kHeaderSizeMax + 64 * 1024;
constexpr std::size_t kHostsMax = 64;         // with kept connections
constexpr int kAddressesMax = 8;              // of one host, tried in turn
constexpr int kInterimResponsesMax = 8;       // 1xx before the answer
constexpr std::chrono::seconds kKeepMax{50};  // less than our servers keep an idle connection

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

Error unavailable(const Url& url, std::string_view what) {
  return {Errc::unavailable,
          url.host + " port " + std::to_string(url.port) + ": " + std::string(what)};
}

Error timed_out(const Url& url) {
  return {Errc::timed_out,
          url.host + " port " + std::to_string(url.port) + ": no answer within the limit"};
}

// A connected socket to one address; errno's words in an error.
Result<Fd> connect_to(const addrinfo& address, const Url& url, SteadyTime deadline) {
  Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return errno_error("socket");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return unavailable(url, std::strerror(errno));
    if (wait_for(socket.get(), POLLOUT, deadline) == 0) return timed_out(url);
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return unavailable(url, std::strerror(failure));
  }
  return socket;
}

Result<Fd> connect_host(const Url& url, SteadyTime deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(url.port);
  const int failure = ::getaddrinfo(url.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return unavailable(url, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, AddressListDeleter> list(found);
  Result<Fd> connected = unavailable(url, "has no address");
  int tries = 0;
  for (const addrinfo* at = list.get(); at != nullptr && tries < kAddressesMax; ++tries) {
    connected = connect_to(*at, url, deadline);
    if (connected || connected.error().code == Errc::timed_out) break;
    at = at->ai_next;
  }
  return connected;
}

struct Connection {
  explicit Connection(Fd socket) : stream(std::move(socket)), buffer(kBufferMax) {}

  DeadlineStream stream;
  beast::flat_buffer buffer;
  SteadyTime kept_since;
};

using ConnectionPtr = std::unique_ptr<Connection>;

Result<RequestMessage> make_request(const std::string& method, const Url& url, ByteView body,
                                    const Headers& headers) {
  if (!field_valid(method, "")) return Error{Errc::malformed, "bad HTTP method"};
  RequestMessage message;
  message.version(11);
  message.method_string(method);
  message.target(url.target);
  const bool address = url.host.find(':') != std::string::npos;
  const std::string host = address ? "[" + url.host + "]" : url.host;
  message.set(http::field::host, url.port == 80 ? host : host + ":" + std::to_string(url.port));
  for (const auto& [name, value] : headers) {
    if (!field_valid(name, value)) return Error{Errc::malformed, "bad HTTP field " + name};
    message.set(name, value);
  }
  message.body() = beast::span<const std::uint8_t>(body.data(), body.size());
  message.erase(http::field::transfer_encoding);
  message.prepare_payload();
  return message;
}

HttpResponse take_response(ResponseParser& parser) {
  auto message = parser.release();
  HttpResponse response;
  response.status = message.result_int();
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string value(field.value());
    const auto [place, fresh] = response.headers.try_emplace(std::move(name), value);
    if (!fresh) place->second += ", " + value;
  }
  response.body = std::move(message.body());
  return response;
}

Error reading_error(const error_code& failure, const Url& url, std::size_t body_max) {
  if (failure == boost::asio::error::timed_out) return timed_out(url);
  if (failure == http::error::body_limit) {
    return {Errc::too_large, "the answer's body is over " + std::to_string(body_max) + " bytes"};
  }
  if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
    return {Errc::too_large,
            "the answer's header is over " + std::to_string(kHeaderSizeMax) + " bytes"};
  }
  if (failure == http::error::end_of_stream || failure == http::error::partial_message) {
    return unavailable(url, "the connection ended before the answer did");
  }
  if (failure.category() == make_error_code(http::error::bad_method).category()) {
    return {Errc::malformed, "the answer isn't HTTP: " + failure.message()};
  }
  return unavailable(url, failure.message());
}

// One request and its answer over one connection.
struct Exchange {
  Result<HttpResponse> response;
  bool reusable = false;  // the connection can take another request
  bool stale = false;     // it ended before any byte of an answer
};

Exchange failed(Error error, bool stale = false) { return {std::move(error), false, stale}; }

Exchange exchange(Connection& connection, const RequestMessage& request, const Url& url,
                  std::size_t body_max) {
  error_code write_failure;
  http::write(connection.stream, request, write_failure);
  if (write_failure == boost::asio::error::timed_out) return failed(timed_out(url));
  // A peer that refuses a request may answer and close before it has read it all, so an answer is
  // looked for even after a failed write.
  for (int interim = 0; interim <= kInterimResponsesMax; ++interim) {
    ResponseParser parser;
    parser.header_limit(kHeaderSizeMax);
    parser.body_limit(body_max);
    parser.skip(request.method() == http::verb::head);
    error_code failure;
    http::read(connection.stream, connection.buffer, parser, failure);
    if (failure) {
      const bool ended = failure == http::error::end_of_stream ||
                         failure == boost::system::errc::connection_reset ||
                         failure == boost::system::errc::broken_pipe;
      const bool stale = ended && interim == 0 && !parser.got_some();
      return failed(reading_error(failure, url, body_max), stale);
    }
    if (parser.get().result_int() / 100 == 1) continue;
    const bool reusable = !write_failure && parser.keep_alive() && connection.buffer.size() == 0;
    return {take_response(parser), reusable, false};
  }
  return failed({Errc::malformed, "too many interim answers"});
}

}  // namespace

struct HttpClient::State {
  explicit State(const Options& chosen) : options(chosen) {}

  // A kept connection on which nothing has happened since, or none.
  ConnectionPtr take(const std::string& host) {
    const std::lock_guard lock(mutex);
    const auto found = kept.find(host);
    if (found == kept.end()) return nullptr;
    auto& list = found->second;
    while (!list.empty()) {
      ConnectionPtr connection = std::move(list.back());
      list.pop_back();
      if (SteadyClock::now() - connection->kept_since > kKeepMax)
        list.clear();
      else if (!connection->stream.is_readable_now())
        return connection;
    }
    return nullptr;
  }

  void keep(const std::string& host, ConnectionPtr connection) {
    connection->kept_since = SteadyClock::now();
    const std::lock_guard lock(mutex);
    if (kept.size() >= kHostsMax && !kept.contains(host)) kept.clear();
    auto& list = kept[host];
    if (list.size() < options.connections_max) list.push_back(std::move(connection));
  }

  const Options options;
  std::mutex mutex;
  std::map<std::string, std::vector<ConnectionPtr>> kept;  // by "host:port", newest last
};

HttpClient::HttpClient() : HttpClient(Options{}) {}
HttpClient::HttpClient(const Options& options) : state_(std::make_unique<State>(options)) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::call(const std::string& method, const std::string& url_text,
                                      ByteView body, const Headers& headers) {
  const SteadyTime deadline = SteadyClock::now() + state_->options.timeout;
  SP_ASSIGN(const Url url, Url::parse(url_text));
  SP_ASSIGN(const RequestMessage request, make_request(method, url, body, headers));
  const std::string host = url.host + ":" + std::to_string(url.port);
  ConnectionPtr connection = state_->take(host);
  bool fresh = connection == nullptr;
  for (;;) {
    if (fresh) {
      SP_ASSIGN(Fd socket, connect_host(url, deadline));
      connection = std::make_unique<Connection>(std::move(socket));
    }
    connection->stream.set_deadline(deadline);
    Exchange done = exchange(*connection, request, url, state_->options.body_max);
    if (done.reusable) state_->keep(host, std::move(connection));
    if (!done.stale || fresh) return std::move(done.response);
    fresh = true;
  }
}

}  // namespace sp::net
