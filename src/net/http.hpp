// HTTP/1.1 (RFC 9112), plain or over TLS 1.2 and 1.3, for our daemons: a server that hands each
// request to a handler, and a client that keeps connections.
//
// The server reads a request whole before it calls the handler, and refuses by itself what isn't
// HTTP: 400, 408 (by closing), 413, 414, 417, 431, and 503 with Retry-After where it is busy.
// Ranges, methods and paths are the handler's business. A response's content-length is the
// server's, save in the answer to HEAD.
//
// Threads: an HttpServer runs its own event loop thread and a bounded pool of workers that call the
// handler, so a handler may block and must be safe to call from several threads at once. An
// HttpClient is safe to call from any thread; each call blocks its caller and has a deadline.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace sp::net {

inline constexpr std::size_t kHeaderSizeMax =
    16 * 1024;                                       ///< request line or status line and all fields
inline constexpr std::size_t kTargetSizeMax = 2048;  ///< path and query of a request
inline constexpr std::size_t kConnectionsMax = 512;  ///< of one server; more are refused with 503
/// Of one peer: an IPv4 address, or the /64 of an IPv6 one; more get 503. One peer can't take all.
inline constexpr std::size_t kConnectionsPerPeerMax = kConnectionsMax / 4;
/// Waiting for a worker, those of each peer in turn. Beyond that the newest of whoever has the most
/// gets 503.
inline constexpr std::size_t kQueuedRequestsMax = 256;
inline constexpr std::size_t kBytesInFlightMax = 256 << 20;  ///< of bodies; more get 503
/// What a busy server's Retry-After says, for connections and requests over the limits above.
inline constexpr std::chrono::seconds kBusyRetryAfter{1};
inline constexpr std::chrono::seconds kIdleTimeout{60};  ///< of a kept connection
inline constexpr std::chrono::seconds kTransferTimeout{
    30};  ///< for a whole header, and without progress in the middle of a body
inline constexpr std::chrono::seconds kMessageTimeout{600};  ///< for a whole request or response
/// What a line carries at least that blobs are moved on, bytes per second (HttpClient::Options).
inline constexpr std::size_t kSlowestLine = 16 * 1024;
inline constexpr std::chrono::milliseconds kStopGrace{500};  ///< for answers under way at a stop

/// Field names in lower case.
using Headers = std::map<std::string, std::string, std::less<>>;

struct HttpRequest {
  std::string method;  ///< "GET"
  std::string path;    ///< percent-decoded, begins with '/'; no control characters, no dot segments
  std::map<std::string, std::string, std::less<>> query;
  Headers headers;  ///< a field that stands twice is joined with ", "
  Bytes body;
};

struct HttpResponse {
  unsigned status = 200;
  Headers headers;
  Bytes body;
};

/// A JSON or text answer with its content type.
HttpResponse text_response(unsigned status, std::string_view content_type, std::string_view body);

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0 = any free one
    std::size_t body_max = 1 << 20;
    unsigned workers = 4;  ///< of which a peer that is counted holds two thirds, or one, at most
    /// 1 to kConnectionsMax. Loopback is exempt unless `count_loopback`: what connects from there
    /// is this machine's own, such as a proxy that stands in front for everybody.
    std::size_t connections_per_peer_max = kConnectionsPerPeerMax;
    bool count_loopback = false;
    /// Of the bodies of all requests and answers under way, at least body_max; a peer that is
    /// counted has a quarter, and body_max at least. Small answers and those that handlers make
    /// right now go beyond it, nothing else.
    std::size_t bytes_in_flight_max = kBytesInFlightMax;
    std::chrono::milliseconds idle_timeout = kIdleTimeout;
    std::chrono::milliseconds transfer_timeout = kTransferTimeout;  ///< and for a TLS handshake
    /// Files in PEM: the certificate with its chain behind it, and its private key. Both or none;
    /// with them the server speaks TLS only.
    std::string certificate_file, key_file;
  };

  /// Listens and serves until it is destroyed; the destructor lets answers under way end for
  /// kStopGrace, then closes everything, and waits for handlers to return. A handler that throws
  /// answers 500. Errc::io where it can't listen; Errc::usage for an address that isn't numeric,
  /// and for certificate and key files that can't be used.
  static Result<std::unique_ptr<HttpServer>> start(const Options& options, Handler handler);
  virtual ~HttpServer() = default;
  /// The port that it listens on.
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

/// "http://host:port/path?query" or "https://..." in parts; an IPv6 host in brackets.
/// Errc::malformed, also for a user name, a fragment, spaces and control characters;
/// Errc::unsupported for another scheme; Errc::too_large over kTargetSizeMax.
struct Url {
  bool tls = false;  ///< https
  std::string host;
  std::uint16_t port = 80;   ///< stated, or that of the scheme
  std::string target = "/";  ///< path and query
  /// 443 for https, 80 for http.
  [[nodiscard]] std::uint16_t default_port() const { return tls ? 443 : 80; }
  static Result<Url> parse(std::string_view text);
};

/// Takes the body of an answer as it comes, on the caller's thread. An error ends the call.
class BodyReceiver {
 public:
  virtual ~BodyReceiver() = default;
  /// Status and fields; once for a call, before the body.
  virtual Status begin(const HttpResponse& head) = 0;
  virtual Status take(ByteView bytes) = 0;
};

/// Whatever carries a call to a server. Safe to call from any thread; each call blocks its caller.
class HttpCaller {
 public:
  virtual ~HttpCaller() = default;
  /// Any answer is a value, whatever its status. The errors are those of the implementation.
  Result<HttpResponse> call(const std::string& method, const std::string& url, ByteView body = {},
                            const Headers& headers = {}) {
    return carry(method, url, body, headers);
  }
  /// GET. The body of a 200 or 206 goes to `receiver` and isn't in the answer; where it breaks off,
  /// the receiver has had what came. Errors as of call(), and the receiver's. This default hands
  /// the body on whole.
  virtual Result<HttpResponse> download(const std::string& url, const Headers& headers,
                                        BodyReceiver& receiver);

 private:
  virtual Result<HttpResponse> carry(const std::string& method, const std::string& url,
                                     ByteView body, const Headers& headers) = 0;
};

/// Over HTTP.
///
/// Errc::unavailable where nobody answers, a TLS handshake fails or the answer breaks off;
/// Errc::refused where an https server's certificate doesn't hold (chain, times, host name);
/// Errc::usage for a CA file that can't be used; Errc::timed_out, Errc::too_large, Errc::malformed,
/// Errc::unsupported. A kept connection that proves dead before the first byte of an answer is
/// replaced once, so a request may reach the server twice. Redirects aren't followed.
class HttpClient final : public HttpCaller {
 public:
  struct Options {
    std::chrono::milliseconds timeout{10'000};  ///< of a whole call, but see `slowest`
    /// Bytes per second: each second's worth that is moved puts the timeout off by a second, up to
    /// kMessageTimeout in all, so that a big body on a slow line isn't cut. 0 = never.
    std::size_t slowest = 0;
    std::size_t body_max = 64 << 20;   ///< of a response
    std::size_t connections_max = 16;  ///< kept per host
    /// Certificates in PEM of those who may vouch for an https server besides the system's: a
    /// network's own services vouch for themselves, and its chain is behind a public certificate.
    std::string ca_file;
  };
  HttpClient();
  explicit HttpClient(const Options& options);
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<HttpResponse> download(const std::string& url, const Headers& headers,
                                BodyReceiver& receiver) override;

 private:
  Result<HttpResponse> carry(const std::string& method, const std::string& url, ByteView body,
                             const Headers& headers) override;

  struct State;
  Result<HttpResponse> perform(const std::string& method, const std::string& url, ByteView body,
                               const Headers& headers, BodyReceiver* receiver);

  std::unique_ptr<State> state_;
};

}  // namespace sp::net
