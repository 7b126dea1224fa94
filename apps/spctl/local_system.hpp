// A whole system on one machine: chain, store, broker and provider as background processes, each in
// its own folder and, where spctl runs as root, all but the provider as a user of its own.
//
// up() looks at each step whether it is done, so it resumes what was interrupted and changes
// nothing on a second call. Belongs to one thread.
#pragma once

#include "common/broker_settings.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"
#include "spctl/context.hpp"
#include "spctl/daemon.hpp"
#include "spctl/programs.hpp"

namespace sp::spctl {

inline constexpr std::chrono::milliseconds kAnswerLimit{
    20'000};  ///< for a started daemon's first answer
inline constexpr uid_t kStoreUser = 42001;
inline constexpr uid_t kBrokerUser = 42002;
inline constexpr uid_t kChainUser = 42003;

struct DaemonStatus {
  std::string name;
  std::optional<pid_t> pid;
  std::string url;
  bool healthy = false;
  std::string detail;
};

class LocalSystem {
 public:
  explicit LocalSystem(Context& context);

  /// Starts everything and waits until it answers, once another up() of this home has ended.
  Status up(const Programs& programs);
  /// Stops everything and waits for its end.
  Status down();
  /// How each daemon is; the order is that of starting.
  std::vector<DaemonStatus> status();

 private:
  struct Started {
    Daemon* daemon;
    Process process;
  };

  Status prepare_keys();
  Status start_chain();
  Status ensure_contracts();
  Result<bool> has_contracts(chain::Chain& chain, chain::RpcEndpoint& endpoint,
                             const Address& market);
  void copy_chain();
  Status save_network(const Programs& programs);
  Status start_store();
  Status start_broker();
  Status start_provider(const Programs& programs);
  /// Starts a daemon, or starts it again where settings or program have changed.
  Status ensure_running(Daemon& daemon, const DaemonStart& start, bool changed);
  Status spnode(Daemon& daemon, const std::string& settings, std::optional<uid_t> user);
  Status wait_until_answering();
  /// Errc::unavailable with the log's end, where a daemon ends or says nothing within kAnswerLimit.
  Status wait_for(const Daemon& daemon);
  Status set_up_accounts();

  [[nodiscard]] apps::Listen listen(const Daemon& daemon) const;
  [[nodiscard]] apps::FollowedMarket followed() const;
  [[nodiscard]] std::optional<uid_t> user(uid_t own) const;
  [[nodiscard]] bool answers(const Daemon& daemon);

  Context& context_;
  Daemon chain_;
  Daemon store_;
  Daemon broker_;
  Daemon provider_;
  std::map<std::string, std::uint16_t> ports_;
  apps::Network network_;
  attest::ChipId chip_;
  Path spnode_;
  Path anvil_;
  std::vector<Started> started_;
};

}  // namespace sp::spctl
