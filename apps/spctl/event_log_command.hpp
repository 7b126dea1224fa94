// attest log: what a boot measured, and whether it is what hardware signs.
#pragma once

#include "common/command_line.hpp"

namespace sp::spctl {

class Cli;

void add_event_log_command(Cli& cli, apps::Command attest);

}  // namespace sp::spctl
