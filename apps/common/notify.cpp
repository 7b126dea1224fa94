#include "common/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/files.hpp"
#include "common/environment.hpp"

namespace sp::apps {

Status notify_manager(std::string_view state) {
  const auto variable = environment_variable("NOTIFY_SOCKET");
  if (!variable) return {};
  const std::string& name = *variable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || (name[0] != '/' && name[0] != '@') ||
      name.size() >= sizeof address.sun_path) {
    return Error{Errc::usage, "NOTIFY_SOCKET names no socket"};
  }
  std::copy(name.begin(), name.end(), address.sun_path);
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno_error("socket");
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, to, size) < 0) {
    return errno_error("notify", name);
  }
  return {};
}

}  // namespace sp::apps
