// Commands of spnode that start no daemon: check, man, completion. Belongs to the main thread.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace sp::apps {

/// Adds the commands; one that is chosen leaves in `act` what returns the exit code. `act` outlives
/// the parsing.
void add_admin_commands(CLI::App& app, std::function<int()>& act);

/// Adds --log-level to a daemon's command.
void add_log_option(CLI::App& command);

}  // namespace sp::apps
