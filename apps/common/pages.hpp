// Manual pages and shell completion out of a command line's parser, so that they can't say anything
// else than the program does. Belongs to the main thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/command_line.hpp"

namespace sp::apps {

/// A page of section 1 for man(7): name, synopsis, options, and a section for each command with its
/// options and examples. `about` is what "See also" says.
std::string man_page(Command program, std::string_view version, std::string_view about);

/// A completion script for "bash", "zsh" or "fish"; nothing for another shell.
std::optional<std::string> completion_script(Command program, std::string_view shell);

}  // namespace sp::apps
