#include "loader/run_order.hpp"

#include "base/crash_point.hpp"
#include "base/sync.hpp"
#include "loader/parts.hpp"
#include "loader/result.hpp"
#include "loader/session.hpp"

namespace sp::loader {
namespace {

constexpr std::uint64_t kMib = std::uint64_t{1} << 20;
constexpr int kNoSuchProgram = 127;  // as shells say it

/// One run, step by step. What is known so far stands in the receipt.
class OrderRun {
 public:
  OrderRun(Session session, WindowClient& window, const LoaderSettings& settings,
           const Clock& clock, Random& random)
      : session_(std::move(session)),
        window_(window),
        settings_(settings),
        clock_(clock),
        random_(random) {
    peers_.accept = [this, market = session_.market()](const api::Acceptance& acceptance) {
      return ask_acceptance(window_, acceptance, market);
    };
    peers_.broker = [this](const Address& broker) {
      return std::make_unique<WindowBroker>(window_, broker);
    };
    receipt_.run = session_.run();
  }

  api::Finish to_finish(prove::Prover& prover) {
    api::Finish finish;
    window_.tell_stage(api::Stage::attesting, "");
    const Status attested = attest(prover);
    if (!attested) {
      finish.failure = attested.error().message;
      return finish;
    }
    finish.proof = session_.proof();
    finish.attestation = session_.attestation();
    const Status done = work();
    if (!done) {
      finish.failure = done.error().message;
      receipt_.outcome = blame_.part ? api::Outcome::input : api::Outcome::provider;
      receipt_.fault_part = blame_.part.value_or(0);
      receipt_.limit = api::LimitHit::none;
      receipt_.exit_code = -1;
    } else {
      finish.c = c_;
      finish.failure = failure_text();
    }
    finish.receipt = session_.sign(receipt_);
    return finish;
  }

 private:
  Status work() {
    SP_TRY(release_all());
    window_.tell_stage(api::Stage::fetching, "");
    SP_ASSIGN(const Workspace workspace,
              settings_.make_workspace(session_.terms().disk_mib * kMib));
    SP_TRY(open_all(workspace));
    if (window_.cancelled()) {
      return Error{Errc::cancelled, "cancelled before the workload was started"};
    }
    WorkloadEnd end;
    window_.tell_stage(api::Stage::running, "");
    SP_TRY(run_workload(workspace, end));
    window_.tell_stage(api::Stage::sealing, "");
    crash_point(CrashSite::loader_result, CrashMoment::before);
    SP_ASSIGN(const StoredResult stored,
              store_result(session_, end, secrets_[0].secret.key, workspace, window_, random_));
    crash_point(CrashSite::loader_result, CrashMoment::after);
    receipt_.outcome = end.outcome;
    receipt_.exit_code = end.container.exit_code;
    receipt_.limit = end.container.limit;
    receipt_.result = {stored.package.data};
    receipt_.commitment = api::commitment_of(session_.run(), session_.address(), stored.c);
    set_opened(session_.terms().storage_index());
    c_ = stored.c;
    return {};
  }

  Status attest(prove::Prover& prover) {
    const CrashEffect effect(CrashSite::loader_attest);
    return session_.attest(peers_, prover);
  }

  // All keys, and what their owners say of the arguments.
  Status release_all() {
    const api::Terms& terms = session_.terms();
    for (std::size_t part = 0; part < terms.storage_index(); ++part) {
      const CrashEffect effect(CrashSite::loader_release);
      SP_ASSIGN(api::ReleasedSecret released, session_.release(peers_, part, blame_));
      secrets_.push_back(std::move(released));
    }
    SP_TRY(open_arguments());
    for (std::size_t part = 0; part < secrets_.size(); ++part) {
      if (Status fits = api::check_arguments(arguments_, secrets_[part].conditions); !fits) {
        blame_.part = static_cast<std::uint8_t>(part);
        return fits.error().in("part " + std::to_string(part));
      }
    }
    return {};
  }

  // Their broker has signed for them as they were deposited, so what is wrong was wrong before.
  Status open_arguments() {
    constexpr std::size_t kPart = api::Terms::kArguments;
    const api::PartSecret& own = secrets_[kPart].secret;
    auto arguments = api::Arguments::decode(own.arguments.reveal());
    const Digest32& committed = session_.terms().parts[kPart].digest;
    if (!arguments || api::argument_commitment(own.key, *arguments) != committed) {
      blame_.part = kPart;
      return Error{Errc::mismatch, "the arguments aren't those that the terms commit to"};
    }
    arguments_ = std::move(*arguments);
    set_opened(kPart);
    return {};
  }

  // The image here, the data beside it.
  Status open_all(const Workspace& workspace) {
    Blame data_blame;
    std::uint32_t data_opened = 0;
    Later<Status> data([&] { return open_data(workspace, data_blame, data_opened); });
    const Status image = open_solution(workspace);
    const Status opened = data.get();
    receipt_.opened |= data_opened;
    SP_TRY(image);
    if (!opened) blame_ = data_blame;
    return opened;
  }

  Status open_data(const Workspace& workspace, Blame& blame, std::uint32_t& opened) {
    const api::Terms& terms = session_.terms();
    for (std::size_t part = kFirstData; part < terms.storage_index(); ++part) {
      const std::size_t number = part - kFirstData + 1;
      WindowStore store(window_, terms.parts[part].store, OnCancel::stop);
      SP_TRY(workspace.add_input(number));
      SP_TRY(open_package(store, terms.parts[part].digest, secrets_[part].secret.key, workspace,
                          workspace.input(number), static_cast<std::uint8_t>(part), blame));
      opened |= 1U << part;
    }
    return {};
  }

  Status open_solution(const Workspace& workspace) {
    constexpr std::size_t kPart = api::Terms::kSolution;
    const api::Part& part = session_.terms().parts[kPart];
    WindowStore store(window_, part.store, OnCancel::stop);
    SP_ASSIGN(image_, open_image(store, part.digest, secrets_[kPart].secret.key, workspace,
                                 data_count(), blame_));
    auto line = command_line(image_.config, arguments_);
    if (!line) {
      blame_.part = kPart;
      return line.error();
    }
    line_ = std::move(*line);
    set_opened(kPart);
    return {};
  }

  Status run_workload(const Workspace& workspace, WorkloadEnd& end) {
    const api::Terms& terms = session_.terms();
    const std::uint32_t base = workspace.owner_base().value_or(0);
    const auto writable = workspace.make_writable(base + image_.user.uid, base + image_.user.gid);
    if (!writable) {
      // All fits but the workload itself: the order's mistake, not the machine's.
      if (writable.error().code == Errc::too_large) blame_.part = api::Terms::kSolution;
      return writable.error();
    }
    ContainerRun run;
    run.spec.arguments = line_.arguments;
    run.spec.environment = line_.environment;
    if (!image_.config.working_dir.empty()) run.spec.working_dir = image_.config.working_dir;
    run.spec.user = image_.user;
    run.spec.rootfs = workspace.rootfs();
    for (std::size_t i = 1; i <= data_count(); ++i) run.spec.inputs.push_back(workspace.input(i));
    run.spec.output = workspace.output();
    run.spec.temporary = workspace.temporary();
    run.spec.cpu_milli = terms.cpu_milli;
    // What the workload writes lies in memory and is counted there, so its disk comes on top.
    run.spec.memory_bytes = terms.memory_mib * kMib + *writable;
    run.spec.limit_swap = can_limit_swap();
    run.spec.pids = terms.pids;
    run.spec.open_files = open_files_limit();
    run.spec.cgroup = settings_.cgroup;
    run.runtime = settings_.runtime;
    run.state = workspace.container();
    run.writable = workspace.writable();
    run.time_limit = std::chrono::seconds(terms.ordered_seconds);
    run.cancel_descriptor = window_.cancel_descriptor();
    SP_TRY(start_and_wait(run, workspace, end.container));
    receipt_.started = true;
    receipt_.duration_ms = static_cast<std::uint64_t>(
        std::chrono::ceil<std::chrono::milliseconds>(end.container.duration).count());
    end.outcome = end.container.cancelled                      ? api::Outcome::cancelled
                  : end.container.exit_code != 0               ? api::Outcome::workload
                  : end.container.limit != api::LimitHit::none ? api::Outcome::workload
                                                               : api::Outcome::success;
    return {};
  }

  Status start_and_wait(const ContainerRun& run, const Workspace& workspace, ContainerEnd& end) {
    const Rootfs rootfs(workspace.rootfs(), {}, {});
    const std::string& program = run.spec.arguments.front();
    if (!rootfs.has_program(program, run.spec.working_dir, line_.search_path)) {
      // The order's own mistake, in image or arguments: a workload that ends at once.
      end.exit_code = kNoSuchProgram;
      end.log = to_bytes(as_bytes("no such program in the image: " + program + "\n"));
      return {};
    }
    const CrashEffect effect(CrashSite::loader_workload);
    SP_ASSIGN(end, settings_.run(run, clock_));
    return {};
  }

  [[nodiscard]] std::size_t data_count() const {
    return session_.terms().storage_index() - kFirstData;
  }
  void set_opened(std::size_t part) { receipt_.opened |= 1U << part; }

  // For people; nothing that the customer alone may know.
  [[nodiscard]] std::string failure_text() const {
    switch (receipt_.outcome) {
      case api::Outcome::cancelled:
        return "cancelled while it ran";
      case api::Outcome::workload:
        if (receipt_.limit != api::LimitHit::none) {
          return "stopped at its limit of " + std::string(api::limit_name(receipt_.limit));
        }
        return "exit code " + std::to_string(receipt_.exit_code);
      default:
        return {};
    }
  }

  static constexpr std::size_t kFirstData = api::Terms::kSolution + 1;

  Session session_;
  WindowClient& window_;
  const LoaderSettings& settings_;
  const Clock& clock_;
  Random& random_;
  SessionPeers peers_;
  Blame blame_;
  api::Receipt receipt_;
  Digest32 c_;
  std::vector<api::ReleasedSecret> secrets_;
  api::Arguments arguments_;
  OpenedImage image_;
  CommandLine line_;
};

}  // namespace

api::Finish run_order(const api::Start& start, WindowClient& window, prove::Prover& prover,
                      const LoaderSettings& settings, const Clock& clock, Random& random) {
  auto session = Session::make(start, prover.identity(), random);
  if (!session) {
    api::Finish finish;
    finish.failure = session.error().message;
    return finish;
  }
  return OrderRun(std::move(*session), window, settings, clock, random).to_finish(prover);
}

}  // namespace sp::loader
