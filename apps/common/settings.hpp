// Settings of the daemons: one strict JSON file each, written by `spctl up` (or by hand) and read
// by `spnode`.
//
// Relative paths are relative to the folder in which the daemon is started. Values; safe to call
// from any thread.
#pragma once

#include <map>

#include <optional>
#include <vector>

#include "attest/appraisal.hpp"
#include "base/files.hpp"
#include "crypto/eip712.hpp"

namespace sp::apps {

inline constexpr std::uint32_t kCapacityMax = 1024;  ///< orders at once
inline constexpr std::uint32_t kQueueMax = 100'000;  ///< orders that wait

/// Where a daemon listens: {"address": "127.0.0.1", "port": 8301}.
struct Listen {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;

  [[nodiscard]] std::string url() const { return "http://" + address + ":" + std::to_string(port); }
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

/// The market that a daemon follows: "rpc", "chainId", "market", "startBlock".
struct FollowedMarket {
  RpcSettings rpc;
  crypto::Eip712Domain market;
  std::uint64_t start_block = 0;
};

/// {"listen", "folder", "key": FILE, "bytesMax"}
struct StoreSettings {
  Listen listen;
  Path folder;                  ///< of the blobs
  Path key;                     ///< raw 32 bytes: the secp256k1 key that signs storage receipts
  std::uint64_t bytes_max = 0;  ///< of all blobs together; 0 = as much as the disk has

  /// Errc::not_found, Errc::malformed, Errc::io; of the others as well.
  static Result<StoreSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

/// {"folder", and where wanted "amd": [URL], "intel": [URL], "caFile", "offline"}: where what
/// vendors publish is kept, and whom to ask in the vendors' place.
struct CollateralSettings {
  Path folder;
  std::vector<std::string> amd;
  std::vector<std::string> intel;
  std::string ca_file;
  bool offline = false;
};

/// {"listen", "folder", "keys": FILE, "platform": FILE, "rpc", "chainId", "market", "startBlock",
/// "attests": appraisal policy, and where wanted "collateral": CollateralSettings}
struct BrokerSettings {
  Listen listen;
  Path folder;    ///< vault and checkpoint
  Path keys;      ///< broker::BrokerKeys
  Path platform;  ///< prove::DevPlatform
  FollowedMarket follows;
  attest::AppraisalPolicy attests;               ///< which loaders it attests to at all
  std::optional<CollateralSettings> collateral;  ///< absent: evidence must bring its own

  static Result<BrokerSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

/// {"listen", "folder", "actionKey": FILE, "authority", "rpc", "chainId", "market", "startBlock",
/// "confirmations", "loader",
///  "runc", "platform": FILE, "capacity", "queue", "services": {ADDRESS: URL}}
struct ProviderSettings {
  Listen listen;
  Path folder;
  Path action_key;  ///< raw 32 bytes: signs acceptances and sends settlements
  Address authority;
  FollowedMarket follows;
  std::uint32_t confirmations = 1;
  Path loader;    ///< the program sploader
  Path runc;      ///< the program runc
  Path platform;  ///< prove::DevPlatform
  std::uint32_t capacity = 1;
  std::uint32_t queue = 0;
  std::map<Address, std::string> services;  ///< where brokers and stores are, by signing address

  static Result<ProviderSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
