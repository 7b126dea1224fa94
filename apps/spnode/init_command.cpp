// `spnode init ROLE` on the command line.
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/output.hpp"
#include "init.hpp"
#include "init_command.hpp"

namespace sp::apps {
namespace {

void add_common(Command command, InitOptions& options) {
  command.add_option("--folder", options.folder, "The daemon's folder; made where it is absent")
      .required();
  command
      .add_option("--host", options.hosts,
                  "Name or address by which others reach it; once or more, the first is in its URL")
      .required();
  command.add_option("--listen", options.address,
                     "Numeric address to listen on; absent: every one (0.0.0.0)");
  command.add_option("--port", options.port, "Port; absent: the role's own (8301, 8302, 8303)");
  command.add_flag("--no-tls", options.plain,
                   "Plain HTTP: for one machine, or behind a server of yours that speaks TLS");
}

void add_network(Command command, InitOptions& options) {
  command
      .add_option("--network", options.network,
                  "network.json; absent: keys and card alone, settings by a second init")
      .existing_file();
  command.add_option("--ca-file", options.ca_file,
                     "Who may vouch for https servers, in place of the network's caFile");
}

std::string with_default(std::string_view what, std::string_view otherwise) {
  return std::string(what).append("; absent: ").append(otherwise);
}

void add_provider(Command command, InitOptions& options) {
  command.add_option("--authority", options.authority, "Account that registers the provider")
      .required();
  command.add_option("--loader", options.loader,
                     with_default("The program sploader", kInstalledLoader));
  command.add_option("--runc", options.runc, with_default("The program runc", kInstalledRunc));
  command.add_option("--capacity", options.capacity, "Orders at once; absent: 1");
  command.add_option("--queue", options.queue, "Orders that wait; absent: 16");
}

constexpr const char* kNext =
    "Hand FOLDER/card.json to whoever makes the network.json (`spctl network create`); it holds no "
    "secret.\nRun it again with --network once there is one. What is there is kept: of settings, "
    "an "
    "option that is named is written anew,\nand what the network's file says of services, loaders "
    "and a market that isn't in them yet.";

}  // namespace

void add_init_command(Command app, Status (**action)(const InitOptions&), InitOptions& options) {
  Command init = app.add_command(
      "init",
      "Makes what a daemon needs before its first start: keys, certificate, settings, card");
  init.require_command();
  const auto add = [&](const char* role, const char* what, const char* example) {
    Command command = init.add_command(role, what);
    command.footer(std::string("Examples:\n") + example + "\n" + kNext);
    add_common(command, options);
    command.on([action, &options, role] {
      options.role = role;
      *action = run_init;
    });
    return command;
  };
  Command store = add("store", "A store", "  spnode init store --folder store --host 10.0.0.2");
  store.add_option("--bytes-max", options.bytes_max, "Bytes of all blobs; absent or 0: the disk");
  store.add_option("--quota", options.quota_bytes,
                   "Bytes that one account may write: whoever signs may, unless the settings list "
                   "accounts; absent: 10 GiB");
  Command broker =
      add("broker", "A key broker",
          "  spnode init broker --folder broker --host broker.example --network network.json");
  add_network(broker, options);
  broker
      .add_option("--loaders", options.loaders,
                  "File of the appraisal policy of loaders, in place of the network's")
      .existing_file();
  Command provider =
      add("provider", "A provider",
          "  spnode init provider --folder provider --host 10.0.0.4 --authority 0x...");
  add_network(provider, options);
  add_provider(provider, options);
}

Status run_init(const InitOptions& options) {
  SP_ASSIGN(const Initialised made, init_daemon(options));
  if (made.kept_settings) {
    std::cerr << options.folder << "/" << options.role
              << ".json was there: it keeps what it says, but for what the options name and what "
                 "the network's file says of others.\n";
  }
  return write_standard_output(made.card.to_json().dump(2) + "\n");
}

}  // namespace sp::apps
