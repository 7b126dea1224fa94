// attest fetch, attest bundle export and import.
#pragma once

#include "common/command_line.hpp"

namespace sp::spctl {

class Cli;

void add_collateral_commands(Cli& cli, apps::Command attest);

}  // namespace sp::spctl
