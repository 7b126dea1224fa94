#include "admin_commands.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "check.hpp"
#include "common/daemon.hpp"
#include "common/output.hpp"
#include "common/pages.hpp"

namespace sp::apps {
namespace {

constexpr int kExitUsage = 2;
constexpr const char* kSeeAlso =
    "spctl(1), and the folder docs of the project: OPERATIONS.md, SETTINGS.md.";

const std::vector<std::string>& roles() {
  static const std::vector<std::string> names{"store", "broker", "provider"};
  return names;
}

int check(const std::string& role, const std::string& config) {
  const std::vector<std::string> problems = check_settings(role, config);
  for (const std::string& problem : problems) std::cerr << "spnode: " << problem << "\n";
  if (!problems.empty()) return kExitUsage;
  return print(config + ": a " + role + " can start with it\n");
}

void add_check(CLI::App& app, std::function<int()>& act) {
  struct Options {
    std::string role, config;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("check", "Says what is wrong with a daemon's settings");
  command->add_option("role", options->role, "store, broker or provider")
      ->required()
      ->check(CLI::IsMember(roles()));
  command->add_option("--config", options->config, "Settings (JSON; docs/SETTINGS.md)")->required();
  command->footer("Examples:\n  spnode check store --config store.json");
  command->callback(
      [&act, options] { act = [options] { return check(options->role, options->config); }; });
}

}  // namespace

int print(const std::string& text) {
  const Status written = write_standard_output(text);
  if (written) return 0;
  std::cerr << "spnode: " << written.error().message << "\n";
  return 1;
}

void add_admin_commands(CLI::App& app, std::function<int()>& act) {
  add_check(app, act);
  CLI::App* man = app.add_subcommand("man", "Prints the manual page");
  man->footer("Examples:\n  spnode man | man -l -");
  man->callback(
      [&app, &act] { act = [&app] { return print(man_page(app, SP_VERSION, kSeeAlso)); }; });
  auto shell = std::make_shared<std::string>();
  CLI::App* completion = app.add_subcommand("completion", "Prints the script for a shell");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->footer("Examples:\n  source <(spnode completion bash)");
  completion->callback([&app, &act, shell] {
    act = [&app, shell] { return print(completion_script(app, *shell).value_or("")); };
  });
}

void add_log_option(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--log-level",
          [](const std::string& name) {
            const auto level = log_level_from(name);
            if (!level) throw CLI::ValidationError("--log-level", level.error().message);
            override_log_level(*level);
          },
          "debug, info, warning or error, whatever the settings say")
      ->type_name("LEVEL");
}

}  // namespace sp::apps
