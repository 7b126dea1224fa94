// Settings of `spnode provider`. A value; safe to call from any thread.
#pragma once

#include "common/operation.hpp"
#include "common/services.hpp"

namespace sp::apps {

inline constexpr const char* kInstalledLoader =
    "/usr/lib/superprotocol/sploader";                  ///< where the package puts it
inline constexpr std::uint32_t kCapacityMax = 1024;     ///< orders at once
inline constexpr std::uint32_t kQueueMax = 100'000;     ///< orders that wait
inline constexpr std::uint32_t kStopGraceMax = 86'400;  ///< seconds

/// A market whose orders a provider runs: FollowedMarket's fields, "confirmations", "capacity",
/// "queue". Capacity isn't shared between markets: the provider divides its devices.
struct ServedMarket {
  FollowedMarket follows;
  std::uint32_t confirmations = 1;
  std::uint32_t capacity = 1;
  std::uint32_t queue = 1;
};

/// {"listen", "folder", "actionKey": FILE, "authority", "markets": [ServedMarket], "loader",
/// "runc", "platform": FILE, "services": {ADDRESS: URL or [URL]}, and where wanted "caFile",
/// "stopGraceSeconds" and Operation's}
struct ProviderSettings {
  Listen listen;
  Path folder;
  Path action_key;  ///< raw 32 bytes: signs acceptances and sends settlements
  Address authority;
  std::vector<ServedMarket> markets;
  Path loader;                              ///< the program sploader
  Path runc;                                ///< the program runc
  Path platform;                            ///< prove::DevPlatform
  std::map<Address, std::string> services;  ///< where brokers and stores are, by signing address
  Mirrors mirrors;                          ///< further places of stores among the services
  std::string ca_file;                      ///< for services and the chain's endpoints
  /// Seconds that running orders have to end at a stop; what runs then is run again after a start.
  std::uint32_t stop_grace_seconds = 0;
  Operation operation;

  static Result<ProviderSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
