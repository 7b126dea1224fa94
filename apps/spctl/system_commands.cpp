// up, down, status: a whole system on this machine.
#include <signal.h>

#include <nlohmann/json.hpp>

#include "attest/dev.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/local_system.hpp"

namespace sp::spctl {
namespace {

constexpr std::chrono::milliseconds kForegroundLook{500};

volatile sig_atomic_t stop_wanted = 0;

Json to_json(const DaemonStatus& daemon) {
  Json json{{"name", daemon.name},
            {"running", daemon.pid.has_value()},
            {"healthy", daemon.healthy},
            {"url", daemon.url},
            {"detail", daemon.detail}};
  if (daemon.pid) json["pid"] = *daemon.pid;
  return json;
}

std::string state_of(const DaemonStatus& daemon) {
  if (!daemon.pid) return "stopped";
  return daemon.healthy ? "running" : "NOT ANSWERING";
}

Json show(Context& context, const std::vector<DaemonStatus>& daemons) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"DAEMON", "STATE", "PID", "URL", "DETAIL"}};
  for (const DaemonStatus& daemon : daemons) {
    list.push_back(to_json(daemon));
    rows.push_back({daemon.name, state_of(daemon), daemon.pid ? std::to_string(*daemon.pid) : "-",
                    daemon.url, daemon.detail});
  }
  context.console().text(table(rows));
  return {{"home", context.home().root().string()}, {"daemons", std::move(list)}};
}

// Waits in the foreground until a signal asks to stop.
Status stay(Context& context, LocalSystem& system) {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_wanted = 1; };
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  context.console().note("Stop everything with Ctrl-C.");
  while (stop_wanted == 0) context.clock().sleep_for(kForegroundLook);
  context.console().note("Stopping.");
  return system.down();
}

struct UpOptions {
  std::string anvil;
  bool foreground = false;
};

Result<int> up(Context& context, const UpOptions& options) {
  SP_ASSIGN(const Programs programs, find_programs(options.anvil));
  LocalSystem system(context);
  const auto start = context.clock().monotonic();
  SP_TRY(system.up(programs));
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.clock().monotonic() - start);
  Json json = show(context, system.status());
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const KeyInfo me, context.keys().info(kDefaultKey));
  json["account"] = me.address.hex0x();
  json["market"] = session->network.market.contract.hex0x();
  json["token"] = session->network.token.hex0x();
  json["warning"] = attest::kDevWarning;
  context.console().line("\nMarket " + session->network.market.contract.hex0x() + " on chain " +
                         std::to_string(session->network.market.chain_id) + ", your account " +
                         me.address.hex0x() + " (key \"" + kDefaultKey + "\").");
  context.console().line("State is kept in " + context.home().root().string() + ".");
  context.console().note("\n*** WARNING: this machine has no TEE. " +
                         std::string(attest::kDevWarning) + " ***\n");
  context.console().line("Up in " + std::to_string(took.count()) +
                         " ms. Next: spctl run IMAGE -- ARGS; stop with 'spctl down'.");
  context.console().result(json);
  if (options.foreground) SP_TRY(stay(context, system));
  return 0;
}

Result<int> down(Context& context) {
  LocalSystem system(context);
  SP_TRY(system.down());
  context.console().line("Everything is stopped. State is kept in " +
                         context.home().root().string() + "; 'spctl up' resumes.");
  context.console().result({{"stopped", true}});
  return 0;
}

Result<int> status(Context& context) {
  LocalSystem system(context);
  const std::vector<DaemonStatus> daemons = system.status();
  context.console().result(show(context, daemons));
  const bool well = std::all_of(daemons.begin(), daemons.end(),
                                [](const DaemonStatus& daemon) { return daemon.healthy; });
  return well ? 0 : kExitFailed;
}

}  // namespace

void add_system_commands(Cli& cli) {
  auto options = std::make_shared<UpOptions>();
  apps::Command command = cli.add(cli.app(), "up",
                                  "Start a whole system on this machine: chain, store, broker, "
                                  "provider. A second 'up' resumes",
                                  "  spctl up\n  spctl up --home ./demo --anvil /opt/anvil");
  command.add_option("--anvil", options->anvil, "The development chain's program [found]");
  command.add_flag("--foreground", options->foreground, "Stay, and stop everything at the end");
  cli.on(command, [options](Context& context) { return up(context, *options); });

  command = cli.add(cli.app(), "down", "Stop what 'up' started, keeping all state", "  spctl down");
  cli.on(command, [](Context& context) { return down(context); });

  command = cli.add(cli.app(), "status", "Show what 'up' started; fails unless everything answers",
                    "  spctl status\n  spctl status --json");
  cli.on(command, [](Context& context) { return status(context); });
}

}  // namespace sp::spctl
