// Deploying a market on a chain, so that a stop at any moment deploys nothing twice: which nonces
// and addresses it takes is kept in a file before anything is sent, and a transaction is kept
// before it is sent.
//
// A contract's address follows from account and nonce, and a nonce is used once: whatever was sent
// how often, each contract can come to be once. Belongs to one thread.
#pragma once

#include "base/files.hpp"
#include "chain/transaction.hpp"
#include "spctl/contract_check.hpp"

namespace sp::spctl {

/// What is to be deployed.
struct DeployOptions {
  Address token;            ///< of security deposits; unused with test_token
  bool test_token = false;  ///< deploys our TestToken as well
  Amount minimum_deposit;   ///< of a provider, in the token's smallest unit

  bool operator==(const DeployOptions&) const = default;
};

/// One contract, and the transaction that makes it.
struct DeployStep {
  std::string contract;  ///< "TestToken", "Registry", "Market"
  std::uint64_t nonce = 0;
  Address address;
  std::uint64_t gas_limit = 0;
  chain::Fees fees;                 ///< of the newest transaction, or what is meant
  std::vector<chain::TxHash> sent;  ///< the newest last; more than one after a fee was raised
};

/// A deployment under way. As a file: JSON, strict.
struct Deployment {
  std::uint64_t chain_id = 0;
  Address deployer;
  DeployOptions options;
  std::uint64_t start_block = 0;  ///< the newest before the first transaction
  std::vector<DeployStep> steps;

  [[nodiscard]] Address address_of(std::string_view contract) const;
  [[nodiscard]] Address token() const;
  /// What it costs at most: gas limits times greatest fees, in wei. Errc::too_large.
  [[nodiscard]] Result<Amount> cost_max() const;

  /// Errc::not_found, Errc::malformed, Errc::too_large, Errc::io.
  static Result<Deployment> load(const Files& files, const Path& path);
  Status save(Files& files, const Path& path) const;
};

inline constexpr std::size_t kDeploymentSizeMax = 64 * 1024;
inline constexpr std::size_t kDeployStepsMax = 3;
inline constexpr std::size_t kRaisesMax = 32;  ///< transactions kept for one step

/// The address of the contract that an account makes with a nonce (CREATE, yellow paper section 7).
Address created_address(const Address& account, std::uint64_t nonce);

/// How long a step's transaction is waited for before its fee is raised, and how often it is raised
/// in one run.
struct DeployPatience {
  std::chrono::milliseconds wait{120'000};
  int raises = 3;
};

/// Estimates; sends nothing. Errc::refused where the chain refuses the deployment.
Result<Deployment> plan_deployment(chain::Chain& chain, const Address& deployer,
                                   const DeployOptions& options);

/// What a step came to.
struct DeployedContract {
  std::string contract;
  Address address;
  chain::TxHash tx;
  std::uint64_t gas_used = 0;
};

/// Does what isn't done yet, keeping `deployment` in `file` before each transaction, and checks
/// each contract's code. Errc::conflict where another transaction took a step's nonce;
/// Errc::timed_out, Errc::unavailable: run it again; Errc::refused, Errc::mismatch.
Result<std::vector<DeployedContract>> run_deployment(chain::Chain& chain, const crypto::EthKey& key,
                                                     const Clock& clock, Files& files,
                                                     const Path& file, Deployment& deployment,
                                                     DeployPatience patience = {});

}  // namespace sp::spctl
