#include "spctl/cli.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "common/output.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kVersion = "spctl " SP_VERSION;
constexpr const char* kFooter =
    "Begin with:\n"
    "  spctl up                                     start a whole system on this machine\n"
    "  spctl run ./image.tar --data ./input -- ARGS run a program on it, sealed, with a proof\n"
    "  spctl COMMAND --help                         what a command does, with examples\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage; 'run' ends with the workload's own code.";

void tell(const Error& error, bool json) {
  std::cerr << "spctl: " << error.message << (error.message.ends_with('.') ? "" : ".") << "\n";
  if (!json) return;
  const Json body{{"error", errc_name(error.code)}, {"message", error.message}};
  std::cout << body.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

// A command's exit code where its result was written; what was lost may be what was asked for.
int code_of(const Status& written, int code) {
  if (written) return code;
  tell(written.error(), false);
  return kExitFailed;
}

}  // namespace

Cli::Cli()
    : line_("spctl",
            "Run programs on others' hardware without showing them to its owner, and prove what "
            "ran.",
            kVersion) {
  app().add_option("--home", options_.home,
                   "Folder of keys, settings and orders [$SP_HOME, ~/.superprotocol]");
  app().add_option("--password-file", options_.password_file,
                   "File with the password of the keys [HOME/keys/password]");
  app().add_flag("--json", options_.json, "Print the result as JSON on standard output");
  app().falls_through();
  app().footer(kFooter);
}

apps::Command Cli::add(apps::Command parent, const std::string& name,
                       const std::string& description, const std::string& examples) {
  apps::Command command = parent.add_command(name, description);
  command.falls_through();
  if (!examples.empty()) command.footer("Examples:\n" + examples);
  return command;
}

void Cli::on(apps::Command command, Action action) {
  command.on([this, action = std::move(action)] { action_ = action; });
}

int Cli::run(int count, char** arguments) {
  const auto asked = line_.parse(count, arguments);
  if (!asked) {
    tell({Errc::usage, asked.error().message + ". See 'spctl --help' and the command's --help"},
         options_.json);
    return kExitUsage;
  }
  if (*asked) return code_of(apps::write_standard_output(**asked), 0);
  return act();
}

int Cli::act() {
  auto context = Context::create(options_);
  if (!context) {
    tell(context.error(), options_.json);
    return kExitUsage;
  }
  const Result<int> code = action_(**context);
  (*context)->console().status("");
  if (code) return code_of((*context)->console().output(), *code);
  tell(code.error(), options_.json);
  return code.error().code == Errc::usage ? kExitUsage : kExitFailed;
}

}  // namespace sp::spctl
