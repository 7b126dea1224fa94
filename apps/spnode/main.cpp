// spnode: the daemons of Super Protocol. `spnode store|broker|provider --config FILE`, and
// `spnode init ROLE` before their first start.
#include <cstdio>
#include <exception>

#include "admin_commands.hpp"
#include "base/crash_point.hpp"
#include "base/standard_descriptors.hpp"
#include "common/command_line.hpp"
#include "common/daemon.hpp"
#include "daemons.hpp"
#include "init_command.hpp"

namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  spnode store --config store.json\n"
    "  spnode provider --config provider.json\n"
    "  spnode init provider --folder provider --host 10.0.0.4 --authority 0x...\n"
    "`spctl up` writes these files and starts all daemons of a local deployment.\n"
    "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed, 2 wrong usage.";

int run(int argc, char** argv) {
  sp::apps::CommandLine line(
      "spnode", "The daemons of Super Protocol: each a process of its own, stopped by SIGTERM.",
      SP_VERSION);
  sp::apps::Command app = line.program();
  app.footer(kFooter);
  std::string config, role;
  sp::Status (*daemon)(const sp::Path&) = nullptr;
  sp::Status (*init)(const sp::apps::InitOptions&) = nullptr;
  sp::apps::InitOptions init_options;
  std::function<int()> admin;
  const auto add = [&](const char* name, const char* what, sp::Status (*run_it)(const sp::Path&)) {
    sp::apps::Command command = app.add_command(name, what);
    command.add_option("--config", config, "Settings (JSON; docs/SETTINGS.md)").required();
    sp::apps::add_log_option(command);
    command.footer(std::string("Examples:\n  spnode ") + name + " --config " + name +
                   ".json\n  spnode check " + name + " --config " + name + ".json");
    command.on([&daemon, &role, run_it, name] {
      daemon = run_it;
      role = name;
    });
  };
  add("store", "Holds sealed packages and signs storage receipts", sp::apps::run_store);
  add("broker", "Keeps secrets, attests loaders and releases keys to them", sp::apps::run_broker);
  add("provider", "Runs orders in TEEs and settles them", sp::apps::run_provider);
  sp::apps::add_init_command(app, &init, init_options);
  sp::apps::add_admin_commands(app, admin);
  const auto asked = line.parse(argc, argv);
  if (!asked) {
    std::fprintf(stderr, "spnode: %s. See 'spnode --help' and the command's --help\n",
                 asked.error().message.c_str());
    return 2;
  }
  if (*asked) return sp::apps::print(**asked);
  if (admin) return admin();
  if (daemon) sp::apps::block_stop_signals();
  sp::Status ended = sp::arm_crash_point_from_environment();
  if (ended) ended = daemon ? daemon(config) : init(init_options);
  if (ended) return 0;
  std::fprintf(stderr, "spnode: %s\n", ended.error().message.c_str());
  if (daemon) {
    std::fprintf(stderr,
                 "`spnode check %s --config %s` tells all that is wrong with the settings "
                 "(docs/SETTINGS.md); their paths are relative to the folder of the start.\n",
                 role.c_str(), config.c_str());
  }
  const sp::Errc code = ended.error().code;
  return code == sp::Errc::malformed || code == sp::Errc::usage ? 2 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (!sp::hold_standard_descriptors()) return 1;
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "spnode: %s\n", error.what());
    return 1;
  }
}
