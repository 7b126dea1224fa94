// Internal: a connection of the HTTP server, and what one request on it holds. Included only by
// http_server.cpp. Belongs to the loop's thread.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <string>

#include "net/http.hpp"
#include "net/peers.hpp"

namespace sp::net {

/// Whom the server serves, over whatever stream.
struct Connection {
  explicit Connection(std::size_t buffer_max) : buffer(buffer_max) {}
  virtual ~Connection() = default;
  virtual void close() = 0;

  boost::beast::flat_buffer buffer;
  std::string peer;  ///< as peer_name says it
  bool idle = true;  ///< nothing of a request has come yet
};

/// One over a stream of Beast's form: socket(), expires_after().
template <class Stream>
struct StreamConnection final : Connection {
  template <class... Arguments>
  explicit StreamConnection(std::size_t buffer_max, Arguments&&... arguments)
      : Connection(buffer_max), stream(std::forward<Arguments>(arguments)...) {}

  void close() override {
    boost::system::error_code ignored;
    stream.socket().close(ignored);
  }
  void limit(std::chrono::milliseconds time) { stream.expires_after(time); }

  Stream stream;
};

/// What the bodies of all requests and answers hold of the server's memory.
struct BytesUnderWay {
  std::size_t max;           ///< of all
  std::size_t per_peer_max;  ///< of one peer that is counted: one can't take all
  std::size_t total = 0;
  Peers by_peer = {};
};

/// What one request's bodies, its own and its answer's, hold of it.
class BytesHeld {
 public:
  /// `peer` as peer_name says it. Both outlive this.
  BytesHeld(BytesUnderWay& all, const std::string& peer) : all_(all), peer_(peer) {}
  BytesHeld(const BytesHeld&) = delete;
  BytesHeld& operator=(const BytesHeld&) = delete;
  ~BytesHeld() {
    all_.total -= own_;
    all_.by_peer.leave(peer_, own_);
  }
  /// False where there is no room, of all or of this peer's. Nothing has room always.
  bool take(std::size_t size) {
    const bool fits = size <= left(all_.max, all_.total) &&
                      size <= left(all_.per_peer_max, all_.by_peer.count(peer_));
    if (fits) add(size);
    return fits;
  }
  /// An answer that is made already: a small one has room always, so that whoever holds all of it
  /// takes neither /health nor a word from anybody.
  bool take_answer(std::size_t size) {
    if (size > kSmallAnswer) return take(size);
    add(size);
    return true;
  }

 private:
  static constexpr std::size_t kSmallAnswer = 64 * 1024;

  static std::size_t left(std::size_t max, std::size_t held) { return max - std::min(max, held); }
  void add(std::size_t size) {
    own_ += size;
    all_.total += size;
    all_.by_peer.enter(peer_, size);
  }

  BytesUnderWay& all_;
  const std::string& peer_;
  std::size_t own_ = 0;
};

/// What the server does after one request.
enum class Next : std::uint8_t { keep, close, linger };

/// A handler's call on a worker, and the coroutine that waits for it. A worker has request and
/// response alone while it runs.
struct Pending {
  Pending(boost::asio::io_context& loop, HttpRequest what)
      : request(std::move(what)), ended(loop, boost::asio::steady_timer::time_point::max()) {}

  /// The coroutine goes on, with the response.
  void end() {
    done = true;
    ended.cancel();
  }

  HttpRequest request;
  HttpResponse response;
  boost::asio::steady_timer ended;
  bool done = false;
};

}  // namespace sp::net
