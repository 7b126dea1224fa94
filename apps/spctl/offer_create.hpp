// offers create: a device, a solution, data or storage.
#pragma once

namespace CLI {
class App;
}

namespace sp::spctl {

class Cli;

/// Adds "create compute|solution|data|storage" below `offers`.
void add_offer_create_commands(Cli& cli, CLI::App& offers);

}  // namespace sp::spctl
