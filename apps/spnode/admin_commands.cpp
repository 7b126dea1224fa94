#include "admin_commands.hpp"

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

void add_check(Command app, std::function<int()>& act) {
  struct Options {
    std::string role, config;
  };
  auto options = std::make_shared<Options>();
  Command command = app.add_command("check", "Says what is wrong with a daemon's settings");
  command.add_option("role", options->role, "store, broker or provider").required().one_of(roles());
  command.add_option("--config", options->config, "Settings (JSON; docs/SETTINGS.md)").required();
  command.footer("Examples:\n  spnode check store --config store.json");
  command.on(
      [&act, options] { act = [options] { return check(options->role, options->config); }; });
}

}  // namespace

int print(const std::string& text) {
  const Status written = write_standard_output(text);
  if (written) return 0;
  std::cerr << "spnode: " << written.error().message << "\n";
  return 1;
}

void add_admin_commands(Command app, std::function<int()>& act) {
  add_check(app, act);
  Command man = app.add_command("man", "Prints the manual page");
  man.footer("Examples:\n  spnode man | man -l -");
  man.on([app, &act] { act = [app] { return print(man_page(app, SP_VERSION, kSeeAlso)); }; });
  auto shell = std::make_shared<std::string>();
  Command completion = app.add_command("completion", "Prints the script for a shell");
  completion.add_option("shell", *shell, "bash, zsh or fish")
      .required()
      .one_of({"bash", "zsh", "fish"});
  completion.footer("Examples:\n  source <(spnode completion bash)");
  completion.on([app, &act, shell] {
    act = [app, shell] { return print(completion_script(app, *shell).value_or("")); };
  });
}

void add_log_option(Command command) {
  const auto take = [](const std::string& name) -> Status {
    SP_ASSIGN(const auto level, log_level_from(name));
    override_log_level(level);
    return {};
  };
  command
      .add_checked_option("--log-level", take,
                          "debug, info, warning or error, whatever the settings say")
      .value_name("LEVEL");
}

}  // namespace sp::apps
