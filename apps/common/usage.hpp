// What is wrong with a command line, for people. Belongs to the main thread.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
class Success;
}  // namespace CLI

namespace sp::apps {

/// The parser's words. Where something is missing it says only that: the words that it didn't know,
/// which may be the missing ones misspelt, stand before.
std::string usage_words(const CLI::App& app, const CLI::ParseError& error);

/// What --help or --version prints.
std::string asked_text(const CLI::App& app, const CLI::Success& asked);

}  // namespace sp::apps
