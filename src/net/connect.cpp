#include "net/connect.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstring>

namespace sp::net {
namespace {

using SteadyTime = DeadlineStream::SteadyTime;

constexpr int kAddressesMax = 8;  // of one host, tried in turn

struct AddressListDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// A connected socket to one address; errno's words in an error.
Result<Fd> connect_to(const addrinfo& address, const Url& url, SteadyTime deadline) {
  Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return errno_error("socket");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return unavailable(url, std::strerror(errno));
    if (wait_for(socket.get(), POLLOUT, deadline) == 0) return timed_out(url);
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return unavailable(url, std::strerror(failure));
  }
  return socket;
}

}  // namespace

Error unavailable(const Url& url, std::string_view what) {
  return {Errc::unavailable,
          url.host + " port " + std::to_string(url.port) + ": " + std::string(what)};
}

Error timed_out(const Url& url) {
  return {Errc::timed_out,
          url.host + " port " + std::to_string(url.port) + ": no answer within the limit"};
}

Result<Fd> connect_host(const Url& url, SteadyTime deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(url.port);
  const int failure = ::getaddrinfo(url.host.c_str(), port.c_str(), &hints, &found);
  if (failure != 0) return unavailable(url, ::gai_strerror(failure));
  const std::unique_ptr<addrinfo, AddressListDeleter> list(found);
  Result<Fd> connected = unavailable(url, "has no address");
  int tries = 0;
  for (const addrinfo* at = list.get(); at != nullptr && tries < kAddressesMax; ++tries) {
    connected = connect_to(*at, url, deadline);
    if (connected || connected.error().code == Errc::timed_out) break;
    at = at->ai_next;
  }
  return connected;
}

}  // namespace sp::net
