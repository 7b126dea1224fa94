// The town: all real processes of a local system in a temporary home (`spctl up`), with a hostile
// proxy on every road between them where a test wants that, and people with keys and money.
//
//   spctl -> client_rpc, client_broker, client_store, client_provider
//   provider -> provider_rpc, provider_broker, provider_store        broker -> broker_rpc
//
// One town serves the whole program. A guard process of its own stops the daemons and removes the
// home even where the program is killed. Belongs to one thread.
#pragma once

#include "base/process.hpp"
#include "crypto/random.hpp"
#include "proxy.hpp"
#include "spctl/context.hpp"
#include "spctl/daemon.hpp"
#include "store/stream.hpp"

namespace sp::hostile {

/// A sealed package in the store, and its key.
struct Sealed {
  Digest32 package;
  Secret32 key;
};

class Town {
 public:
  /// The one town, started at the first call.
  static Town& get();
  /// Stops it and removes its home, where there is one.
  static void leave();

  /// What lies between the processes: proxies that a test commands, or nothing.
  enum class Roads { watched, plain };
  explicit Town(Roads roads = Roads::watched);
  ~Town();
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  [[nodiscard]] const Path& home() const { return home_; }
  /// The network as `spctl up` wrote it: its URLs lead past the proxies.
  [[nodiscard]] const apps::Network& network() const { return session_->network; }
  chain::Chain& chain() { return session_->chain; }
  market::MarketClient& market() { return session_->market; }
  market::TokenClient& token() { return session_->token; }
  net::HttpClient& http() { return http_; }
  const Clock& clock() { return clock_; }
  Random& random() { return random_; }
  Files& files() { return files_; }

  /// All proxies honest again, with nothing seen.
  void behave();
  [[nodiscard]] std::vector<HostileProxy*> proxies() const;

  /// Runs `spctl --home HOME ARGUMENTS...` to its end.
  CommandOutput spctl(std::vector<std::string> arguments,
                      std::chrono::seconds limit = std::chrono::seconds(60));
  /// The process of such a command, for a test that looks at it while it runs.
  [[nodiscard]] ProcessOptions spctl_options(std::vector<std::string> arguments) const;

  /// Sends a transaction directly, and waits for it. The error carries the revert data.
  Result<chain::TxReceipt> send(const crypto::EthKey& key, const chain::TxSender::Call& call);
  /// A method of the development chain.
  Json rpc(const std::string& method, const Json& params);
  /// Makes that many seconds pass on the chain, and a block.
  void pass_time(std::int64_t seconds);
  std::int64_t chain_time();

  /// Processes that still work in the town's folders.
  [[nodiscard]] std::vector<pid_t> left_behind() const;

  /// Stops a daemon of ours ("broker", "provider"), changes its settings, starts it again.
  void reconfigure(const std::string& name, const std::function<void(Json&)>& change);
  /// A signal to one of the processes: "chain", "broker", "store", "provider".
  void signal_daemon(const std::string& name, int signal);
  /// Its process id, where it runs.
  std::optional<pid_t> process_of(const std::string& name) { return daemon(name).running(); }
  void signal_provider(int signal) { signal_daemon("provider", signal); }
  void stop_provider();
  void start_provider();

  /// Seals a folder, as its owner would, and uploads it past the proxies.
  Sealed seal(const Path& folder);
  /// Seals a stream as it is, whatever it holds.
  Sealed seal(store::ByteSource& stream);
  /// Makes a key with ether and 10,000 tokens; registers it as a provider with a deposit.
  crypto::EthKey settle_in();

  [[nodiscard]] Path program(const std::string& name) const { return programs_ / name; }
  /// The image that holds workload.c, as a folder.
  [[nodiscard]] Path image() const { return work_ / "image"; }
  [[nodiscard]] const Path& work() const { return work_; }

  // People: the customer of this home, the authority and action accounts of its provider.
  const crypto::EthKey& customer() const { return *customer_; }
  const crypto::EthKey& provider() const { return *provider_; }
  const crypto::EthKey& action() const { return *action_; }

  // All null on plain roads.
  std::unique_ptr<HostileProxy> client_rpc, client_broker, client_store, client_provider;
  std::unique_ptr<HostileProxy> provider_rpc, provider_broker, provider_store, broker_rpc;

 private:
  void start_guard();
  void make_image();
  void put_proxies_in();
  void rewrite_settings(const std::string& daemon, const std::function<void(Json&)>& change);
  void start_daemon(const std::string& name, std::optional<uid_t> user);
  spctl::Daemon daemon(const std::string& name);
  crypto::EthKey key(const std::string& name);

  SystemClock clock_;
  crypto::SystemRandom random_;
  PosixFiles files_;
  net::HttpClient http_;
  Path programs_;
  Path work_;  // all of the town's files; home_ is in it
  Path home_;
  Fd guard_;
  std::unique_ptr<spctl::Session> session_;
  std::optional<crypto::EthKey> customer_, provider_, action_;
};

}  // namespace sp::hostile
