// Commands of spnode that start no daemon: check, man, completion. Belongs to the main thread.
#pragma once

#include <functional>
#include <string>

#include "common/command_line.hpp"

namespace sp::apps {

/// Adds the commands; one that is chosen leaves in `act` what returns the exit code. `act` outlives
/// the parsing.
void add_admin_commands(Command app, std::function<int()>& act);

/// Prints what was asked for; the exit code, which is 1 where it is lost (a full disk).
int print(const std::string& text);

/// Adds --log-level to a daemon's command.
void add_log_option(Command command);

}  // namespace sp::apps
