#include "spctl/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "base/json.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kPortsFileMax = 4096;

// A socket that holds a free port until it is closed, so that several choices differ.
Result<std::pair<Fd, std::uint16_t>> hold_free_port() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!socket.valid() || ::bind(socket.get(), generic, size) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    return errno_error("find a free port");
  }
  return std::pair(std::move(socket), ntohs(address.sin_port));
}

}  // namespace

Result<std::map<std::string, std::uint16_t>> take_ports(Files& files, const Path& file,
                                                        const std::vector<std::string>& daemons) {
  std::map<std::string, std::uint16_t> ports;
  Json json = Json::object();
  if (const auto bytes = files.read(file, kPortsFileMax)) {
    SP_ASSIGN(json, parse_json(as_text(*bytes), kPortsFileMax));
    JsonObject object(json, file.filename().string());
    for (const std::string& daemon : daemons) {
      if (!object.has(daemon)) continue;
      ports[daemon] = static_cast<std::uint16_t>(object.number(daemon, 0xffff));
    }
    SP_TRY(object.finish());
  }
  std::vector<Fd> held;
  for (const std::string& daemon : daemons) {
    if (ports.contains(daemon)) continue;
    SP_ASSIGN(auto port, hold_free_port());
    held.push_back(std::move(port.first));
    ports[daemon] = port.second;
    json[daemon] = port.second;
  }
  if (!held.empty()) {
    SP_TRY(keep(files, CrashSite::client_ports, file, as_bytes(json.dump(2) + "\n"),
                FileMode::owner_only));
  }
  return ports;
}

}  // namespace sp::spctl
