// What the settings files of the daemons have in common: where a daemon listens, how it reaches a
// chain, whom it trusts. Each daemon's own file is read by store_settings, broker_settings and
// provider_settings.
//
// Settings are strict JSON: an unknown key is an error. Relative paths are relative to the folder
// in which the daemon is started. Values; safe to call from any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "base/json.hpp"
#include "crypto/eip712.hpp"

namespace sp::apps {

inline constexpr std::size_t kPathMax = 4096;  ///< bytes of a path in settings

/// Where a daemon listens: {"address": "127.0.0.1", "port": 8301}, and where it speaks TLS also
/// "certificate" and "key": files in PEM, the certificate with its chain behind it.
struct Listen {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  Path certificate;  ///< both or none
  Path key;

  [[nodiscard]] bool tls() const { return !certificate.empty(); }
  [[nodiscard]] std::string url() const;
  bool operator==(const Listen&) const = default;
};

/// How the chain is reached: "http://..." (one endpoint, believed), or {"urls": [URL], "agree": k}
/// (what k of n independent endpoints agree on; more than half, n at most
/// chain::kQuorumMembersMax).
struct RpcSettings {
  std::vector<std::string> urls;
  std::size_t agree = 1;

  bool operator==(const RpcSettings&) const = default;
};

inline constexpr std::size_t kMarketsMax = 16;  ///< markets that one daemon follows

/// A market that a daemon follows: "rpc", "chainId", "market", "startBlock".
struct FollowedMarket {
  RpcSettings rpc;
  crypto::Eip712Domain market;
  std::uint64_t start_block = 0;

  /// "CHAINID-" and the first 8 hexadecimal digits of the contract: names its files.
  [[nodiscard]] std::string name() const;
};

/// Whether it is an address that a daemon can listen on; a name isn't.
bool is_ip_address(const std::string& text);
/// What is wrong with one that isn't, for people.
std::string no_ip_address(const std::string& text);

/// Pieces of settings files; errors are noted in `object`, whose finish() tells them.
Listen read_listen(JsonObject& object, const std::string& key = "listen");
Json listen_json(const Listen& listen);
/// "markets": 1 to kMarketsMax objects, no two of one chain and contract; `each` reads what a
/// market has beside FollowedMarket's fields.
std::vector<FollowedMarket> read_markets(
    JsonObject& object, const std::function<void(JsonObject&)>& each = [](JsonObject&) {});
Json market_json(const FollowedMarket& follows);
/// One "http://" or "https://" URL.
std::string read_url(JsonObject& object, std::string_view key);
/// A list of at most kUrlListMax URLs; empty where the key is absent.
std::vector<std::string> read_urls(JsonObject& object, std::string_view key);
inline constexpr std::size_t kUrlListMax = 8;
inline constexpr std::size_t kListedUrlMax = 2048;
/// "caFile": certificates in PEM of those who may vouch for https servers besides the system's.
std::string read_ca_file(JsonObject& object);

/// Parses a settings file. Errc::not_found, Errc::malformed, Errc::too_large, Errc::io.
Result<Json> read_settings_json(const Files& files, const Path& path);
/// As settings files are written.
std::string settings_text(const Json& json);

}  // namespace sp::apps
