#include "spctl/cli.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/output.hpp"
#include "common/usage.hpp"

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
    : app_(std::make_unique<CLI::App>("Run programs on others' hardware without showing "
                                      "them to its owner, and prove what ran.",
                                      "spctl")) {
  app_->add_option("--home", options_.home,
                   "Folder of keys, settings and orders [$SP_HOME, ~/.superprotocol]");
  app_->add_option("--password-file", options_.password_file,
                   "File with the password of the keys [HOME/keys/password]");
  app_->add_flag("--json", options_.json, "Print the result as JSON on standard output");
  app_->set_version_flag("--version", kVersion);
  app_->require_subcommand(1);
  app_->fallthrough();
  app_->footer(kFooter);
}

Cli::~Cli() = default;

CLI::App* Cli::add(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->fallthrough();
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  return command;
}

void Cli::on(CLI::App* command, Action action) {
  command->callback([this, action = std::move(action)] { action_ = action; });
}

int Cli::run(int count, char** arguments) {
  try {
    app_->parse(count, arguments);
  } catch (const CLI::Success& asked) {
    return code_of(apps::write_standard_output(apps::asked_text(*app_, asked)), 0);
  } catch (const CLI::ParseError& error) {
    tell({Errc::usage,
          apps::usage_words(*app_, error) + ". See 'spctl --help' and the command's --help"},
         options_.json);
    return kExitUsage;
  }
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
