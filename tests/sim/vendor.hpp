// A vendor of processors, for worlds whose machine has SEV-SNP. Loaders' evidence comes without a
// revocation list, so brokers ask the vendor's service, which may publish a list that has ended, or
// one that revokes the signers of the chip, for a while. Made of AmdVendor; nothing of what is
// decided in a run depends on its keys.
#pragma once

#include "attest/testing/amd_vendor.hpp"
#include "collateral/answers.hpp"
#include "collateral/cached_source.hpp"
#include "prove/prover.hpp"
#include "sim/faults.hpp"

namespace sp::sim {

/// What is true of a revocation list.
struct ListFacts {
  std::int64_t until = 0;  ///< Unix time of its end
  bool revokes = false;    ///< the intermediate that signs chips
  auto operator<=>(const ListFacts&) const = default;
};

/// What a vendor publishes when, by the simulated clock.
struct VendorDays {
  struct Trouble {
    std::int64_t from = 0;  ///< when the good list ends, and no other comes
    std::int64_t to = 0;    ///< when the next good list comes
    bool revokes = false;   ///< between: a list that revokes, in place of the ended one
  };
  /// Unix time; none: a list that doesn't end in a run.
  std::optional<Trouble> trouble;

  /// From `begin` to `calm`, Unix time: there is none in half of the cases.
  static VendorDays draw(Dice& dice, std::int64_t begin, std::int64_t calm);
  /// The list that is published then.
  [[nodiscard]] ListFacts at(std::int64_t now) const;
};

/// Evidence of the one chip that there is.
class SnpProver final : public prove::Prover {
 public:
  explicit SnpProver(const attest::Measurement& measurement) : measurement_(measurement) {}
  [[nodiscard]] prove::ProverIdentity identity() const override;
  Result<attest::Evidence> evidence(const attest::ReportData& data) override;
  static attest::ChipId chip();

 private:
  attest::Measurement measurement_;
};

/// The vendor's service, across a network that loses answers.
class VendorService final : public collateral::Upstream {
 public:
  VendorService(Tasks& tasks, Faults& faults, const Clock& clock, Trace& trace,
                const VendorDays& days)
      : tasks_(tasks), faults_(faults), clock_(clock), trace_(trace), days_(days) {}
  Result<collateral::Fetched> fetch(const collateral::Wanted& wanted,
                                    const collateral::Validator& kept) override;

 private:
  Tasks& tasks_;
  Faults& faults_;
  const Clock& clock_;
  Trace& trace_;
  const VendorDays days_;
};

/// A broker's source, which remembers for each task what list it gave.
class WatchedSource final : public collateral::CollateralSource {
 public:
  /// With `plants_good` every list is replaced by one that is good for ever: the broker behaves as
  /// one that looks neither at a list's dates nor at its entries.
  WatchedSource(Tasks& tasks, collateral::CollateralSource& source, bool plants_good)
      : tasks_(tasks), source_(source), plants_good_(plants_good) {}
  Result<collateral::Published> get(const collateral::Wanted& wanted) override;
  /// The list that the calling task was last given; forgets it.
  std::optional<ListFacts> take();

 private:
  Tasks& tasks_;
  collateral::CollateralSource& source_;
  bool plants_good_;
  std::map<Scheduler::TaskId, ListFacts> given_;
};

}  // namespace sp::sim
