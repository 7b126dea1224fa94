// A TEE host whose loaders are tasks: the real loader, a workload that is a function of its
// arguments, and evidence of a dev platform or of a vendor's processor. A rogue loader is the same
// with a measurement that nobody allows.
#pragma once

#include <map>
#include <set>

#include "loader/run_order.hpp"
#include "prove/dev.hpp"
#include "sim/faults.hpp"
#include "sim/window.hpp"
#include "tee/tee_host.hpp"

namespace sp::sim {

/// A machine with a TEE. It outlives the provider's processes on it.
class Machine {
 public:
  /// With `is_snp` its loaders have a processor's evidence (vendor.hpp), else a dev platform's.
  Machine(Tasks& tasks, Faults& faults, Trace& trace, const Clock& clock, Dice dice, bool is_snp);

  [[nodiscard]] const attest::Measurement& honest() const { return honest_; }
  [[nodiscard]] const attest::Measurement& rogue() const { return rogue_; }
  [[nodiscard]] attest::EvidenceKind kind() const {
    return is_snp_ ? attest::EvidenceKind::sev_snp : attest::EvidenceKind::dev;
  }
  [[nodiscard]] attest::ChipId chip() const;
  [[nodiscard]] Digest48 anchor() const { return platform_.anchor(); }
  /// Whether an honest loader bound this report data into evidence.
  [[nodiscard]] bool proved(const attest::ReportData& data) const { return proved_.contains(data); }
  /// A prover of the dev platform, for programs that aren't in a TEE.
  [[nodiscard]] std::unique_ptr<prove::Prover> dev_prover() const;

  Result<std::unique_ptr<tee::RunningTee>> start(const tee::StartOptions& options);
  void end_all();
  /// Loaders that run.
  [[nodiscard]] const std::map<std::string, ProcessId>& loaders() const { return loaders_; }

  /// When the loader of this session signed its receipt, where nothing hindered it: nothing went
  /// wrong from ten seconds before its start until then, and its broker had keys left for it.
  [[nodiscard]] std::optional<Nanoseconds> unhindered(const Address& session) const {
    const auto found = unhindered_.find(session);
    return found == unhindered_.end() ? std::nullopt : std::optional(found->second);
  }

  std::function<void()> on_workload;  ///< a workload begins
  bool host_cancels = false;          ///< the host tells each loader of a cancel that isn't

 private:
  friend class SimTee;
  /// A loader's prover.
  [[nodiscard]] std::unique_ptr<prove::Prover> prover(const attest::Measurement& measurement);
  void note_end(const api::Finish& finish, Nanoseconds began, std::uint32_t before);
  void run_loader(std::shared_ptr<PipeEnd> window, bool is_rogue, Dice dice);
  Result<loader::ContainerEnd> run_workload(const loader::ContainerRun& run) const;

  Tasks& tasks_;
  Faults& faults_;
  Trace& trace_;
  const Clock& clock_;
  Dice dice_;
  bool is_snp_;
  prove::DevPlatform platform_;
  attest::Measurement honest_, rogue_;
  std::set<attest::ReportData> proved_;
  std::map<std::string, ProcessId> loaders_;
  std::map<Digest32, std::uint32_t> honest_loaders_;  // that were started, by the terms' salt
  std::map<Address, Nanoseconds> unhindered_;
};

/// The provider's view of its machine.
class SimTeeHost final : public tee::TeeHost {
 public:
  explicit SimTeeHost(Machine& machine) : machine_(machine) {}
  [[nodiscard]] tee::TeeKind kind() const override { return tee::TeeKind::sandbox; }
  Result<std::unique_ptr<tee::RunningTee>> start(const tee::StartOptions& options) override {
    return machine_.start(options);
  }
  Status sweep() override {
    machine_.end_all();
    return {};
  }

 private:
  Machine& machine_;
};

/// What a workload with these arguments writes: the checker knows it, too.
std::string workload_output(const std::vector<std::string>& arguments);

}  // namespace sp::sim
