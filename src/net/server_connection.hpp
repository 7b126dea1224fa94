// Internal: a connection of the HTTP server, and what one request on it holds. Included only by
// http_server.cpp. Belongs to the loop's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <string>

#include "net/http.hpp"

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

/// What one request's bodies, its own and its answer's, hold of the server's memory.
class BytesHeld {
 public:
  explicit BytesHeld(std::size_t& total) : total_(total) {}
  BytesHeld(const BytesHeld&) = delete;
  BytesHeld& operator=(const BytesHeld&) = delete;
  ~BytesHeld() { total_ -= own_; }
  /// False where there is no room.
  bool take(std::size_t size, std::size_t max) {
    if (total_ > max || size > max - total_) return false;
    add(size);
    return true;
  }
  void add(std::size_t size) {
    own_ += size;
    total_ += size;
  }

 private:
  std::size_t& total_;
  std::size_t own_ = 0;
};

/// What the server does after one request.
enum class Next : std::uint8_t { keep, close, linger };

/// A handler's call on a worker, and the coroutine that waits for it.
struct Pending {
  Pending(boost::asio::io_context& loop, HttpRequest what)
      : request(std::move(what)), ended(loop, boost::asio::steady_timer::time_point::max()) {}

  HttpRequest request;
  HttpResponse response;
  boost::asio::steady_timer ended;
  bool done = false;  ///< set on the loop's thread
};

}  // namespace sp::net
