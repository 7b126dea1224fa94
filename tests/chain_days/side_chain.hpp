// Chains beside the town's own: each a development chain with another id and the same contracts at
// the same addresses, so that nothing but the chain id tells their orders apart. The town's broker
// and provider follow them as well; a customer of each has a home and a network file of their own.
#pragma once

#include "chain/testing/anvil.hpp"
#include "orders.hpp"

namespace sp::hostile {

class SideChain {
 public:
  /// Starts the chain, deploys, registers the town's provider with its offers, and makes a customer
  /// with a purse.
  SideChain(Town& town, std::uint64_t chain_id);

  spctl::Session& session() { return *session_; }
  const apps::Network& network() const { return session_->network; }
  const api::Compute& compute() const { return compute_; }
  const api::Part& storage() const { return storage_; }
  [[nodiscard]] const Path& home() const { return home_; }
  /// As the settings of broker and provider name this market.
  [[nodiscard]] Json market(bool provider) const;
  /// Ether and tokens for another account.
  void give(const crypto::EthKey& key);
  Result<chain::TxReceipt> send(const crypto::EthKey& key, const chain::TxSender::Call& call);
  /// An order of this chain's customer by the command line: its exit code.
  int run(const std::vector<std::string>& argv);
  void signal(int signal) { anvil_->signal(signal); }

 private:
  void make_home();

  Town& town_;
  std::unique_ptr<chain::testing::Anvil> anvil_;
  Path home_;
  std::unique_ptr<spctl::Session> session_;
  api::Compute compute_;
  api::Part storage_;
};

}  // namespace sp::hostile
