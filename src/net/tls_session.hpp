// TLS over any wire: OpenSSL reads records straight from the wire, and what it seals is collected
// until the owner sends it, so that one system call moves several records. Only for .cpp files of
// this room, behind coroutines.hpp where that is included as well. Belongs to one thread at a time.
#pragma once

#include <boost/asio/ssl.hpp>
#include <memory>

#include "base/bytes.hpp"

namespace sp::net {

inline constexpr std::size_t kSealedAtOnce = 64 * 1024;  ///< bytes that are sealed between sends

class TlsSession {
 public:
  enum class Side : std::uint8_t { client, server };
  /// Whether a wire that can may wait for bytes.
  enum class Patience : std::uint8_t { wait, only_what_is_there };
  enum class Step : std::uint8_t {
    done,
    wants_input,  ///< the wire has nothing now
    ended,        ///< the peer said farewell
    cut_off,      ///< the wire ended without one
    failed,
  };

  /// Where records come from.
  class Wire {
   public:
    static constexpr std::ptrdiff_t kNothingNow = -1;
    static constexpr std::ptrdiff_t kFailed = -2;
    virtual ~Wire() = default;
    /// Bytes received, 0 at the end, or one of the numbers above.
    virtual std::ptrdiff_t receive(MutableByteView out, Patience patience) = 0;
  };

  /// The wire must outlive the session.
  TlsSession(boost::asio::ssl::context& context, Side side, Wire& wire);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  /// Goes on with the handshake. sealed() has to be sent before input is awaited.
  Step handshake();
  /// Opens as much as is there, at most `out`; `got` is above 0 where it is done. Takes little more
  /// than that from the wire, whatever the peer sends: `failed` where it goes on with handshakes.
  Step read(MutableByteView out, std::size_t& got);
  /// Seals all of the bytes into sealed().
  Step write(ByteView bytes);
  /// Why the last step neither was done nor wants input, as Asio says it: eof, stream_truncated, or
  /// OpenSSL's words.
  [[nodiscard]] boost::system::error_code failure() const { return failure_; }
  /// What has to be sent, and how much of it was.
  [[nodiscard]] ByteView sealed() const { return ByteView(sealed_).subspan(sent_); }
  void sent(std::size_t size);
  /// Whether received bytes wait inside.
  [[nodiscard]] bool holds_input() const;
  [[nodiscard]] SSL* native_handle() const { return ssl_; }

 private:
  struct Records;  // the session as OpenSSL reads and writes it
  Step step_of(int result);
  Step fail(Step step, const boost::system::error_code& failure);

  Wire& wire_;
  SSL* ssl_;
  Patience patience_ = Patience::wait;
  bool wire_ended_ = false;
  unsigned handshake_messages_ = 0;  // received
  std::size_t received_ = 0;         // bytes from the wire, in this read()
  boost::system::error_code failure_;
  Bytes sealed_;
  std::size_t sent_ = 0;
};

}  // namespace sp::net
