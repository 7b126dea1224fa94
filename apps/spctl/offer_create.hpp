// offers create: a device, a solution, data or storage.
#pragma once

#include "common/command_line.hpp"

namespace sp::spctl {

class Cli;

/// Adds "create compute|solution|data|storage" below `offers`.
void add_offer_create_commands(Cli& cli, apps::Command offers);

}  // namespace sp::spctl
