// What must hold in every run, looked at after every block and every release.
#pragma once

#include <set>
#include <span>

#include "api/broker.hpp"
#include "net/http.hpp"
#include "sim/node.hpp"
#include "sim/tee.hpp"
#include "sim/vendor.hpp"
#include "store/package.hpp"

namespace sp::sim {

/// An order of the simulation.
struct OrderPlan {
  api::Terms terms;
  api::OrderId id;
  api::Arguments arguments;
  Secret32 secret;
  Nanoseconds start{};
  std::optional<Nanoseconds> cancel_at;
  bool ended = false;        ///< for good: no reorganisation changes it any more
  bool must_settle = false;  ///< nothing failed any more while there was still time
};

class Checkers {
 public:
  Checkers(const Contracts& contracts, const std::vector<OrderPlan>& plans, const Machine& machine,
           const Tasks& tasks)
      : contracts_(contracts), plans_(plans), machine_(machine), tasks_(tasks) {}

  /// Money: nothing appears or vanishes, and everything that is owed is there.
  void check_money(const ContractState& state);
  /// Settlements pay what the product's own pricing says, for an outcome that may be: cancelled
  /// only where the customer has cancelled, the provider's failure or an input's only where
  /// something hindered the run.
  void check_payment(const SimBlock::Executed& executed, std::int64_t time,
                     const ContractState& before);
  void check_single_end(const Node& node);
  /// A key went out: the session was an honest loader's on this machine, and the order was live at
  /// some moment that the broker may have looked at, from `from` on.
  void check_release(const Node& node, const api::ReleaseRequest& request, Nanoseconds from);
  /// An answer to `attest` or `release`: given only where the revocation list that the broker had
  /// of its source revoked nobody and held at such a moment; where it had ended, the caller is told
  /// when to try again.
  void check_collateral(const Node& node, const std::optional<ListFacts>& list, Nanoseconds from,
                        const net::HttpResponse& answer);
  /// At the end of the run.
  void check_ends(const ContractState& state);

  /// Packages of results whose settlements say that a store has promised them.
  [[nodiscard]] const std::set<store::PackageId>& results() const { return results_; }
  /// Of those: whether all of it is in the store.
  void check_result(const store::PackageId& result, bool is_there);

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::size_t releases() const { return releases_; }
  /// Settlements of runs that nothing hindered.
  [[nodiscard]] std::size_t unhindered() const { return unhindered_; }
  /// Answers that weren't given because a list had ended or revoked the chip.
  [[nodiscard]] std::size_t stale() const { return stale_; }

 private:
  void violate(const std::string& what);
  [[nodiscard]] static std::span<const Node::Head> heads_since(const Node& node, Nanoseconds from);
  [[nodiscard]] const OrderPlan* plan_of(const api::OrderId& id) const;
  void check_settlement(const api::Terms& terms, const SimBlock::Executed& executed,
                        std::int64_t time, const ContractState& before);
  void check_outcome(const api::Attestation& attestation, const api::Receipt& receipt,
                     const ContractState::Order& held);

  const Contracts& contracts_;
  const std::vector<OrderPlan>& plans_;
  const Machine& machine_;
  const Tasks& tasks_;
  std::vector<std::string> violations_;
  std::set<store::PackageId> results_;
  std::size_t releases_ = 0;
  std::size_t unhindered_ = 0;
  std::size_t stale_ = 0;
};

}  // namespace sp::sim
