// Commands of spnode that start no daemon: check, man, completion. Belongs to the main thread.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace sp::apps {

/// Adds the commands; one that is chosen leaves in `act` what returns the exit code. `act` outlives
/// the parsing.
void add_admin_commands(CLI::App& app, std::function<int()>& act);

/// Prints what was asked for; the exit code, which is 1 where it is lost (a full disk).
int print(const std::string& text);

/// Adds --log-level to a daemon's command.
void add_log_option(CLI::App& command);

}  // namespace sp::apps
