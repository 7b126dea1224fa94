// The command line: one CLI11 parser, to which each group of commands adds its own (commands.hpp).
//
// A command's action runs after parsing, with a Context. Exit codes: 0 done, 1 failed, 2 wrong
// usage; `run` ends with the workload's own. Belongs to the main thread.
#pragma once

#include <functional>
#include <memory>

#include "spctl/context.hpp"

namespace CLI {
class App;
}

namespace sp::spctl {

inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

class Cli {
 public:
  /// Does a command's work; the exit code.
  using Action = std::function<Result<int>(Context&)>;

  Cli();
  ~Cli();
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  [[nodiscard]] CLI::App& app() { return *app_; }
  /// A new command below `parent`, with its one-line description and its examples.
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& description,
                const std::string& examples);
  /// Says what a command does.
  void on(CLI::App* command, Action action);
  /// Parses, acts, and tells errors; the exit code.
  int run(int count, char** arguments);

 private:
  int act();

  std::unique_ptr<CLI::App> app_;
  GlobalOptions options_;
  Action action_;
};

}  // namespace sp::spctl
