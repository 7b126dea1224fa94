// TLS 1.2 and 1.3 for client and server. Only for .cpp files of this room, behind coroutines.hpp
// where that is included as well.
#pragma once

#include <boost/asio/ssl.hpp>
#include <memory>

#include "net/deadline_stream.hpp"
#include "net/http.hpp"
#include "net/tls_session.hpp"

namespace sp::net {

/// A client's connection as a Beast synchronous stream. Belongs to one thread at a time.
class TlsStream final : private TlsSession::Wire {
 public:
  using ErrorCode = boost::system::error_code;

  /// Takes a connected, non-blocking socket; the deadline is set at next_layer().
  TlsStream(Fd socket, boost::asio::ssl::context& context);
  DeadlineStream& next_layer() { return transport_; }
  [[nodiscard]] SSL* native_handle() const { return session_.native_handle(); }
  /// Whether received bytes wait inside.
  [[nodiscard]] bool holds_input() const { return session_.holds_input(); }
  void handshake(ErrorCode& failure);

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, ErrorCode& failure) {
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::mutable_buffer part(*at);
      if (part.size() > 0) {
        return read({static_cast<std::uint8_t*>(part.data()), part.size()}, failure);
      }
    }
    failure = {};
    return 0;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, ErrorCode& failure) {
    failure = {};
    std::size_t taken = 0;
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         !failure && taken < kSealedAtOnce && at != boost::asio::buffer_sequence_end(buffers);
         ++at) {
      const boost::asio::const_buffer part(*at);
      const std::size_t size = std::min(part.size(), kSealedAtOnce - taken);
      seal({static_cast<const std::uint8_t*>(part.data()), size}, failure);
      taken += size;
    }
    if (!failure) send_sealed(failure);
    return failure ? 0 : taken;
  }
  // What Beast wants to see of a stream; it calls those above.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return checked([&](ErrorCode& failure) { return read_some(buffers, failure); });
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return checked([&](ErrorCode& failure) { return write_some(buffers, failure); });
  }

 private:
  template <class Call>
  static std::size_t checked(const Call& call) {
    ErrorCode failure;
    const std::size_t size = call(failure);
    if (failure) BOOST_THROW_EXCEPTION(boost::system::system_error(failure));
    return size;
  }
  std::size_t read(MutableByteView out, ErrorCode& failure);
  void seal(ByteView bytes, ErrorCode& failure);
  void send_sealed(ErrorCode& failure);
  ErrorCode why() const;
  std::ptrdiff_t receive(MutableByteView out, TlsSession::Patience patience) override;

  DeadlineStream transport_;
  ErrorCode wire_failure_;
  TlsSession session_;
};

/// What the connections of a client share. Safe to call from any thread; outlives its streams.
class TlsClient {
 public:
  /// Trusts the system's certificates (of SSL_CERT_FILE and SSL_CERT_DIR where they are set), and
  /// those in `ca_file` where it isn't empty. Errc::usage.
  static Result<std::unique_ptr<TlsClient>> make(const std::string& ca_file);

  /// Shakes hands over a connected socket: the server's chain, times and name (or address) must
  /// hold. Errc::refused with why the certificate doesn't; Errc::unavailable, Errc::timed_out.
  Result<std::unique_ptr<TlsStream>> connect(Fd socket, const Url& url,
                                             DeadlineStream::SteadyTime deadline);

 private:
  TlsClient();

  boost::asio::ssl::context context_;
};

/// Loads certificate (with its chain) and private key, both PEM. Errc::usage.
Status load_server_files(boost::asio::ssl::context& context, const std::string& certificate_file,
                         const std::string& key_file);

/// A server's context: TLS 1.2 at least, and no certificate yet.
boost::asio::ssl::context make_server_context();

}  // namespace sp::net
