#include "net/http.hpp"

#include "net/coroutines.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <mutex>
#include <variant>

#include "net/connect.hpp"
#include "net/fields.hpp"
#include "net/tls.hpp"

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
constexpr std::size_t kPieceSize = 64 * 1024;  // of a body that is handed on
constexpr std::size_t kHostsMax = 64;          // with kept connections
constexpr unsigned kStatusMax = 599;
constexpr int kInterimResponsesMax = 8;       // 1xx before the answer
constexpr std::chrono::seconds kKeepMax{50};  // less than our servers keep an idle connection

struct Connection {
  explicit Connection(Fd socket) : stream(DeadlineStream(std::move(socket))), buffer(kBufferMax) {}
  explicit Connection(std::unique_ptr<TlsStream> tls)
      : stream(std::move(tls)), buffer(kBufferMax) {}

  DeadlineStream& transport() {
    auto* tls = std::get_if<std::unique_ptr<TlsStream>>(&stream);
    return tls != nullptr ? (*tls)->next_layer() : std::get<DeadlineStream>(stream);
  }
  // Whether nothing has come that nobody has asked for.
  bool is_quiet() {
    auto* tls = std::get_if<std::unique_ptr<TlsStream>>(&stream);
    const bool pending = tls != nullptr && (*tls)->holds_input();
    return !pending && buffer.size() == 0;
  }

  std::variant<DeadlineStream, std::unique_ptr<TlsStream>> stream;
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
  message.set(http::field::host,
              url.port == url.default_port() ? host : host + ":" + std::to_string(url.port));
  for (const auto& [name, value] : headers) {
    if (!field_valid(name, value)) return Error{Errc::malformed, "bad HTTP field " + name};
    message.set(name, value);
  }
  message.body() = beast::span<const std::uint8_t>(body.data(), body.size());
  message.erase(http::field::transfer_encoding);
  message.prepare_payload();
  return message;
}

template <class Message>
HttpResponse head_of(const Message& message) {
  HttpResponse response;
  response.status = message.result_int();
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string value(field.value());
    const auto [place, fresh] = response.headers.try_emplace(std::move(name), value);
    if (!fresh) place->second += ", " + value;
  }
  return response;
}

HttpResponse take_response(ResponseParser& parser) {
  auto message = parser.release();
  HttpResponse response = head_of(message);
  response.body = std::move(message.body());
  return response;
}

// Whether the peer closed. TLS that ends without its farewell has been cut off, maybe by others, so
// it ends no body.
bool has_ended(const error_code& failure) {
  return failure == http::error::end_of_stream || failure == http::error::partial_message ||
         failure == boost::asio::ssl::error::stream_truncated;
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
  if (has_ended(failure)) {
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

// Hands on the body behind a header that has been read.
template <class Stream>
Exchange receive(Stream& stream, Connection& connection, ResponseParser& header, const Url& url,
                 std::size_t body_max, BodyReceiver& receiver) {
  HttpResponse head = head_of(header.get());
  if (const Status begun = receiver.begin(head); !begun) return failed(begun.error());
  if (header.is_done()) return {std::move(head), header.keep_alive(), false};
  http::response_parser<http::buffer_body> parser(std::move(header));
  parser.body_limit(body_max);
  Bytes piece(kPieceSize);
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    error_code failure;
    http::read(stream, connection.buffer, parser, failure);
    const std::size_t got = piece.size() - body.size;
    if (got > 0) {
      if (const Status taken = receiver.take(ByteView(piece).first(got)); !taken) {
        return failed(taken.error());
      }
    }
    if (failure && failure != http::error::need_buffer) {
      return failed(reading_error(failure, url, body_max));
    }
  }
  return {std::move(head), parser.keep_alive() && connection.is_quiet(), false};
}

template <class Stream>
Exchange exchange(Stream& stream, Connection& connection, const RequestMessage& request,
                  const Url& url, std::size_t body_max, BodyReceiver* receiver) {
  error_code write_failure;
  http::write(stream, request, write_failure);
  if (write_failure == boost::asio::error::timed_out) return failed(timed_out(url));
  // A peer that refuses a request may answer and close before it has read it all, so an answer is
  // looked for even after a failed write.
  for (int interim = 0; interim <= kInterimResponsesMax; ++interim) {
    ResponseParser parser;
    parser.header_limit(kHeaderSizeMax);
    parser.body_limit(body_max);
    parser.skip(request.method() == http::verb::head);
    error_code failure;
    // The header for itself first: Beast 1.74 forgets that a body is over the limit where some of
    // the body lies behind the header already.
    http::read_header(stream, connection.buffer, parser, failure);
    const unsigned status = parser.get().result_int();
    if (!failure && receiver != nullptr && (status == 200 || status == 206)) {
      return receive(stream, connection, parser, url, body_max, *receiver);
    }
    if (!failure) http::read(stream, connection.buffer, parser, failure);
    if (failure) {
      const bool ended = has_ended(failure) || failure == boost::system::errc::connection_reset ||
                         failure == boost::system::errc::broken_pipe;
      const bool stale = ended && interim == 0 && !parser.got_some();
      return failed(reading_error(failure, url, body_max), stale);
    }
    if (status < 100 || status > kStatusMax) {  // RFC 9110 section 15; Beast takes any three digits
      return failed(
          {Errc::malformed, "the answer's status " + std::to_string(status) + " is none"});
    }
    if (status / 100 == 1) continue;
    const bool reusable = !write_failure && parser.keep_alive() && connection.is_quiet();
    return {take_response(parser), reusable, false};
  }
  return failed({Errc::malformed, "too many interim answers"});
}

Exchange exchange(Connection& connection, const RequestMessage& request, const Url& url,
                  std::size_t body_max, BodyReceiver* receiver) {
  if (auto* tls = std::get_if<std::unique_ptr<TlsStream>>(&connection.stream)) {
    return exchange(**tls, connection, request, url, body_max, receiver);
  }
  return exchange(std::get<DeadlineStream>(connection.stream), connection, request, url, body_max,
                  receiver);
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
      else if (!connection->transport().is_readable_now())
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

  Result<ConnectionPtr> connect(const Url& url, SteadyTime deadline) {
    SP_ASSIGN(Fd socket, connect_host(url, deadline));
    if (!url.tls) return std::make_unique<Connection>(std::move(socket));
    SP_ASSIGN(TlsClient * client, tls_client());
    SP_ASSIGN(auto stream, client->connect(std::move(socket), url, deadline));
    return std::make_unique<Connection>(std::move(stream));
  }

  // Made when first needed: reading the system's certificates takes its time.
  Result<TlsClient*> tls_client() {
    const std::lock_guard lock(mutex);
    if (tls == nullptr) {
      SP_ASSIGN(tls, TlsClient::make(options.ca_file));
    }
    return tls.get();
  }

  const Options options;
  std::mutex mutex;
  std::unique_ptr<TlsClient> tls;  // made under mutex; outlives its connections
  std::map<std::string, std::vector<ConnectionPtr>> kept;  // by "scheme host:port", newest last
};

HttpClient::HttpClient() : HttpClient(Options{}) {}
HttpClient::HttpClient(const Options& options) : state_(std::make_unique<State>(options)) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpCaller::download(const std::string& url, const Headers& headers,
                                          BodyReceiver& receiver) {
  SP_ASSIGN(HttpResponse answer, carry("GET", url, {}, headers));
  if (answer.status != 200 && answer.status != 206) return answer;
  const Bytes body = std::exchange(answer.body, {});
  SP_TRY(receiver.begin(answer));
  SP_TRY(receiver.take(body));
  return answer;
}

Result<HttpResponse> HttpClient::carry(const std::string& method, const std::string& url,
                                       ByteView body, const Headers& headers) {
  return perform(method, url, body, headers, nullptr);
}

Result<HttpResponse> HttpClient::download(const std::string& url, const Headers& headers,
                                          BodyReceiver& receiver) {
  return perform("GET", url, {}, headers, &receiver);
}

Result<HttpResponse> HttpClient::perform(const std::string& method, const std::string& url_text,
                                         ByteView body, const Headers& headers,
                                         BodyReceiver* receiver) {
  const Options& options = state_->options;
  const SteadyTime started = SteadyClock::now();
  const SteadyTime deadline = started + options.timeout;
  SP_ASSIGN(const Url url, Url::parse(url_text));
  SP_ASSIGN(const RequestMessage request, make_request(method, url, body, headers));
  const std::string host =
      (url.tls ? "https " : "http ") + url.host + ":" + std::to_string(url.port);
  ConnectionPtr connection = state_->take(host);
  bool fresh = connection == nullptr;
  for (;;) {
    if (fresh) {
      SP_ASSIGN(connection, state_->connect(url, deadline));
    }
    connection->transport().set_deadline(deadline, options.slowest, started + kMessageTimeout);
    Exchange done = exchange(*connection, request, url, options.body_max, receiver);
    if (done.reusable) state_->keep(host, std::move(connection));
    if (!done.stale || fresh) return std::move(done.response);
    fresh = true;
  }
}

}  // namespace sp::net
