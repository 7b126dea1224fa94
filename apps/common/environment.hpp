// This process's environment, for the few things that people expect to set there. Read it at the
// start, before any thread.
#pragma once

#include <optional>
#include <string>

namespace sp::apps {

/// A variable's value; nothing where it isn't set.
std::optional<std::string> environment_variable(const char* name);

}  // namespace sp::apps
