// Settings of `spnode provider`. A value; safe to call from any thread.
#pragma once

#include "common/operation.hpp"

namespace sp::apps {

inline constexpr std::uint32_t kCapacityMax = 1024;  ///< orders at once
inline constexpr std::uint32_t kQueueMax = 100'000;  ///< orders that wait
inline constexpr std::uint32_t kStopGraceMax = 86'400;  ///< seconds

/// {"listen", "folder", "actionKey": FILE, "authority", "rpc", "chainId", "market", "startBlock",
/// "confirmations", "loader",
///  "runc", "platform": FILE, "capacity", "queue", "services": {ADDRESS: URL},
/// and where wanted "caFile", "stopGraceSeconds" and Operation's}
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
  std::string ca_file;                      ///< for services and the chain's endpoints
  /// Seconds that running orders have to end at a stop; what runs then is run again after a start.
  std::uint32_t stop_grace_seconds = 0;
  Operation operation;

  static Result<ProviderSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
