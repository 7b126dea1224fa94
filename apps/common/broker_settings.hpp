// Settings of `spnode broker`. Values; safe to call from any thread.
#pragma once

#include "attest/appraisal.hpp"
#include "common/operation.hpp"

namespace sp::apps {

/// {"folder", and where wanted "amd": [URL], "intel": [URL], "caFile", "offline"}: where what
/// vendors publish is kept, and whom to ask in the vendors' place.
struct CollateralSettings {
  Path folder;
  std::vector<std::string> amd;
  std::vector<std::string> intel;
  std::string ca_file;
  bool offline = false;
};

/// {"listen", "folder", "keys": FILE, "platform": FILE, "markets": [FollowedMarket],
/// "attests": appraisal policy, and where wanted "collateral": CollateralSettings, "caFile"}
struct BrokerSettings {
  Listen listen;
  Path folder;    ///< vault and checkpoints
  Path keys;      ///< broker::BrokerKeys
  Path platform;  ///< prove::DevPlatform
  std::vector<FollowedMarket> markets;
  attest::AppraisalPolicy attests;               ///< which loaders it attests to at all
  std::optional<CollateralSettings> collateral;  ///< absent: evidence must bring its own
  std::string ca_file;                           ///< for the chain's endpoints
  Operation operation;

  static Result<BrokerSettings> load(const Files& files, const Path& path);
  [[nodiscard]] std::string to_json() const;
};

}  // namespace sp::apps
