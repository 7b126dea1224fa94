#include "tee/sandbox.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "base/process.hpp"
#include "tee/cgroups.hpp"

namespace sp::tee {
namespace {

constexpr int kWindowDescriptor = 3;
constexpr int kPlatformDescriptor = 4;
constexpr std::size_t kCgroupParentMax = 128;
constexpr std::chrono::seconds kWindowPatience{30};  // with a loader that reads nothing
constexpr std::uint64_t kMib = std::uint64_t{1} << 20;
constexpr unsigned long kNamespaces =
    CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr const char* kSystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_name(std::string_view text, std::size_t size_max, std::string_view also) {
  return !text.empty() && text.size() <= size_max &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                  also.find(c) != std::string_view::npos;
         });
}

/// Starts processes from one thread that lives as long as the host: a loader dies with the thread
/// that started it, and callers' threads come and go.
class Starter {
 public:
  using Task = std::packaged_task<Result<Process>()>;

  Starter() : thread_([this] { run(); }) {}
  ~Starter() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Result<Process> start(std::function<Result<Process>()> how) {
    Task task(std::move(how));
    std::future<Result<Process>> started = task.get_future();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !task_.valid(); });
    task_ = std::move(task);
    lock.unlock();
    changed_.notify_all();
    return started.get();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopping_ || task_.valid(); });
      if (stopping_) return;
      Task task = std::exchange(task_, Task());
      lock.unlock();
      changed_.notify_all();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Task task_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Everything that running TEEs need of their host; they may outlive it.
struct Shared {
  Shared(Cgroups groups, std::string group)
      : cgroups(std::move(groups)), parent(std::move(group)) {}
  ~Shared() { cgroups.remove_empty(parent); }
  Cgroups cgroups;
  std::string parent;
  Starter starter;
};

class SandboxTee final : public RunningTee {
 public:
  SandboxTee(std::shared_ptr<Shared> shared, std::string group, Fd window)
      : shared_(std::move(shared)),
        group_(std::move(group)),
        window_(std::move(window)),
        stream_(window_.get()) {}

  ~SandboxTee() override {
    kill();
    process_.reset();  // kills and reaps
    clean_up();
  }

  Status start(const ProcessOptions& options) {
    SP_ASSIGN(process_, shared_->starter.start(
                            [&] { return shared_->cgroups.start_in_loader(group_, options); }));
    return {};
  }

  [[nodiscard]] ByteStream& window() override { return stream_; }

  std::optional<TeeEnd> wait(std::chrono::milliseconds limit) override {
    const auto end = process_->wait(limit);
    if (!end) return std::nullopt;
    clean_up();
    return TeeEnd{end->exit_code, end->signal};
  }

  void kill() override {
    if (process_) process_->kill(SIGKILL);
  }

 private:
  void clean_up() {
    if (std::exchange(cleaned_, true)) return;
    if (const Status removed = shared_->cgroups.remove(group_); !removed) {
      log(LogLevel::warning, "tee_left_behind",
          {{"group", group_}, {"error", removed.error().message}});
    }
  }

  std::shared_ptr<Shared> shared_;
  std::string group_;
  Fd window_;
  SocketStream stream_;
  std::optional<Process> process_;
  bool cleaned_ = false;
};

class Sandbox final : public TeeHost {
 public:
  Sandbox(SandboxOptions options, Cgroups cgroups)
      : options_(std::move(options)),
        shared_(std::make_shared<Shared>(std::move(cgroups), options_.cgroup_parent)) {}

  [[nodiscard]] TeeKind kind() const override { return TeeKind::sandbox; }

  Result<std::unique_ptr<RunningTee>> start(const StartOptions& options) override {
    if (!is_name(options.id, kTeeIdMax, "")) {
      return Error{Errc::usage, "a TEE's id is 1 to 64 of a-z, 0-9 and '-', not " + options.id};
    }
    const Fd platform(::open(options_.platform.c_str(), O_RDONLY | O_CLOEXEC));
    if (!platform.valid()) return errno_error("open", options_.platform);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      return errno_error("socketpair");
    }
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    // A loader that reads nothing must not hold whoever tells it something.
    const timeval patience{kWindowPatience.count(), 0};
    if (::setsockopt(ours.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
      return errno_error("setsockopt");
    }
    const std::string group = options_.cgroup_parent + "/" + options.id;
    const CgroupLimits limits{
        (std::uint64_t{options.memory_mib} + options.disk_mib) * kMib + kLoaderMemoryBytes,
        options.pids + kLoaderPids};
    if (const Status made = shared_->cgroups.create(group, limits); !made) {
      // What was made before the failure goes; a group that somebody else runs in stays.
      if (made.error().code != Errc::conflict) {
        static_cast<void>(shared_->cgroups.remove(group).ok());
      }
      return made.error();
    }
    auto running = std::make_unique<SandboxTee>(shared_, group, std::move(ours));
    SP_TRY(running->start(
        process_options(group, theirs.get(), platform.get(), options.log_descriptor)));
    return std::unique_ptr<RunningTee>(std::move(running));
  }

  Status sweep() override {
    for (const std::string& name : shared_->cgroups.children(options_.cgroup_parent)) {
      const std::string group = options_.cgroup_parent + "/" + name;
      shared_->cgroups.kill_all(group);
      SP_TRY(shared_->cgroups.remove(group));
    }
    return {};
  }

 private:
  ProcessOptions process_options(const std::string& group, int window, int platform, int log) {
    ProcessOptions process;
    process.argv = {options_.loader.string(), "--cgroup", group + "/" + kWorkloadLeaf};
    if (!options_.runtime.empty()) {
      process.argv.insert(process.argv.end(), {"--runc", options_.runtime});
    }
    // OpenSSL inside takes no configuration from this machine.
    process.environment = {std::string("PATH=") + kSystemPath, "OPENSSL_CONF=/dev/null"};
    if (options_.crash_point && !first_started_.exchange(true)) {
      process.environment.push_back(*options_.crash_point);
    }
    process.folder = "/";
    process.descriptors = {{kWindowDescriptor, window}, {kPlatformDescriptor, platform}};
    if (log >= 0) process.descriptors[STDERR_FILENO] = log;
    process.unshare_flags = kNamespaces;
    return process;
  }

  SandboxOptions options_;
  std::atomic<bool> first_started_ = false;
  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::string_view tee_kind_name(TeeKind kind) {
  switch (kind) {
    case TeeKind::sandbox:
      return "sandbox";
  }
  return "unknown";
}

Result<std::unique_ptr<TeeHost>> make_sandbox(SandboxOptions options) {
  const std::string& parent = options.cgroup_parent;
  if (!is_name(parent, kCgroupParentMax, "/") || parent.front() == '/' || parent.back() == '/' ||
      parent.find("//") != std::string::npos) {
    return Error{Errc::usage, "not a name for control groups: \"" + parent + "\""};
  }
  if (::geteuid() != 0) {
    return Error{Errc::unsupported, "the sandbox starts loaders in new namespaces: it needs root"};
  }
  SP_ASSIGN(Cgroups cgroups, Cgroups::detect());
  return std::unique_ptr<TeeHost>(
      std::make_unique<Sandbox>(std::move(options), std::move(cgroups)));
}

}  // namespace sp::tee
