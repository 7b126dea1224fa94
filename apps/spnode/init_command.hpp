// `spnode init ROLE` on the command line.
#pragma once

#include "common/command_line.hpp"
#include "init.hpp"

namespace sp::apps {

/// Adds the command. After parsing, `*action` is run_init where it was given; both outlive parsing.
void add_init_command(Command app, Status (**action)(const InitOptions&), InitOptions& options);

/// Does it and prints the card. Errors are init_daemon's.
Status run_init(const InitOptions& options);

}  // namespace sp::apps
