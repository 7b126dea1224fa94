// A whole system in one process, from one seed: customers, a provider with a TEE, a broker, a store
// and a chain, all with the product's own code, on a simulated clock, network and disk; and what
// goes wrong between them.
#pragma once

#include "broker/remote.hpp"
#include "provider/controller.hpp"
#include "sim/checkers.hpp"
#include "sim/disk.hpp"
#include "sim/network.hpp"
#include "sim/node.hpp"
#include "sim/tee.hpp"
#include "sim/vendor.hpp"
#include "store/remote/http_store.hpp"

namespace sp::sim {

inline constexpr std::int64_t kEpoch = 1'800'000'000;
inline constexpr Number kToken = 1'000'000'000'000'000'000U;
inline constexpr Number kMinimumDeposit = 10 * kToken;

template <class Fixed>
constexpr Fixed filled(std::uint8_t byte) {
  Fixed value;
  value.data.fill(byte);
  return value;
}

inline constexpr ContractAddresses kAddresses{filled<Address>(0x70), filled<Address>(0x71),
                                              filled<Address>(0x72)};

struct RunOptions {
  std::uint64_t seed = 0;
  Bug bug = Bug::none;
  bool print = false;  ///< the trace, on standard error
};

struct RunReport {
  std::vector<std::string> violations;  ///< what checkers found; empty = the run is good
  std::uint64_t trace = 0;              ///< hash of all events
  std::uint64_t events = 0;
  std::uint64_t switches = 0;
  std::chrono::nanoseconds simulated{};
  std::size_t orders = 0, settled = 0, closed = 0, crashes = 0, releases = 0, stale = 0;
};

RunReport run_seed(const RunOptions& options);

class World {
 public:
  explicit World(const RunOptions& options);
  RunReport run();

 private:
  // Set up (setup.cpp).
  void make_terms();
  ContractState genesis() const;
  void stock();
  [[nodiscard]] broker::ReleasePolicy policy(bool own_upload) const;
  /// What brokers and policies accept of loaders, and customers of brokers.
  [[nodiscard]] attest::AppraisalPolicy accepted() const;
  [[nodiscard]] attest::AppraisalPolicy accepted_broker() const;
  // Daemons.
  void keep_running(const std::string& name, Disk& disk, std::function<void(ProcessId)> body);
  void run_broker(ProcessId process);
  void run_store(ProcessId process);
  void run_provider(ProcessId process);
  net::HttpResponse serve_broker(broker::Broker& broker, WatchedSource& source,
                                 const net::HttpRequest& request);
  void reap();
  void meddle();
  void note_promises();
  // Customers (customer.cpp).
  struct Desk;
  void live_order(std::size_t index);
  Status deposit_arguments(const OrderPlan& plan);
  void step_order(OrderPlan& plan, Desk& desk);
  void claim_parts(const OrderPlan& plan, Desk& desk);
  [[nodiscard]] bool all_ended() const;

  RunOptions options_;
  Dice dice_;
  Trace trace_;
  Tasks tasks_;
  SimClock clock_;
  FaultRates rates_;
  Faults faults_;
  Nanoseconds block_period_;
  std::optional<VendorDays> vendor_;  ///< of the machine; none: its evidence is of kind dev
  // Accounts and machines.
  broker::BrokerKeys broker_keys_;
  crypto::EthKey authority_, action_, author_, customer_, store_key_, stranger_;
  crypto::X25519KeyPair result_key_;
  Machine machine_;
  Disk provider_disk_, broker_disk_, store_disk_;
  Contracts contracts_;
  Network network_;
  std::vector<OrderPlan> plans_;
  std::optional<Checkers> checkers_;
  std::optional<Node> node_;
  std::map<std::string, ProcessId> daemons_;
  std::size_t crashes_ = 0;
};

}  // namespace sp::sim
