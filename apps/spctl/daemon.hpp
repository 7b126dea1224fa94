// One daemon of a local system: its folder, its process in the background, and the pid file by
// which a later spctl finds it.
//
// A pid file holds the pid and the process's start time, so that another process which got the same
// pid is never taken for it. A daemon whose spctl was killed before it wrote the file is found by
// its working directory and SP_DAEMON in its environment. The folder belongs to spctl's user; only
// state/ in it belongs to the daemon's. Belongs to one thread.
#pragma once

#include <optional>

#include "base/process.hpp"

namespace sp::spctl {

inline constexpr std::chrono::milliseconds kStopLimit{10'000};  ///< before SIGKILL
inline constexpr std::chrono::milliseconds kKillLimit{5'000};   ///< for the end after SIGKILL

struct DaemonStart {
  Path program;
  std::vector<std::string> arguments;
  std::optional<uid_t> user;
  std::vector<std::string> environment = {};  ///< "NAME=value", beside what every daemon gets
};

class Daemon {
 public:
  Daemon(Files& files, Path folder, std::string name)
      : files_(files), folder_(std::move(folder)), name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Path& folder() const { return folder_; }
  [[nodiscard]] Path settings() const { return folder_ / (name_ + ".json"); }
  [[nodiscard]] Path log() const { return folder_ / (name_ + ".log"); }
  /// Path of a file in the daemon's state folder, for spctl.
  [[nodiscard]] Path state(const std::string& file) const { return folder_ / "state" / file; }

  /// Makes the folders, state/ owned by `user`.
  Status prepare(std::optional<uid_t> user);
  /// Writes a secret file of the daemon's state, unless it is there. Errc::io.
  Status write_state(const std::string& file, ByteView bytes, std::optional<uid_t> user);
  /// Writes the settings; tells whether what runs may have been started with others.
  Result<bool> write_settings(const std::string& json);

  /// The process, where it runs.
  [[nodiscard]] std::optional<pid_t> running() const;
  /// Whether what runs was started from another file than `program` is now.
  [[nodiscard]] bool runs_other_program(pid_t pid, const Path& program) const;
  /// Starts it in its folder, log appended, and writes the pid file. The caller detaches it once it
  /// answers.
  Result<Process> start(const DaemonStart& start);
  /// Asks it to end by `signal`, kills it after kStopLimit, and waits for its end. No error where
  /// it doesn't run.
  Status stop(int signal);
  /// The last lines of its log, for errors.
  [[nodiscard]] std::string log_tail(std::size_t lines) const;

 private:
  [[nodiscard]] std::optional<pid_t> noted_pid() const;
  [[nodiscard]] bool is_older_than_settings() const;
  Status forget_pid();
  [[nodiscard]] Path pid_file() const { return folder_ / (name_ + ".pid"); }

  Files& files_;
  const Path folder_;
  const std::string name_;
};

}  // namespace sp::spctl
