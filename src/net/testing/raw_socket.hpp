// Plain TCP sockets for tests that play a hostile peer. Belongs to one thread at a time.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/files.hpp"

namespace sp::net::testing {

class RawSocket {
 public:
  explicit RawSocket(Fd socket) : socket_(std::move(socket)) {}

  /// `from`: the loopback address that it comes from; the system's choice where none is given.
  static RawSocket connect(std::uint16_t port, const char* from = nullptr) {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (from != nullptr) {
      sockaddr_in own = loopback(0);
      SP_CHECK(::inet_pton(AF_INET, from, &own.sin_addr) == 1);
      SP_CHECK(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    }
    const sockaddr_in address = loopback(port);
    const int failed =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    SP_CHECK(failed == 0 || errno == EINTR);
    if (failed != 0) finish_connecting(socket);
    return RawSocket(std::move(socket));
  }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  /// False where the peer is gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.reset(); }
  /// Makes close() reset the connection.
  void reset_on_close() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  /// What comes until `text` has come, the peer closes, or `limit_ms` pass without a byte.
  std::string read_until(std::string_view text, int limit_ms = 5000) {
    std::string got;
    while (text.empty() || got.find(text) == std::string::npos) {
      pollfd waited{socket_.get(), POLLIN, 0};
      if (::poll(&waited, 1, limit_ms) <= 0) break;
      char buffer[4096];
      const ssize_t size = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (size <= 0) {
        closed_ = true;
        break;
      }
      got.append(buffer, static_cast<std::size_t>(size));
    }
    return got;
  }
  /// What comes until the peer closes, or 5 s pass without a byte.
  std::string read_all() { return read_until(""); }
  /// Whether the last read ended because the peer closed.
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  // A signal, as a fuzzer's clock sends them, ends the call and not what it began.
  static void finish_connecting(const Fd& socket) {
    pollfd connected{socket.get(), POLLOUT, 0};
    while (::poll(&connected, 1, -1) < 0) SP_CHECK(errno == EINTR);
    int error = 0;
    socklen_t size = sizeof error;
    SP_CHECK(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
  }

  Fd socket_;
  bool closed_ = false;
};

/// A server whose every connection is one call of `play`, one after the other, each on the one
/// thread of the server.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawSocket&, int)> play)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = RawSocket::loopback(0);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    SP_CHECK(::bind(listener_.get(), plain, size) == 0 && ::listen(listener_.get(), 16) == 0);
    SP_CHECK(::getsockname(listener_.get(), plain, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, play = std::move(play)] {
      for (int count = 0;; ++count) {
        Fd accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!accepted.valid()) return;
        RawSocket peer(std::move(accepted));
        play(peer, count);
      }
    });
  }
  ~RawServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }

 private:
  Fd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace sp::net::testing
