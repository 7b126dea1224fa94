#include "spctl/daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/durable.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kPidFileMax = 64;
constexpr std::size_t kSettingsMax = 1 << 20;
constexpr std::size_t kLogTailBytes = 16 * 1024;
constexpr const char* kDaemonVariable = "SP_DAEMON=";  // and its name: how an unnoted one is known
constexpr int kProgramDescriptor = 9;  // where a program that its user can't reach by name is given

// Field 22 of /proc/PID/stat: when the process started, in clock ticks since the boot. Empty where
// there is no such process.
std::optional<std::string> start_time(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return std::nullopt;
  // The name in parentheses may hold anything; the fields begin behind its end.
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  if (!fields) return std::nullopt;
  return field;
}

// glibc 2.36 declares these without C linkage.
int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
void signal_process(const Fd& process, int signal) {
  ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0);
}

// A process that works in this folder with this variable in its environment. Only the daemon itself
// has both: what it starts works elsewhere.
std::optional<pid_t> process_of(const Path& folder, const std::string& variable) {
  std::error_code failed;
  const Path real = std::filesystem::canonical(folder, failed);
  if (failed) return std::nullopt;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string name = entry->path().filename();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size()) continue;
    std::error_code gone;
    if (std::filesystem::read_symlink(entry->path() / "cwd", gone) != real || gone) continue;
    std::ifstream environment(entry->path() / "environ", std::ios::binary);
    for (std::string one; std::getline(environment, one, '\0');) {
      if (one == variable) return pid;
    }
  }
  return std::nullopt;
}

bool is_reachable_by_all(const Path& program) {
  struct stat info {};
  if (::stat(program.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
  for (Path folder = program.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (::stat(folder.c_str(), &info) != 0 || (info.st_mode & S_IXOTH) == 0) return false;
  }
  return true;
}

// Opened by us or not, it is run as another user: a umask of 077 leaves programs that only their
// owner runs.
Status check_others_may_run(int opened, const Path& program) {
  struct stat info {};
  if (::fstat(opened, &info) != 0) return errno_error("look at", program);
  if ((info.st_mode & S_IXOTH) != 0) return {};
  return failure(Errc::refused, "starting " + program.string(),
                 "its mode lets only its owner run it, and it has a user of its own",
                 "chmod 755 " + program.string());
}

Status set_owner(const Path& path, std::optional<uid_t> user) {
  if (user && ::chown(path.c_str(), *user, *user) != 0) return errno_error("change owner of", path);
  return {};
}

}  // namespace

Status Daemon::prepare(std::optional<uid_t> user) {
  SP_TRY(files_.make_folder(folder_ / "state"));
  // A daemon with a user of its own reads its settings here; it gets here by its working directory.
  if (user && ::chmod(folder_.c_str(), 0755) != 0) return errno_error("open", folder_);
  return set_owner(folder_ / "state", user);
}

Status Daemon::write_state(const std::string& file, ByteView bytes, std::optional<uid_t> user) {
  // The owner is set each time: a spctl that was killed may have written the file and no more.
  if (files_.size(state(file))) return set_owner(state(file), user);
  SP_TRY(keep(files_, CrashSite::client_state, state(file), bytes, FileMode::owner_only));
  return set_owner(state(file), user);
}

Result<bool> Daemon::write_settings(const std::string& json) {
  const auto before = files_.read(settings(), kSettingsMax);
  if (before && as_text(*before) == json) return is_older_than_settings();
  SP_TRY(keep(files_, CrashSite::client_settings, settings(), as_bytes(json), FileMode::everyone));
  return true;
}

// Whether what runs may have been started before the settings were written: by a spctl that was
// killed in between.
bool Daemon::is_older_than_settings() const {
  if (!running()) return false;
  std::error_code unknown, unnoted;
  const auto written = std::filesystem::last_write_time(settings(), unknown);
  const auto started = std::filesystem::last_write_time(pid_file(), unnoted);
  return unknown || unnoted || written > started;
}

std::optional<pid_t> Daemon::running() const {
  const auto noted = noted_pid();
  return noted ? noted : process_of(folder_, kDaemonVariable + name_);
}

std::optional<pid_t> Daemon::noted_pid() const {
  const auto text = files_.read(pid_file(), kPidFileMax);
  if (!text) return std::nullopt;
  std::istringstream fields{std::string(as_text(*text))};
  pid_t pid = 0;
  std::string started;
  if (!(fields >> pid >> started) || pid <= 1) return std::nullopt;
  if (start_time(pid) != started) return std::nullopt;
  return pid;
}

bool Daemon::runs_other_program(pid_t pid, const Path& program) const {
  struct stat running {};
  struct stat wanted {};
  const std::string link = "/proc/" + std::to_string(pid) + "/exe";
  if (::stat(link.c_str(), &running) != 0 || ::stat(program.c_str(), &wanted) != 0) return false;
  return running.st_ino != wanted.st_ino || running.st_dev != wanted.st_dev;
}

Result<Process> Daemon::start(const DaemonStart& start) {
  const Fd log_file(::open(log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log_file.valid()) return errno_error("open", log());
  const Fd program(::open(start.program.c_str(), O_RDONLY | O_CLOEXEC));
  if (!program.valid()) return errno_error("open", start.program);
  ProcessOptions options;
  options.argv = {start.program.string()};
  options.descriptors = {{STDOUT_FILENO, log_file.get()}, {STDERR_FILENO, log_file.get()}};
  if (start.user && !is_reachable_by_all(start.program)) {
    SP_TRY(check_others_may_run(program.get(), start.program));
    options.argv = {"/proc/self/fd/" + std::to_string(kProgramDescriptor)};
    options.descriptors[kProgramDescriptor] = program.get();
  }
  options.argv.insert(options.argv.end(), start.arguments.begin(), start.arguments.end());
  options.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "HOME=state", "LANG=C.UTF-8", kDaemonVariable + name_};
  options.environment.insert(options.environment.end(), start.environment.begin(),
                             start.environment.end());
  options.folder = folder_;
  options.user = start.user;
  options.when_parent_dies = ProcessOptions::WhenParentDies::lives_on;
  crash_point(CrashSite::client_daemon, CrashMoment::before);
  SP_ASSIGN(Process process, Process::start(options));
  crash_point(CrashSite::client_daemon, CrashMoment::after);
  const auto started = start_time(process.pid());
  if (!started) return Error{Errc::unavailable, name_ + " ended at once:\n" + log_tail(5)};
  const std::string text = std::to_string(process.pid()) + " " + *started + "\n";
  SP_TRY(keep(files_, CrashSite::client_pid, pid_file(), as_bytes(text), FileMode::owner_only));
  return process;
}

Status Daemon::forget_pid() { return discard(files_, CrashSite::client_stopped, pid_file()); }

Status Daemon::stop(int signal) {
  const auto pid = running();
  if (!pid) return forget_pid();
  const Fd handle(open_process(*pid));
  // Between the look and the handle the process may have ended and its pid be another's.
  if (!handle.valid() || running() != pid) return forget_pid();
  pollfd ended{handle.get(), POLLIN, 0};
  signal_process(handle, signal);
  if (::poll(&ended, 1, static_cast<int>(kStopLimit.count())) != 1) {
    signal_process(handle, SIGKILL);
    if (::poll(&ended, 1, static_cast<int>(kKillLimit.count())) != 1) {
      return Error{Errc::timed_out, name_ + " (pid " + std::to_string(*pid) + ") doesn't end"};
    }
  }
  return forget_pid();
}

std::string Daemon::log_tail(std::size_t lines) const {
  const auto size = files_.size(log());
  if (!size || *size == 0) return "(its log is empty)";
  const std::size_t take = std::min<std::uint64_t>(*size, kLogTailBytes);
  const auto bytes = files_.read_range(log(), *size - take, take);
  if (!bytes) return "(its log can't be read)";
  std::string text(as_text(*bytes));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t at = text.size();
  for (std::size_t line = 0; line < lines && at != std::string::npos && at > 0; ++line) {
    at = text.rfind('\n', at - 1);
  }
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

}  // namespace sp::spctl
