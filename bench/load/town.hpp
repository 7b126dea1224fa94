// The processes under load: anvil, `spnode store`, `spnode broker`, each started anew in a
// temporary folder; contracts, accounts and offers on the chain; providers in this process. Belongs
// to one thread.
#pragma once

#include "base/process.hpp"
#include "broker/policy.hpp"
#include "crypto/random.hpp"
#include "net/http.hpp"
#include "provider/controller.hpp"
#include "spctl/context.hpp"
#include "store/package.hpp"
#include "store/remote/http_store.hpp"
#include "tee.hpp"

namespace sp::bench {

struct TownOptions {
  Path anvil;
  Path spnode;
  unsigned block_time = 0;  ///< seconds; 0 = a block for each transaction at once
  unsigned capacity = 2;    ///< of each provider
  std::size_t providers = 1;
  std::size_t orders = 1;  ///< that one provider may have to queue
};

/// What a process has used since its start.
struct Usage {
  double cpu_seconds = 0;
  std::uint64_t rss_max = 0;  ///< bytes
};
Usage usage_of(pid_t pid);

/// A provider in this process: the real controller and relay over a ThreadHost.
struct Provider;

class Town {
 public:
  Town(const TownOptions& options, const Clock& clock, Random& random, Moments& moments);
  ~Town();
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  [[nodiscard]] const apps::Network& network() const { return session_->network; }
  spctl::Session& session() { return *session_; }
  /// Gives accounts ether, tokens and the market's allowance, by writing the chain's state.
  void fund(const std::vector<Address>& accounts);
  /// The compute offer of provider `i` (any number: they take turns).
  [[nodiscard]] const api::Compute& compute(std::size_t i) const;
  [[nodiscard]] const api::Part& storage() const { return storage_; }
  /// A solution that is sold: one image for all orders, its key at the broker.
  [[nodiscard]] const api::Part& solution() const { return solution_; }
  [[nodiscard]] const api::BrokerIdentityAnswer& broker() const { return broker_; }
  net::HttpClient& http() { return http_; }
  /// How this account writes to the store: signed, and again where it is busy.
  [[nodiscard]] store::StoreAccess writing(const crypto::EthKey& key, Random& random) const;
  /// By name: "anvil", "broker", "store", "bench".
  [[nodiscard]] std::map<std::string, Usage> usage() const;
  [[nodiscard]] pid_t pid_of(const std::string& name) const;

 private:
  void start_anvil();
  void start_store();
  void start_broker();
  void start_daemon(const std::string& name, const std::string& settings, const std::string& url);
  void make_offers();
  void sell_image();
  void start_providers();

  const TownOptions options_;
  const Clock& clock_;
  Random& random_;
  Moments& moments_;
  PosixFiles files_;
  Path folder_;
  net::HttpClient http_;
  Bytes platform_;  // of all providers' machines
  attest::Measurement loader_;
  apps::Network told_;
  std::map<std::string, Process> processes_;
  std::unique_ptr<spctl::Session> session_;
  std::vector<crypto::EthKey> authorities_, actions_;
  std::vector<api::Compute> computes_;
  api::Part storage_, solution_;
  api::BrokerIdentityAnswer broker_;
  std::vector<std::unique_ptr<Provider>> providers_;
};

}  // namespace sp::bench
