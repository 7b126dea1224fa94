#include "net/deadline_stream.hpp"

#include <algorithm>
#include <cerrno>

namespace sp::net {
namespace {

boost::system::error_code system_failure() { return {errno, boost::system::system_category()}; }

}  // namespace

short wait_for(int fd, short events, DeadlineStream::SteadyTime deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return 0;
    pollfd waited{fd, events, 0};
    constexpr std::int64_t kPollMax = 1 << 30;
    const int seen = ::poll(&waited, 1, static_cast<int>(std::min(left.count(), kPollMax)));
    if (seen > 0) return waited.revents;
    if (seen < 0 && errno != EINTR) return POLLERR;
  }
}

void DeadlineStream::set_deadline(SteadyTime deadline, std::size_t slowest, SteadyTime latest) {
  deadline_ = deadline;
  slowest_ = slowest;
  latest_ = latest;
}

void DeadlineStream::moved(std::size_t size) {
  if (slowest_ == 0 || deadline_ >= latest_) return;
  constexpr std::size_t kNanoseconds = 1'000'000'000;
  const std::chrono::nanoseconds gained(size * kNanoseconds / slowest_);
  deadline_ = std::min(latest_, deadline_ + gained);
}

bool DeadlineStream::is_readable_now() const {
  pollfd waited{socket_.get(), POLLIN, 0};
  return ::poll(&waited, 1, 0) != 0;
}

std::size_t DeadlineStream::receive(iovec* parts, std::size_t count, ErrorCode& failure) {
  failure = {};
  if (count == 0) return 0;
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  for (;;) {
    if (std::chrono::steady_clock::now() >= deadline_) {
      failure = boost::asio::error::timed_out;
      return 0;
    }
    const ssize_t got = ::recvmsg(socket_.get(), &message, 0);
    if (got > 0) {
      moved(static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (got == 0) {
      failure = boost::asio::error::eof;
      return 0;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      failure = system_failure();
      return 0;
    }
    wait_for(socket_.get(), POLLIN, deadline_);
  }
}

std::size_t DeadlineStream::send(iovec* parts, std::size_t count, ErrorCode& failure) {
  failure = {};
  if (count == 0) return 0;
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  for (;;) {
    const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      moved(static_cast<std::size_t>(sent));
      return static_cast<std::size_t>(sent);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      failure = system_failure();
      return 0;
    }
    const short awaited = input_ends_writes_ ? POLLIN | POLLOUT : POLLOUT;
    const short seen = wait_for(socket_.get(), awaited, deadline_);
    if (seen == 0) {
      failure = boost::asio::error::timed_out;
      return 0;
    }
    if ((seen & (POLLOUT | POLLERR | POLLHUP)) == 0) {
      failure = boost::asio::error::operation_aborted;
      return 0;
    }
  }
}

}  // namespace sp::net
