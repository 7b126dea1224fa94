#include "spctl/commands.hpp"
namespace sp::spctl {
void add_run_command(Cli&) {}
void add_order_commands(Cli&) {}
void add_provider_commands(Cli&) {}
void add_offer_commands(Cli&) {}
void add_file_commands(Cli&) {}
void add_token_commands(Cli&) {}
void add_key_commands(Cli&) {}
void add_policy_commands(Cli&) {}
void add_verify_command(Cli&) {}
void add_completion_command(Cli&) {}
}  // namespace sp::spctl
