// TLS 1.2 and 1.3 for client and server. Only for .cpp files of this room, behind coroutines.hpp
// where that is included as well.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <memory>

#include "net/deadline_stream.hpp"
#include "net/http.hpp"

namespace sp::net {

/// DeadlineStream as asio::ssl::stream takes it: with an executor, which synchronous calls don't
/// use.
class TlsTransport : public DeadlineStream {
 public:
  using lowest_layer_type = TlsTransport;
  using executor_type = boost::asio::io_context::executor_type;

  TlsTransport(Fd socket, executor_type executor);
  lowest_layer_type& lowest_layer() { return *this; }
  [[nodiscard]] const lowest_layer_type& lowest_layer() const { return *this; }
  executor_type get_executor() { return executor_; }

 private:
  executor_type executor_;
};

/// Belongs to one thread at a time.
using TlsStream = boost::asio::ssl::stream<TlsTransport>;

/// What the connections of a client share. Safe to call from any thread; outlives its streams.
class TlsClient {
 public:
  /// Trusts the certificates in `ca_file`, or the system's where it is empty. Errc::usage.
  static Result<std::unique_ptr<TlsClient>> make(const std::string& ca_file);

  /// Shakes hands over a connected socket: the server's chain, times and name (or address) must
  /// hold. Errc::refused with why the certificate doesn't; Errc::unavailable, Errc::timed_out.
  Result<std::unique_ptr<TlsStream>> connect(Fd socket, const Url& url,
                                             DeadlineStream::SteadyTime deadline);

 private:
  TlsClient();

  boost::asio::io_context never_run_{1};
  boost::asio::ssl::context context_;
};

/// Loads certificate (with its chain) and private key, both PEM. Errc::usage.
Status load_server_files(boost::asio::ssl::context& context, const std::string& certificate_file,
                         const std::string& key_file);

/// A server's context: TLS 1.2 at least, and no certificate yet.
boost::asio::ssl::context make_server_context();

}  // namespace sp::net
