#include "net/http.hpp"

#include "net/coroutines.hpp"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <set>
#include <thread>

#include "base/log.hpp"
#include "net/fields.hpp"
#include "net/peers.hpp"
#include "net/request_reading.hpp"
#include "net/server_connection.hpp"
#include "net/tls.hpp"
#include "net/tls_socket.hpp"
#include "net/workers.hpp"

namespace sp::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;
using Body = http::vector_body<std::uint8_t>;
using Parser = RequestParser;

constexpr std::size_t kBufferMax = kHeaderSizeMax + 64 * 1024;
constexpr std::size_t kFirstRead = 4096;
constexpr std::size_t kBodyPiece = 128 * 1024;         // of a body, read at once
constexpr std::chrono::milliseconds kAcceptPause{50};  // where descriptors run out
constexpr std::chrono::milliseconds kLingerTime{500};  // so that a refusal is read before the reset
constexpr std::size_t kLingerBytes = 1 << 20;
// Connections over TLS that are told at once that there is no room for them, and for how long.
constexpr std::size_t kTurnedAwayMax = 16;
constexpr std::chrono::seconds kTurnAwayTime{2};
// Errors as net/problem.hpp writes them. The number of the field is kBusyRetryAfter's.
constexpr std::string_view kBusyHead =
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
    "content-type: application/json\r\ncontent-length: ";
static_assert(kBusyRetryAfter == std::chrono::seconds(1));
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

auto into(error_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

std::string_view listening_advice(const error_code& failure) {
  if (failure == asio::error::address_in_use) {
    return "; another program listens there: stop it, or choose another port";
  }
  if (failure == asio::error::access_denied) {
    return "; ports below 1024 need a privilege: choose another port";
  }
  // By the system's number: asio has no name for it.
  if (failure == boost::system::errc::address_not_available) {
    return "; this machine has no such address: choose one that it has, or 0.0.0.0 for all";
  }
  return "";
}

using PlainStream = beast::tcp_stream;

HttpResponse call_handler(const HttpServer::Handler& handler, const HttpRequest& request) {
  try {
    HttpResponse response = handler(request);
    const bool fields_valid =
        std::all_of(response.headers.begin(), response.headers.end(),
                    [](const auto& field) { return field_valid(field.first, field.second); });
    if (fields_valid && response.status >= 200 && response.status <= 599) return response;
    log(LogLevel::error, "http_response_invalid", {{"path", request.path}});
  } catch (const std::exception& failure) {
    log(LogLevel::error, "http_handler_threw", {{"path", request.path}, {"what", failure.what()}});
  }
  return refusal(500, "internal error");
}

class Server final : public HttpServer {
 public:
  Server(const Options& options, Handler handler)
      : options_(options),
        handler_(std::move(handler)),
        bytes_(bytes_for(options)),
        workers_(options.workers) {}

  ~Server() override {
    if (!loop_thread_.joinable()) return;
    refusing_ = true;
    asio::post(loop_, [this] { stop(); });
    loop_thread_.join();  // ends when the last connection has ended
  }

  Status listen() {
    if (options_.certificate_file.empty() != options_.key_file.empty()) {
      return Error{Errc::usage, "certificate and key files: both or none"};
    }
    if (!options_.certificate_file.empty()) {
      tls_ = make_server_context();
      SP_TRY(load_server_files(*tls_, options_.certificate_file, options_.key_file));
    }
    return listen_on_port();
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  using Task = asio::awaitable<void>;

  // A peer has a quarter, as of connections.
  [[nodiscard]] static BytesUnderWay bytes_for(const Options& options) {
    const std::size_t max = std::max(options.bytes_in_flight_max, options.body_max);
    return {max, std::max(max / 4, options.body_max)};
  }

  Status listen_on_port() {
    error_code failure;
    const auto address = asio::ip::make_address(options_.address, failure);
    if (failure) {
      return Error{Errc::usage, "listen: \"" + options_.address +
                                    "\" isn't an IP address, such as 127.0.0.1, 0.0.0.0 or ::1"};
    }
    const tcp::endpoint endpoint(address, options_.port);
    acceptor_.open(endpoint.protocol(), failure);
    if (!failure) acceptor_.set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) acceptor_.bind(endpoint, failure);
    if (!failure) acceptor_.listen(asio::socket_base::max_listen_connections, failure);
    if (failure) {
      return Error{Errc::io, "listen on " + options_.address + " port " +
                                 std::to_string(options_.port) + ": " + failure.message() +
                                 std::string(listening_advice(failure))};
    }
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(loop_, accept(), asio::detached);
    loop_thread_ = std::thread([this] { loop_.run(); });
    return {};
  }

  void stop() {
    stopping_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    for (Connection* connection : connections_) {
      if (connection->idle) connection->close();
    }
    for (Connection* connection : turned_away_) connection->close();
    if (connections_.empty()) return;
    grace_.expires_after(kStopGrace);
    grace_.async_wait([this](const error_code& failure) {
      if (failure) return;
      for (Connection* connection : connections_) connection->close();
    });
  }

  Task accept() {
    while (!stopping_) {
      error_code failure;
      tcp::socket socket(loop_);
      co_await acceptor_.async_accept(socket, into(failure));
      if (stopping_) break;
      if (failure) {
        accept_pause_.expires_after(kAcceptPause);
        co_await accept_pause_.async_wait(into(failure));
        continue;
      }
      socket.set_option(tcp::no_delay(true), failure);
      std::string peer =
          peer_name(socket.remote_endpoint(failure).address(), options_.count_loopback);
      if (const std::string_view full = full_for(peer); !full.empty()) {
        turn_away(std::move(socket), full);
      } else if (tls_) {
        asio::co_spawn(loop_, serve_tls(std::move(socket), std::move(peer)), asio::detached);
      } else {
        asio::co_spawn(loop_, serve_plain(std::move(socket), std::move(peer)), asio::detached);
      }
    }
  }

  // Why this peer gets no connection; empty where it does.
  [[nodiscard]] std::string_view full_for(const std::string& peer) const {
    if (connections_.size() >= kConnectionsMax) return "too many connections";
    const bool many = peers_.count(peer) >= options_.connections_per_peer_max;
    return many ? "too many connections from this address" : "";
  }

  void turn_away(tcp::socket socket, std::string_view why) {
    if (tls_) {
      // A word costs a handshake: beyond so many at once it is closed without one.
      if (turned_away_.size() >= kTurnedAwayMax) return;
      asio::co_spawn(loop_, turn_away_tls(std::move(socket), why), asio::detached);
      return;
    }
    const Bytes body = busy(why).body;
    const std::string answer = std::string(kBusyHead) + std::to_string(body.size()) + "\r\n\r\n" +
                               std::string(as_text(body));
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(answer), 0, ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  Task turn_away_tls(tcp::socket socket, std::string_view why) {
    StreamConnection<TlsSocket> connection(kBufferMax, std::move(socket), *tls_);
    turned_away_.insert(&connection);
    connection.limit(kTurnAwayTime);
    error_code failure;
    co_await connection.stream.async_handshake(into(failure));
    if (!failure && !stopping_ && co_await write(connection, busy(why), false, false)) {
      co_await linger(connection);
    }
    connection.close();
    turned_away_.erase(&connection);
  }

  void enter(Connection& connection, std::string peer) {
    connections_.insert(&connection);
    connection.peer = std::move(peer);
    peers_.enter(connection.peer);
  }

  void leave(Connection& connection) {
    connections_.erase(&connection);
    peers_.leave(connection.peer);
  }

  Task serve_plain(tcp::socket socket, std::string peer) {
    StreamConnection<PlainStream> connection(kBufferMax, std::move(socket));
    enter(connection, std::move(peer));
    co_await serve(connection, Next::keep);
  }

  Task serve_tls(tcp::socket socket, std::string peer) {
    StreamConnection<TlsSocket> connection(kBufferMax, std::move(socket), *tls_);
    enter(connection, std::move(peer));
    connection.limit(options_.transfer_timeout);
    error_code failure;
    co_await connection.stream.async_handshake(into(failure));
    co_await serve(connection, failure ? Next::close : Next::keep);
  }

  template <class Stream>
  Task serve(StreamConnection<Stream>& connection, Next next) {
    while (next == Next::keep && !stopping_) next = co_await serve_one(connection);
    if (next == Next::linger && !stopping_) co_await linger(connection);
    connection.close();
    leave(connection);
    if (stopping_ && connections_.empty()) grace_.cancel();
  }

  template <class Stream>
  asio::awaitable<Next> serve_one(StreamConnection<Stream>& connection) {
    if (!co_await first_bytes(connection)) co_return Next::close;
    connection.idle = false;
    Parser parser;
    parser.header_limit(kHeaderSizeMax);
    parser.body_limit(options_.body_max);
    error_code failure;
    connection.limit(options_.transfer_timeout);
    co_await http::async_read_header(connection.stream, connection.buffer, parser, into(failure));
    std::optional<HttpResponse> refused;
    if (failure) {
      refused = refusal_of(failure, parser);
      if (!refused) co_return Next::close;
    } else {
      refused = refusal_of_header(parser);
    }
    Target target;
    if (!refused) {
      auto parsed = parse_target({parser.get().target().data(), parser.get().target().size()});
      if (parsed) {
        target = std::move(*parsed);
      } else {
        refused = refusal(400, parsed.error().message);
      }
    }
    BytesHeld held(bytes_, connection.peer);
    if (!refused && !held.take(declared_size(parser, options_.body_max))) {
      refused = busy("too many bytes are under way");
    }
    if (!refused) {
      failure = co_await read_body(connection, parser);
      if (failure) refused = refusal_of(failure, parser);
      if (failure && !refused) co_return Next::close;
    }
    const bool head_only = parser.get().method() == http::verb::head;
    if (refused) {
      co_await write(connection, std::move(*refused), false, head_only);
      co_return Next::linger;
    }
    const bool keep = parser.keep_alive();
    HttpResponse response =
        co_await answer(connection.peer, take_request(parser, std::move(target)));
    if (!held.take_answer(response.body.size())) response = busy("too many bytes are under way");
    const bool kept = keep && !stopping_;
    const bool written = co_await write(connection, std::move(response), kept, head_only);
    connection.idle = true;
    co_return written&& kept ? Next::keep : Next::close;
  }

  // Waits for the first byte of the next request.
  template <class Stream>
  asio::awaitable<bool> first_bytes(StreamConnection<Stream>& connection) {
    if (connection.buffer.size() > 0) co_return true;
    error_code failure;
    connection.limit(options_.idle_timeout);
    const std::size_t got = co_await connection.stream.async_read_some(
        connection.buffer.prepare(kFirstRead), into(failure));
    connection.buffer.commit(got);
    co_return !failure;
  }

  template <class Stream>
  asio::awaitable<error_code> read_body(StreamConnection<Stream>& connection, Parser& parser) {
    error_code failure;
    if (!parser.is_done() && connection.buffer.size() == 0 &&
        !parser.get()[http::field::expect].empty()) {
      connection.limit(options_.transfer_timeout);
      co_await connection.stream.async_write_some(asio::buffer(kContinue), into(failure));
    }
    const auto limit = SteadyClock::now() + kMessageTimeout;
    const auto size = parser.content_length();
    Bytes& body = parser.get().body();
    if (size) begin_body(body, static_cast<std::size_t>(*size), connection.buffer);
    while (!failure && (size ? body.size() < *size : !parser.is_done())) {
      if (SteadyClock::now() > limit) co_return beast::error::timeout;
      connection.limit(options_.transfer_timeout);
      if (!size) {
        co_await http::async_read_some(connection.stream, connection.buffer, parser, into(failure));
        continue;
      }
      // A body whose size is known comes straight to its place.
      const std::size_t had = body.size();
      body.resize(std::min(static_cast<std::size_t>(*size), had + kBodyPiece));
      const std::size_t got = co_await connection.stream.async_read_some(
          asio::buffer(body.data() + had, body.size() - had), into(failure));
      body.resize(had + got);
    }
    co_return failure;
  }

  // Calls the handler on a worker.
  asio::awaitable<HttpResponse> answer(const std::string& peer, HttpRequest request) {
    auto pending = std::make_shared<Pending>(loop_, std::move(request));
    const auto run = [this, pending]() mutable {
      pending->response =
          refusing_ ? busy("the server stops") : call_handler(handler_, pending->request);
      asio::post(loop_, [pending = std::move(pending)] { pending->end(); });
    };
    const auto refuse = [pending] {
      pending->response = busy("too many requests wait");
      pending->end();
    };
    workers_.submit(peer, {run, refuse});
    error_code ignored;
    while (!pending->done) co_await pending->ended.async_wait(into(ignored));
    co_return std::move(pending->response);
  }

  template <class Stream>
  asio::awaitable<bool> write(StreamConnection<Stream>& connection, HttpResponse response,
                              bool keep, bool head_only) {
    http::response<Body> message(static_cast<http::status>(response.status), 11);
    for (const auto& [name, value] : response.headers) message.set(name, value);
    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) message.body() = std::move(response.body);
    message.erase(http::field::transfer_encoding);
    if (bodiless) {
      message.erase(http::field::content_length);
    } else if (!head_only || message.count(http::field::content_length) == 0) {
      message.prepare_payload();
    }
    message.keep_alive(keep);
    http::response_serializer<Body> serializer(message);
    serializer.split(head_only);
    const auto limit = SteadyClock::now() + kMessageTimeout;
    error_code failure;
    while (!failure && !(head_only ? serializer.is_header_done() : serializer.is_done())) {
      if (SteadyClock::now() > limit) co_return false;
      connection.limit(options_.transfer_timeout);
      co_await http::async_write_some(connection.stream, serializer, into(failure));
    }
    co_return !failure;
  }

  // Reads and drops what a refused peer still sends: closing at once would reset the connection and
  // could take the refusal from it.
  template <class Stream>
  Task linger(StreamConnection<Stream>& connection) {
    error_code failure;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, failure);
    connection.buffer.clear();
    connection.limit(kLingerTime);
    for (std::size_t dropped = 0; !failure && dropped < kLingerBytes;) {
      const std::size_t got = co_await connection.stream.async_read_some(
          connection.buffer.prepare(kFirstRead), into(failure));
      dropped += got;
    }
  }

  const Options options_;
  const Handler handler_;
  std::optional<asio::ssl::context> tls_;  // set where the server speaks TLS
  asio::io_context loop_{1};
  tcp::acceptor acceptor_{loop_};
  asio::steady_timer accept_pause_{loop_};
  asio::steady_timer grace_{loop_};
  Peers peers_;                        // loop's thread only
  std::set<Connection*> connections_;  // loop's thread only
  std::set<Connection*> turned_away_;  // loop's thread only
  BytesUnderWay bytes_;                // loop's thread only
  bool stopping_ = false;              // loop's thread only
  std::atomic<bool> refusing_ = false;
  std::uint16_t port_ = 0;
  Workers workers_;
  std::thread loop_thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Options& options, Handler handler) {
  SP_CHECK(options.workers > 0 && handler != nullptr);
  auto server = std::make_unique<Server>(options, std::move(handler));
  SP_TRY(server->listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

HttpResponse text_response(unsigned status, std::string_view content_type, std::string_view body) {
  HttpResponse response;
  response.status = status;
  response.headers["content-type"] = content_type;
  response.body = to_bytes(as_bytes(body));
  return response;
}

}  // namespace sp::net
