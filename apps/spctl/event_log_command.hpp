// attest log: what a boot measured, and whether it is what hardware signs.
#pragma once

namespace CLI {
class App;
}

namespace sp::spctl {

class Cli;

void add_event_log_command(Cli& cli, CLI::App& attest);

}  // namespace sp::spctl
