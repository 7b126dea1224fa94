#include "net/peers.hpp"

#include <algorithm>

namespace sp::net {

namespace ip = boost::asio::ip;

std::string peer_name(ip::address address, bool count_loopback) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  if (address.is_loopback() && !count_loopback) return {};
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::make_address_v6(bytes).to_string();
}

}  // namespace sp::net
