// A TLS server's connection as a Beast asynchronous stream, over a socket of the loop. Only for
// .cpp files of this room. Belongs to the loop's thread; one operation at a time.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/error.hpp>
#include <optional>

#include "net/tls_session.hpp"

namespace sp::net {

class TlsSocket : private TlsSession::Wire {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using executor_type = Socket::executor_type;
  using ErrorCode = boost::system::error_code;

  TlsSocket(Socket socket, boost::asio::ssl::context& context);
  TlsSocket(const TlsSocket&) = delete;
  TlsSocket& operator=(const TlsSocket&) = delete;
  ~TlsSocket() override;

  executor_type get_executor() { return watch_->socket.get_executor(); }
  Socket& socket() { return watch_->socket; }
  /// From now on an operation that still waits then fails with beast::error::timeout.
  void expires_after(std::chrono::milliseconds time);

  /// Each completes with an error and the bytes that were moved.
  template <class Token>
  auto async_handshake(Token&& token) {
    return start({Kind::handshake, {}, {}}, token);
  }
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    Job job{Kind::read, {}, {}};
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers) && job.room.empty(); ++at) {
      const boost::asio::mutable_buffer part(*at);
      job.room = {static_cast<std::uint8_t*>(part.data()), part.size()};
    }
    return start(job, token);
  }
  /// Writes up to kSealedAtOnce bytes.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    Job job{Kind::write, {}, {}};
    std::size_t count = 0;
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers) && count < job.parts.size(); ++at) {
      const boost::asio::const_buffer part(*at);
      job.parts[count++] = {static_cast<const std::uint8_t*>(part.data()), part.size()};
    }
    return start(job, token);
  }

 private:
  static constexpr std::size_t kPartsMax = 8;  // of what one call writes
  enum class Kind : std::uint8_t { handshake, read, write };
  struct Job {
    Kind kind;
    MutableByteView room;
    std::array<ByteView, kPartsMax> parts;
    std::size_t moved = 0;
    ErrorCode failure{};
    bool over = false;    // but for what is sealed and not yet sent
    bool waited = false;  // has left the call that began it
  };
  // What the timer looks at; it may outlive the stream by a moment.
  struct Watch {
    explicit Watch(Socket taken) : socket(std::move(taken)), timer(socket.get_executor()) {}
    Socket socket;
    boost::asio::steady_timer timer;
    std::chrono::steady_clock::time_point deadline;
    bool armed = false;
    bool waiting = false;
    bool expired = false;
  };

  template <class Token>
  auto start(Job first, Token& token) {
    auto run = [this, job = first](auto& self, const ErrorCode& woken = {}) mutable {
      if (!job.waited || watch_->waiting) {
        if (const auto awaited = advance(job, woken)) {
          job.waited = true;
          watch_->socket.async_wait(*awaited, std::move(self));
          return;
        }
        if (!job.waited) {  // nothing completes inside the call that began it
          job.waited = true;
          boost::asio::post(get_executor(), std::move(self));
          return;
        }
      }
      self.complete(job.failure, job.moved);
    };
    return boost::asio::async_compose<Token, void(ErrorCode, std::size_t)>(std::move(run), token,
                                                                           watch_->socket);
  }

  // Goes on with a job; returns what it has to wait for, none where it is over.
  std::optional<Socket::wait_type> advance(Job& job, const ErrorCode& woken);
  std::optional<Socket::wait_type> wait(Socket::wait_type what);
  bool send_sealed(Job& job);
  TlsSession::Step step(Job& job);
  static void arm(const std::shared_ptr<Watch>& watch);
  std::ptrdiff_t receive(MutableByteView out, TlsSession::Patience patience) override;

  std::shared_ptr<Watch> watch_;
  TlsSession session_;
};

}  // namespace sp::net
