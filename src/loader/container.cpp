#include "loader/container.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/process.hpp"

// glibc 2.36's header has no C linkage of its own.
extern "C" {
#include <sys/pidfd.h>
}

namespace sp::loader {
namespace {

constexpr const char* kCgroupMount = "/sys/fs/cgroup";
constexpr std::size_t kReadSize = 64 * 1024;
constexpr std::size_t kRuntimeLogMax = 4096;
constexpr auto kKillPause = std::chrono::milliseconds(2);
constexpr int kKillTriesMax = 5000;
constexpr std::uint64_t kFullBelowBytes = 64 * 1024;
constexpr const char* kSystemPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool unified() {
  struct statfs info {};
  return ::statfs(kCgroupMount, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

Path memory_group(const std::string& cgroup) {
  return unified() ? Path(kCgroupMount) / cgroup : Path(kCgroupMount) / "memory" / cgroup;
}

// How many processes of the group the kernel killed for want of memory.
std::uint64_t memory_kills(const std::string& cgroup) {
  std::ifstream events(memory_group(cgroup) / (unified() ? "memory.events" : "memory.oom_control"));
  std::uint64_t count = 0;
  for (std::string name; events >> name;) {
    std::uint64_t value = 0;
    if (!(events >> value)) break;
    if (name == "oom_kill") count = value;
  }
  return count;
}

bool is_full(const Path& file_system) {
  struct statvfs info {};
  if (::statvfs(file_system.c_str(), &info) != 0) return false;
  return info.f_bavail * info.f_bsize < kFullBelowBytes || info.f_favail == 0;
}

Status write_text(const Path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return Error{Errc::io, "writing " + file.string() + " failed"};
  return {};
}

std::string runtime_log(const Path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(kRuntimeLogMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// One container while it runs.
class Running {
 public:
  Running(const ContainerRun& run, const Clock& clock) : run_(run), clock_(clock) {}

  Result<ContainerEnd> to_end() {
    SP_TRY(start());
    const std::chrono::nanoseconds deadline = started_at_ + run_.time_limit;
    while (!watch(deadline)) {
    }
    // The runtime ends when the container has; what its pipe still holds is read without waiting.
    while (read_log()) {
    }
    if (too_much_ && end_.limit == api::LimitHit::none) end_.limit = api::LimitHit::log;
    end_.duration = clock_.monotonic() - started_at_;
    SP_TRY(check_started());
    judge();
    return std::move(end_);
  }

 private:
  Status start() {
    SP_TRY(write_text(run_.state / "config.json", container_config(run_.spec).dump()));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe");
    log_ = Fd(ends[0]);
    const Fd write_end(ends[1]);
    if (::fcntl(log_.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("pipe");
    ProcessOptions options;
    options.argv = {run_.runtime,
                    "--root",
                    (run_.state / "runtime").string(),
                    "--log",
                    (run_.state / "runtime.log").string(),
                    "run",
                    "--keep",  // the group's counters are read after the end
                    "--pid-file",
                    (run_.state / "pid").string(),
                    "--bundle",
                    run_.state.string(),
                    "workload"};
    options.environment = {kSystemPath};
    options.folder = run_.state;
    options.descriptors = {{STDOUT_FILENO, write_end.get()}, {STDERR_FILENO, write_end.get()}};
    started_at_ = clock_.monotonic();
    SP_ASSIGN(process_, Process::start(options));
    handle_ = Fd(::pidfd_open(process_->pid(), 0));
    if (!handle_.valid()) return errno_error("pidfd");
    return {};
  }

  // Waits for the next thing to happen. True at the end.
  bool watch(std::chrono::nanoseconds deadline) {
    pollfd waited[] = {
        {log_.get(), POLLIN, 0}, {handle_.get(), POLLIN, 0}, {run_.cancel_descriptor, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock_.monotonic());
    const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    const int ready = ::poll(waited, 3, timeout);
    if (ready < 0 && errno != EINTR) return stop(api::LimitHit::none);
    if ((waited[1].revents & POLLIN) != 0) return ended();
    if (clock_.monotonic() >= deadline) return stop(api::LimitHit::time);
    if ((waited[2].revents & POLLIN) != 0) {
      end_.cancelled = true;
      return stop(api::LimitHit::none);
    }
    if ((waited[0].revents & (POLLIN | POLLHUP)) != 0) read_log();
    if (too_much_) return stop(api::LimitHit::log);
    return false;
  }

  // Reads what is there; false where there is nothing more for now. The caller may stop at the
  // limit: too_much_ is set then.
  bool read_log() {
    const std::size_t before = end_.log.size();
    end_.log.resize(before + kReadSize);
    const ssize_t got = ::read(log_.get(), end_.log.data() + before, kReadSize);
    end_.log.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (end_.log.size() > kLogSizeMax) {
      end_.log.resize(kLogSizeMax);
      too_much_ = true;
      return false;
    }
    return got > 0;
  }

  // Kills everything in the container's group until the runtime sees the end. Always true.
  bool stop(api::LimitHit limit) {
    end_.limit = limit;
    const Path processes = memory_group(run_.spec.cgroup) / "cgroup.procs";
    for (int i = 0; i < kKillTriesMax && !ended(); ++i) {
      std::ifstream file(processes);
      for (pid_t pid = 0; file >> pid;) {
        if (pid > 1) ::kill(pid, SIGKILL);
      }
      read_log();  // the runtime must not wait for room in the pipe
      clock_.sleep_for(kKillPause);
    }
    process_->kill(SIGKILL);
    process_->wait(std::chrono::seconds(1));
    return true;
  }

  bool ended() { return process_->wait(std::chrono::milliseconds(0)).has_value(); }

  // The runtime writes the pid file once the container is started.
  Status check_started() {
    if (::access((run_.state / "pid").c_str(), F_OK) == 0) return {};
    if (end_.cancelled) return Error{Errc::cancelled, "cancelled before the container started"};
    return Error{Errc::unavailable, "the container runtime couldn't start the workload: " +
                                        runtime_log(run_.state / "runtime.log")};
  }

  void judge() {
    const auto end = process_->wait(std::chrono::milliseconds(0));
    if (end) end_.exit_code = end->signal != 0 ? 128 + end->signal : end->exit_code;
    if (end_.cancelled || end_.limit != api::LimitHit::none || end_.exit_code == 0) return;
    if (memory_kills(run_.spec.cgroup) > 0) {
      end_.limit = api::LimitHit::memory;
    } else if (is_full(run_.writable)) {
      end_.limit = api::LimitHit::disk;
    }
  }

  const ContainerRun& run_;
  const Clock& clock_;
  std::chrono::nanoseconds started_at_{0};
  std::optional<Process> process_;
  Fd handle_;
  Fd log_;
  bool too_much_ = false;
  ContainerEnd end_;
};

}  // namespace

Result<ContainerEnd> run_container(const ContainerRun& run, const Clock& clock) {
  SP_CHECK(run.spec.memory_bytes > 0 && run.spec.pids > 0 && !run.spec.cgroup.empty());
  return Running(run, clock).to_end();
}

std::uint64_t open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return std::min<std::uint64_t>(limit.rlim_max, kOpenFilesMax);
}

bool can_limit_swap() {
  if (unified()) return true;
  return ::access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
}

}  // namespace sp::loader
