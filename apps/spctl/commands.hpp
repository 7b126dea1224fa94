// The groups of commands; each adds itself to the command line.
#pragma once

namespace sp::spctl {

class Cli;

void add_system_commands(Cli& cli);     ///< up, down, status
void add_run_command(Cli& cli);         ///< run
void add_order_commands(Cli& cli);      ///< orders
void add_provider_commands(Cli& cli);   ///< providers
void add_offer_commands(Cli& cli);      ///< offers
void add_file_commands(Cli& cli);       ///< files
void add_token_commands(Cli& cli);      ///< tokens
void add_key_commands(Cli& cli);        ///< keys
void add_policy_commands(Cli& cli);     ///< policy
void add_attest_commands(Cli& cli);     ///< attest
void add_measure_commands(Cli& cli);    ///< measure
void add_contracts_commands(Cli& cli);  ///< contracts
void add_doctor_command(Cli& cli);      ///< doctor
void add_network_command(Cli& cli);     ///< network
void add_verify_command(Cli& cli);      ///< verify
void add_completion_command(Cli& cli);  ///< completion

}  // namespace sp::spctl
