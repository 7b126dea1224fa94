// Who holds how much of a server: connections, bytes of bodies. Only for .cpp files of this room.
// Belongs to one thread.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <map>
#include <string>

namespace sp::net {

/// By what a peer's share is counted: its IPv4 address, or the /64 of its IPv6 one. Empty
/// for loopback, which isn't counted unless `count_loopback`.
std::string peer_name(boost::asio::ip::address address, bool count_loopback);

class Peers {
 public:
  void enter(const std::string& peer, std::size_t amount = 1) {
    if (!peer.empty() && amount > 0) held_[peer] += amount;
  }
  /// At most what it has entered with.
  void leave(const std::string& peer, std::size_t amount = 1) {
    const auto own = held_.find(peer);
    if (own != held_.end() && (own->second -= amount) == 0) held_.erase(own);
  }
  /// 0 for a peer that isn't counted.
  [[nodiscard]] std::size_t count(const std::string& peer) const {
    const auto own = held_.find(peer);
    return own == held_.end() ? 0 : own->second;
  }

 private:
  std::map<std::string, std::size_t> held_;  // never empty ones
};

}  // namespace sp::net
