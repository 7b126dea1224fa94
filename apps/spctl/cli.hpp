// The command line: one parser, to which each group of commands adds its own (commands.hpp).
//
// A command's action runs after parsing, with a Context. Exit codes: 0 done, 1 failed, 2 wrong
// usage; `run` ends with the workload's own. Belongs to the main thread.
#pragma once

#include <functional>

#include "common/command_line.hpp"
#include "spctl/context.hpp"

namespace sp::spctl {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

class Cli {
 public:
  /// Does a command's work; the exit code.
  using Action = std::function<Result<int>(Context&)>;

  Cli();
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  /// The program itself, below which commands are added.
  [[nodiscard]] apps::Command app() { return line_.program(); }
  /// A new command below `parent`, with its one-line description and its examples.
  apps::Command add(apps::Command parent, const std::string& name, const std::string& description,
                    const std::string& examples);
  /// Says what a command does.
  void on(apps::Command command, Action action);
  /// Parses, acts, and tells errors; the exit code.
  int run(int count, char** arguments);

 private:
  int act();

  GlobalOptions options_;
  apps::CommandLine line_;
  Action action_;
};

}  // namespace sp::spctl
