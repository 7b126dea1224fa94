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
/// Blocks before an upset's order: more than the deepest takes back.
inline constexpr std::uint64_t kQuietFrom = 14;
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

/// How far an order is, for an upset.
enum class OrderStage : std::uint8_t {
  created,    ///< in the newest block
  taken,      ///< its first loader asks for its nonces
  attesting,  ///< its loader shows its evidence
  releasing,  ///< its loader asks for a key
  running,    ///< the workload begins
  settling,   ///< the settlement is about to reach the chain's pool
  in_pool,    ///< the settlement waits there
  settled,    ///< in the newest block
};

/// A world with one order, where nothing goes wrong but one reorganisation, when the order is at
/// that stage. Blocks come only where transactions wait, so the creation is among the newest.
struct Upset {
  OrderStage stage = OrderStage::created;
  std::uint64_t depth = 1;  ///< blocks that are replaced, 1 to 12
  /// Whether what was in them is in those that replace them; otherwise it comes after those.
  bool back = true;
};

/// A world where nothing goes wrong but that so many orders come within a minute, of which one is
/// cancelled, for a provider that runs one at a time and has room for one more.
struct Crowd {
  std::size_t orders = 8;
};

struct RunOptions {
  std::uint64_t seed = 0;
  Bug bug = Bug::none;
  bool print = false;  ///< the trace, on standard error
  std::optional<Upset> upset;
  std::optional<Crowd> crowd;
};

struct RunReport {
  std::vector<std::string> violations;  ///< what checkers found; empty = the run is good
  std::uint64_t trace = 0;              ///< hash of all events
  std::uint64_t events = 0;
  std::uint64_t switches = 0;
  std::chrono::nanoseconds simulated{};
  std::size_t orders = 0, settled = 0, closed = 0, crashes = 0, releases = 0, stale = 0;
  /// The order's right after the upset; empty where it never came to the stage.
  std::optional<market::OrderStatus> after_upset;
  std::uint64_t delayed = 0;   ///< orders that waited for room in the queue, of a crowd
  std::size_t replaced = 0;    ///< transactions in whose place one came that bid more
  std::size_t unhindered = 0;  ///< settlements of runs that nothing hindered, undone ones as well
  std::size_t undone = 0;      ///< settlements that a reorganisation took back
};

RunReport run_seed(const RunOptions& options);

class World {
 public:
  explicit World(const RunOptions& options);
  RunReport run();

 private:
  // Set up (setup.cpp).
  api::Compute make_offer();
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
  void run_provider(ProcessId process);
  net::HttpResponse serve_broker(broker::Broker& broker, WatchedSource& source,
                                 const net::HttpRequest& request);
  void reap();
  void meddle();
  // The store (storage.cpp).
  void run_store(ProcessId process);
  void want_deleted();
  void check_results();
  void reach(OrderStage stage);
  void look_at_head();
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
  std::optional<market::OrderStatus> after_upset_;
  std::uint64_t delayed_ = 0;
  std::set<api::OrderId> settled_;  // in the newest block of the last look
  std::size_t undone_ = 0;
};

}  // namespace sp::sim
