// What others than its customer do about an order that left them unpaid, who have no record of it:
// orders owed and orders claim, where a provider had an owner's key, and orders close, by anyone.
#pragma once

#include "common/command_line.hpp"

namespace sp::spctl {

class Cli;

void add_owed_command(Cli& cli, apps::Command orders);
void add_claim_command(Cli& cli, apps::Command orders);
void add_close_command(Cli& cli, apps::Command orders);

}  // namespace sp::spctl
