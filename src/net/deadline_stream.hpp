// A connected TCP socket whose every operation ends at one deadline, as a Beast synchronous stream.
// Only for .cpp files of this room. Belongs to one thread at a time.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>
#include <chrono>

#include "base/files.hpp"

namespace sp::net {

class DeadlineStream {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using ErrorCode = boost::system::error_code;

  /// Takes a connected, non-blocking socket.
  explicit DeadlineStream(Fd socket) : socket_(std::move(socket)) {}

  /// `slowest`: bytes per second of which each second's worth that is moved puts the deadline off
  /// by a second, so that a big message on a slow line isn't cut, and a peer that only trickles is;
  /// 0 = the deadline stands. Never beyond `latest`.
  void set_deadline(SteadyTime deadline, std::size_t slowest = 0, SteadyTime latest = {});
  /// For TLS, whose tickets come when they like: input isn't an answer, so it ends no write.
  void write_despite_input() { input_ends_writes_ = false; }
  /// Whether the peer has sent or closed while nothing was asked of it.
  [[nodiscard]] bool is_readable_now() const;

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, ErrorCode& failure);
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers);
  /// Fails with operation_aborted where the peer answers while it takes nothing more, unless
  /// write_despite_input() was called.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, ErrorCode& failure);
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers);

 private:
  static constexpr std::size_t kBuffersMax = 16;  // of one system call

  template <class Buffers>
  static std::size_t fill(const Buffers& buffers, std::array<iovec, kBuffersMax>& parts);
  std::size_t receive(iovec* parts, std::size_t count, ErrorCode& failure);
  std::size_t send(iovec* parts, std::size_t count, ErrorCode& failure);

  void moved(std::size_t size);

  Fd socket_;
  SteadyTime deadline_;
  SteadyTime latest_;
  std::size_t slowest_ = 0;
  bool input_ends_writes_ = true;
};

/// Waits until `events` (POLLIN, POLLOUT) of a descriptor; returns those seen, 0 at the deadline.
short wait_for(int fd, short events, DeadlineStream::SteadyTime deadline);

template <class Buffers>
std::size_t DeadlineStream::fill(const Buffers& buffers, std::array<iovec, kBuffersMax>& parts) {
  std::size_t count = 0;
  const auto end = boost::asio::buffer_sequence_end(buffers);
  for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end && count < kBuffersMax;
       ++at) {
    const boost::asio::const_buffer part(*at);
    if (part.size() > 0) parts[count++] = {const_cast<void*>(part.data()), part.size()};
  }
  return count;
}

template <class Buffers>
std::size_t DeadlineStream::read_some(const Buffers& buffers, ErrorCode& failure) {
  std::array<iovec, kBuffersMax> parts;
  return receive(parts.data(), fill(buffers, parts), failure);
}

template <class Buffers>
std::size_t DeadlineStream::read_some(const Buffers& buffers) {
  ErrorCode failure;
  const std::size_t size = read_some(buffers, failure);
  if (failure) BOOST_THROW_EXCEPTION(boost::system::system_error(failure));
  return size;
}

template <class Buffers>
std::size_t DeadlineStream::write_some(const Buffers& buffers, ErrorCode& failure) {
  std::array<iovec, kBuffersMax> parts;
  return send(parts.data(), fill(buffers, parts), failure);
}

template <class Buffers>
std::size_t DeadlineStream::write_some(const Buffers& buffers) {
  ErrorCode failure;
  const std::size_t size = write_some(buffers, failure);
  if (failure) BOOST_THROW_EXCEPTION(boost::system::system_error(failure));
  return size;
}

}  // namespace sp::net
