// Child processes: started with an exact list of descriptors and environment, waited for with a
// limit, and never left behind: the destructor kills what still runs.
//
// A Process belongs to one thread; kill() may be called from any.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"

namespace sp {

struct ProcessOptions {
  std::vector<std::string> argv;  ///< argv[0] is a path, or a name that PATH finds
  std::vector<std::string>
      environment;  ///< "NAME=value"; the whole environment, nothing is inherited
  Path folder;      ///< working directory; empty = this process's
  std::map<int, int>
      descriptors;            ///< number in the child -> descriptor here; all others are closed
  std::optional<uid_t> user;  ///< runs as this user and the group of the same number
  unsigned long unshare_flags = 0;  ///< CLONE_NEW* namespaces for the child and its children
  /// SIGKILL to the child when the *thread* that started it ends.
  enum class WhenParentDies { lives_on, is_killed } when_parent_dies = WhenParentDies::is_killed;
};

struct ProcessEnd {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;      ///< 0 where it exited
};

class Process {
 public:
  /// Errc::io where it can't be started (a missing program included).
  static Result<Process> start(const ProcessOptions& options);

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills with SIGKILL and reaps, if it still runs and wasn't detached.
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits at most `limit`; empty where it still runs then. After an end, returns it again.
  std::optional<ProcessEnd> wait(std::chrono::milliseconds limit);
  /// Sends a signal, if it still runs.
  void kill(int signal) const;
  /// Lets it live on without this object.
  void detach() { pid_ = -1; }

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;
  std::optional<ProcessEnd> end_;
};

/// What a short command printed on standard output and standard error together, and how it ended.
struct CommandOutput {
  ProcessEnd end;
  std::string text;  ///< at most `output_max` bytes; the rest is thrown away
};

/// Runs to its end. Errc::timed_out (and killed) after `limit`; Errc::io where it can't be started.
Result<CommandOutput> run_command(ProcessOptions options, std::chrono::milliseconds limit,
                                  std::size_t output_max);

/// The variables of this process's environment that children commonly need: PATH, HOME, LANG,
/// TMPDIR.
std::vector<std::string> basic_environment();

}  // namespace sp
