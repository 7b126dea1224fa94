#include "base/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

// glibc 2.36's header has no C linkage of its own.
extern "C" {
#include <sys/pidfd.h>
}

namespace sp {
namespace {

// Everything the child needs, made before the fork: between fork and exec only system calls are
// allowed.
struct ChildPlan {
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::vector<std::string> candidates;  // paths to try in order
  std::vector<std::pair<int, int>> descriptors;
  const char* folder = nullptr;
  const ProcessOptions* options = nullptr;
  pid_t parent = 0;
};

std::vector<std::string> program_candidates(const std::string& name) {
  if (name.find('/') != std::string::npos) return {name};
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing sets variables
  std::string rest = path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path;
  std::vector<std::string> candidates;
  for (std::size_t end = 0; !rest.empty(); rest.erase(0, end + 1)) {
    end = std::min(rest.find(':'), rest.size() - 1);
    std::string folder = rest.substr(0, rest.find(':'));
    if (!folder.empty()) candidates.push_back(folder + "/" + name);
  }
  return candidates;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

// Moves the descriptors to their numbers. First all go above every target, so that none overwrites
// another.
bool place_descriptors(const std::vector<std::pair<int, int>>& descriptors, int keep) {
  constexpr int kAbove = 100;
  int parked[64];
  std::size_t count = 0;
  for (const auto& [target, source] : descriptors) {
    if (count == std::size(parked) || target >= kAbove) return false;
    parked[count] = ::fcntl(source, F_DUPFD, kAbove);
    if (parked[count++] < 0) return false;
  }
  count = 0;
  for (const auto& [target, source] : descriptors) {
    if (::dup2(parked[count++], target) < 0) return false;
  }
  const int highest = descriptors.empty() ? -1 : descriptors.back().first;
  int next = highest + 1;
  for (const auto& [target, source] : descriptors) SP_CHECK(target <= highest);
  if (keep >= next) {
    if (keep > next && ::syscall(SYS_close_range, next, keep - 1, 0) != 0) return false;
    next = keep + 1;
  }
  return ::syscall(SYS_close_range, next, ~0U, 0) == 0;
}

bool become_user(uid_t user) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
         ::setresuid(user, user, user) == 0;
}

// In the child. Returns only on failure, with errno set.
void run_child(const ChildPlan& plan, int error_pipe) {
  const ProcessOptions& options = *plan.options;
  ::setpgid(0, 0);
  if (!place_descriptors(plan.descriptors, error_pipe)) return;
  if (plan.folder != nullptr && ::chdir(plan.folder) != 0) return;
  if (options.user && !become_user(*options.user)) return;
  if (options.when_parent_dies == ProcessOptions::WhenParentDies::is_killed) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const bool new_pids = (options.unshare_flags & CLONE_NEWPID) != 0;
    if (!new_pids && ::getppid() != plan.parent) ::_exit(127);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  for (const std::string& path : plan.candidates) {
    ::execve(path.c_str(), plan.argv.data(), plan.environment.data());
    if (errno != ENOENT && errno != EACCES) return;
  }
}

ChildPlan plan_child(const ProcessOptions& options) {
  ChildPlan plan;
  plan.argv = pointers(options.argv);
  plan.environment = pointers(options.environment);
  plan.candidates = program_candidates(options.argv.front());
  plan.descriptors.assign(options.descriptors.begin(), options.descriptors.end());
  plan.folder = options.folder.empty() ? nullptr : options.folder.c_str();
  plan.options = &options;
  plan.parent = ::getpid();
  return plan;
}

// Returns the descriptors of a child with /dev/null where a standard one isn't given.
void fill_standard_descriptors(ChildPlan& plan, int null) {
  std::map<int, int> all(plan.descriptors.begin(), plan.descriptors.end());
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    all.try_emplace(standard, null);
  plan.descriptors.assign(all.begin(), all.end());
}

}  // namespace

Result<Process> Process::start(const ProcessOptions& options) {
  SP_CHECK(!options.argv.empty());
  ChildPlan plan = plan_child(options);
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return errno_error("open", "/dev/null");
  fill_standard_descriptors(plan, null.get());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe");
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const auto pid =
      static_cast<pid_t>(::syscall(SYS_clone, options.unshare_flags | SIGCHLD, 0, 0, 0, 0));
  if (pid < 0) return errno_error("start", options.argv.front());
  if (pid == 0) {
    // The pipe must not lie where a descriptor of the child goes.
    const int pipe = ::fcntl(write_end.get(), F_DUPFD_CLOEXEC, 200);
    if (pipe >= 0) run_child(plan, pipe);
    const int failure = errno;
    [[maybe_unused]] const ssize_t told = ::write(pipe, &failure, sizeof failure);
    ::_exit(127);
  }
  write_end.reset();
  Process process(pid);
  int failure = 0;
  ssize_t got = 0;
  do {
    got = ::read(read_end.get(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return process;
  process.wait(std::chrono::seconds(1));
  errno = failure;
  return errno_error("start", options.argv.front());
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), end_(other.end_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(end_, other.end_);
  return *this;
}

Process::~Process() {
  if (pid_ <= 0 || end_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ProcessEnd> Process::wait(std::chrono::milliseconds limit) {
  if (end_ || pid_ <= 0) return end_;
  const Fd handle(::pidfd_open(pid_, 0));
  pollfd waited{handle.get(), POLLIN, 0};
  if (handle.valid()) ::poll(&waited, 1, static_cast<int>(limit.count()));
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  end_ = WIFEXITED(status) ? ProcessEnd{WEXITSTATUS(status), 0} : ProcessEnd{-1, WTERMSIG(status)};
  return end_;
}

void Process::kill(int signal) const {
  if (pid_ > 0 && !end_) ::kill(pid_, signal);
}

Result<CommandOutput> run_command(ProcessOptions options, std::chrono::milliseconds limit,
                                  std::size_t output_max) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe");
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  options.descriptors[STDOUT_FILENO] = write_end.get();
  options.descriptors[STDERR_FILENO] = write_end.get();
  SP_ASSIGN(Process process, Process::start(options));
  write_end.reset();
  const auto deadline = std::chrono::steady_clock::now() + limit;
  CommandOutput output;
  char buffer[4096];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waited{read_end.get(), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) == 0) {
      return Error{Errc::timed_out, options.argv.front() + " took longer than " +
                                        std::to_string(limit.count()) + " ms"};
    }
    const ssize_t got = ::read(read_end.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    output.text.append(buffer,
                       std::min(static_cast<std::size_t>(got), output_max - output.text.size()));
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  const auto end = process.wait(std::max(left, std::chrono::milliseconds(0)));
  if (!end) return Error{Errc::timed_out, options.argv.front() + " doesn't end"};
  output.end = *end;
  return output;
}

std::vector<std::string> basic_environment() {
  std::vector<std::string> environment;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets variables
    if (value != nullptr) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

}  // namespace sp
