#include "net/coroutines.hpp"

#include "net/tls_socket.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace sp::net {
namespace {

using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

}  // namespace

TlsSocket::TlsSocket(Socket socket, boost::asio::ssl::context& context)
    : watch_(std::make_shared<Watch>(std::move(socket))),
      session_(context, TlsSession::Side::server, *this) {}

TlsSocket::~TlsSocket() {
  watch_->waiting = false;
  watch_->timer.cancel();
}

void TlsSocket::expires_after(std::chrono::milliseconds time) {
  watch_->deadline = SteadyClock::now() + time;
  watch_->expired = false;
}

// One timer is set while something waits, and set again only when it fires too early: moving it
// with each operation would cost more than the operation.
void TlsSocket::arm(const std::shared_ptr<Watch>& watch) {
  watch->armed = true;
  watch->timer.expires_at(watch->deadline);
  watch->timer.async_wait([watch](const error_code& cancelled) {
    watch->armed = false;
    if (cancelled || !watch->waiting) return;
    if (SteadyClock::now() < watch->deadline) return arm(watch);
    watch->expired = true;
    error_code ignored;
    watch->socket.cancel(ignored);
  });
}

std::optional<TlsSocket::Socket::wait_type> TlsSocket::wait(Socket::wait_type what) {
  watch_->waiting = true;
  if (!watch_->armed) arm(watch_);
  return what;
}

std::optional<TlsSocket::Socket::wait_type> TlsSocket::advance(Job& job, const error_code& woken) {
  watch_->waiting = false;
  if (woken) {
    job.failure = watch_->expired ? error_code(boost::beast::error::timeout) : woken;
    return {};
  }
  for (;;) {
    if (!session_.sealed().empty()) {
      if (!send_sealed(job)) return wait(Socket::wait_write);
      if (job.failure) return {};
    }
    if (job.over) return {};
    const TlsSession::Step made = step(job);
    if (made == TlsSession::Step::wants_input) {
      if (session_.sealed().empty()) return wait(Socket::wait_read);
      continue;
    }
    job.over = true;
    if (made != TlsSession::Step::done) job.failure = session_.failure();
  }
}

// False where the socket takes no more now.
bool TlsSocket::send_sealed(Job& job) {
  while (!session_.sealed().empty()) {
    const ByteView left = session_.sealed();
    const ssize_t sent = ::send(watch_->socket.native_handle(), left.data(), left.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      session_.sent(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      job.failure = {errno, boost::system::system_category()};
      return true;
    }
  }
  return true;
}

TlsSession::Step TlsSocket::step(Job& job) {
  if (job.kind == Kind::handshake) return session_.handshake();
  if (job.kind == Kind::read) return session_.read(job.room, job.moved);
  for (const ByteView part : job.parts) {
    const ByteView piece = part.first(std::min(part.size(), kSealedAtOnce - job.moved));
    const TlsSession::Step made = session_.write(piece);
    if (made != TlsSession::Step::done) return made;
    job.moved += piece.size();
    if (piece.size() < part.size()) break;
  }
  return TlsSession::Step::done;
}

std::ptrdiff_t TlsSocket::receive(MutableByteView out, TlsSession::Patience) {
  for (;;) {
    const ssize_t got =
        ::recv(watch_->socket.native_handle(), out.data(), out.size(), MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno == EAGAIN) return kNothingNow;
    if (errno != EINTR) return kFailed;
  }
}

}  // namespace sp::net
