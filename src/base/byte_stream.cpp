#include "base/byte_stream.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "base/files.hpp"

namespace sp {

Status SocketStream::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error{Errc::unavailable, errno_error("window").message};
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::size_t> SocketStream::read(MutableByteView out) {
  for (;;) {
    const ssize_t got = ::recv(descriptor_, out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Errc::unavailable, errno_error("window").message};
    return static_cast<std::size_t>(got);
  }
}

void SocketStream::shut_down() { ::shutdown(descriptor_, SHUT_RDWR); }

}  // namespace sp
