// attest fetch, attest bundle export and import.
#pragma once

namespace CLI {
class App;
}

namespace sp::spctl {

class Cli;

void add_collateral_commands(Cli& cli, CLI::App& attest);

}  // namespace sp::spctl
