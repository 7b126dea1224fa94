#include "common/usage.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

namespace sp::apps {

std::string usage_words(const CLI::App& app, const CLI::ParseError& error) {
  std::string words = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) return words;
  std::string unknown;
  for (const std::string& word : app.remaining(true)) unknown += " " + word;
  if (unknown.empty()) return words;
  return "unknown:" + unknown + "; " + words;
}

std::string asked_text(const CLI::App& app, const CLI::Success& asked) {
  std::ostringstream text;
  app.exit(asked, text);
  return text.str();
}

}  // namespace sp::apps
