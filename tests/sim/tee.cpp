#include "sim/tee.hpp"

#include <poll.h>

#include <fstream>

#include "base/codec.hpp"
#include "base/testing/temporary_folder.hpp"
#include "broker/policy.hpp"
#include "sim/vendor.hpp"

namespace sp::sim {
namespace {

// What went wrong so long ago does nothing any more.
constexpr std::chrono::seconds kRecovery{10};

// A prover that remembers what it proved.
class Recorder final : public prove::Prover {
 public:
  Recorder(std::unique_ptr<prove::Prover> prover, std::set<attest::ReportData>* proved)
      : prover_(std::move(prover)), proved_(proved) {}
  [[nodiscard]] prove::ProverIdentity identity() const override { return prover_->identity(); }
  Result<attest::Evidence> evidence(const attest::ReportData& data) override {
    if (proved_ != nullptr) proved_->insert(data);
    return prover_->evidence(data);
  }

 private:
  std::unique_ptr<prove::Prover> prover_;
  std::set<attest::ReportData>* proved_;
};

}  // namespace

class SimTee final : public tee::RunningTee {
 public:
  SimTee(Machine& machine, std::string id, ProcessId process, std::unique_ptr<PipeEnd> window)
      : machine_(machine), id_(std::move(id)), process_(process), window_(std::move(window)) {}
  ~SimTee() override {
    kill();
    machine_.loaders_.erase(id_);
  }
  [[nodiscard]] ByteStream& window() override { return *window_; }
  std::optional<tee::TeeEnd> wait(std::chrono::milliseconds limit) override {
    const Nanoseconds until = machine_.tasks_.now() + limit;
    while (machine_.tasks_.has_tasks(process_)) {
      if (machine_.tasks_.now() >= until) return std::nullopt;
      machine_.tasks_.sleep(std::chrono::milliseconds(10));
    }
    return tee::TeeEnd{0, 0};
  }
  void kill() override {
    machine_.tasks_.kill(process_);
    window_->shut_down();
  }

 private:
  Machine& machine_;
  std::string id_;
  ProcessId process_;
  std::unique_ptr<PipeEnd> window_;
};

Machine::Machine(Tasks& tasks, Faults& faults, Trace& trace, const Clock& clock, Dice dice,
                 bool is_snp)
    : tasks_(tasks),
      faults_(faults),
      trace_(trace),
      clock_(clock),
      dice_(dice),
      is_snp_(is_snp),
      platform_(prove::DevPlatform::generate(dice_)) {
  honest_.data.fill(0x11);
  rogue_.data.fill(0x66);
}

attest::ChipId Machine::chip() const { return is_snp_ ? SnpProver::chip() : platform_.chip(); }

std::unique_ptr<prove::Prover> Machine::dev_prover() const {
  auto copy = prove::DevPlatform::decode(platform_.encode().reveal());
  SP_CHECK(copy.ok());
  return std::make_unique<prove::DevProver>(std::move(*copy), honest_);
}

std::unique_ptr<prove::Prover> Machine::prover(const attest::Measurement& measurement) {
  std::unique_ptr<prove::Prover> inner;
  if (is_snp_) {
    inner = std::make_unique<SnpProver>(measurement);
  } else {
    auto copy = prove::DevPlatform::decode(platform_.encode().reveal());
    SP_CHECK(copy.ok());
    inner = std::make_unique<prove::DevProver>(std::move(*copy), measurement);
  }
  return std::make_unique<Recorder>(std::move(inner), measurement == honest_ ? &proved_ : nullptr);
}

Result<std::unique_ptr<tee::RunningTee>> Machine::start(const tee::StartOptions& options) {
  if (loaders_.contains(options.id)) return Error{Errc::conflict, "runs already"};
  const bool is_rogue = faults_.happens(faults_.rates.rogue);
  const ProcessId process = tasks_.make_process("loader");
  auto [ours, theirs] = PipeEnd::pair(tasks_);
  loaders_[options.id] = process;
  trace_.note(tasks_.now(), (is_rogue ? "start rogue " : "start loader ") + options.id);
  tasks_.start_in(process, [this, is_rogue, window = std::shared_ptr<PipeEnd>(std::move(theirs)),
                            dice = dice_.split()] { run_loader(window, is_rogue, dice); });
  return std::unique_ptr<tee::RunningTee>(
      std::make_unique<SimTee>(*this, options.id, process, std::move(ours)));
}

void Machine::end_all() {
  for (const auto& [id, process] : loaders_) tasks_.kill(process);
  loaders_.clear();
}

void Machine::run_loader(std::shared_ptr<PipeEnd> window, bool is_rogue, Dice dice) {
  // The window closes with the loader, however it ends.
  struct Closed {
    explicit Closed(PipeEnd& end) : window(end) {}
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;
    ~Closed() { window.shut_down(); }
    PipeEnd& window;
  };
  const Closed closed(*window);
  const testing::TemporaryFolder memory(testing::memory_path());
  loader::LoaderSettings settings;
  settings.make_workspace = [&](std::uint64_t bytes) {
    return loader::Workspace::in_folder(memory.path(), bytes);
  };
  settings.run = [this](const loader::ContainerRun& run, const Clock&) {
    return run_workload(run);
  };
  const auto own = prover(is_rogue ? rogue_ : honest_);
  loader::WindowClient client(*window);
  const auto start = client.receive_start();
  if (!start) return;
  const Nanoseconds began = tasks_.now();
  const std::uint32_t before = is_rogue ? 0 : honest_loaders_[start->terms.salt]++;
  const api::Finish finish = loader::run_order(*start, client, *own, settings, clock_, dice);
  note_end(finish, began, before);
  trace_.note(tasks_.now(),
              "finish " + (finish.receipt
                               ? std::string(api::outcome_name(finish.receipt->statement.outcome))
                               : finish.failure));
  static_cast<void>(client.finish(finish).ok());
}

// Of earlier loaders, which something has ended, each may have had the keys: a broker gives them to
// so many sessions.
void Machine::note_end(const api::Finish& finish, Nanoseconds began, std::uint32_t before) {
  const bool had_sessions = before < broker::kSessionsDefault;
  if (!finish.attestation || !had_sessions || faults_.last() + kRecovery >= began) return;
  unhindered_[finish.attestation->statement.session] = tasks_.now();
}

std::string workload_output(const std::vector<std::string>& arguments) {
  std::string text = "output of";
  for (const std::string& argument : arguments) text += " " + argument;
  return text + "\n";
}

// The image's program: runs for argument 1 seconds, ends with argument 2.
Result<loader::ContainerEnd> Machine::run_workload(const loader::ContainerRun& run) const {
  on_workload();
  const auto& arguments = run.spec.arguments;
  loader::ContainerEnd end;
  const Nanoseconds started = clock_.monotonic();
  const auto number = [&](std::size_t index) {
    const auto amount = Amount::from_text(index < arguments.size() ? arguments[index] : "0");
    return amount ? static_cast<std::int64_t>(amount->units()) : 0;
  };
  const Nanoseconds wanted = std::chrono::seconds(number(1));
  end.exit_code = static_cast<int>(number(2));
  while (clock_.monotonic() - started < wanted) {
    pollfd cancel{run.cancel_descriptor, POLLIN, 0};
    if (host_cancels || ::poll(&cancel, 1, 0) > 0) {
      end.cancelled = true;
      break;
    }
    if (clock_.monotonic() - started >= run.time_limit) {
      end.limit = api::LimitHit::time;
      break;
    }
    clock_.sleep_for(std::chrono::seconds(1));
  }
  std::ofstream(run.spec.output / "answer.txt") << workload_output(arguments);
  end.duration = clock_.monotonic() - started;
  end.log = to_bytes(as_bytes("done\n"));
  return end;
}

}  // namespace sp::sim
