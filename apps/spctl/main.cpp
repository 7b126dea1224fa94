// spctl: the client, for every role (design section 2).
#include <signal.h>

#include <exception>
#include <iostream>

#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "base/standard_descriptors.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace {

void add_commands(sp::spctl::Cli& cli) {
  using namespace sp::spctl;
  add_system_commands(cli);
  add_run_command(cli);
  add_order_commands(cli);
  add_offer_commands(cli);
  add_file_commands(cli);
  add_provider_commands(cli);
  add_token_commands(cli);
  add_key_commands(cli);
  add_policy_commands(cli);
  add_network_command(cli);
  add_contracts_commands(cli);
  add_doctor_command(cli);
  add_verify_command(cli);
  add_attest_commands(cli);
  add_measure_commands(cli);
  add_completion_command(cli);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (!sp::hold_standard_descriptors()) return sp::spctl::kExitFailed;
    ::signal(SIGPIPE, SIG_IGN);
    sp::set_log_level(sp::LogLevel::warning);
    if (const sp::Status armed = sp::arm_crash_point_from_environment(); !armed) {
      std::cerr << "spctl: " << armed.error().message << ".\n";
      return sp::spctl::kExitUsage;
    }
    sp::spctl::Cli cli;
    add_commands(cli);
    return cli.run(count, arguments);
  } catch (const std::exception& failure) {
    std::cerr << "spctl: something unexpected happened: " << failure.what() << ".\n";
    return sp::spctl::kExitFailed;
  }
}
