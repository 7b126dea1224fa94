// A program's command line: CLI11 behind one door, because its header costs every file that sees it
// seconds of compiling. Commands and options are described by these handles; what they hold lives
// as long as the CommandLine. Belongs to the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sp::apps {

/// An option of a command, or an argument where its name has no hyphen. Copies are the same option.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  /// The command isn't run without it.
  Option required() const;
  /// Help shows what the variable holds now as the default.
  Option shows_default() const;
  /// Takes whole numbers from `least` to `most` only; help says `words` of them, or the two.
  Option range(std::int64_t least, std::int64_t most, std::string words = {}) const;
  /// range(1, 2^32 - 1), in words.
  Option at_least_one() const;
  /// Takes these words only.
  Option one_of(std::vector<std::string> words) const;
  /// A list's option takes one value each time that it is typed.
  Option one_each_time() const;
  /// Takes the path of a file that is there.
  Option existing_file() const;
  /// What help calls its value, in place of the variable's type.
  Option value_name(std::string name) const;

 private:
  CLI::Option* option_;
};

/// A command, or the program itself: what may follow its name. Copies are the same command.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  /// An option whose value parsing writes into `variable`, which outlives the parsing: a string, a
  /// list of strings (given once or more), a whole number, or an optional one of these.
  /// `names` are CLI11's: "-o,--out", or "FILE" for an argument.
  template <class Value>
  Option add_option(std::string names, Value& variable, std::string help) const;
  /// An option whose value `take` gets; its error is a usage error.
  Option add_checked_option(std::string name, std::function<Status(const std::string&)> take,
                            std::string help) const;
  /// A word that makes `variable` true.
  Option add_flag(std::string name, bool& variable, std::string help) const;
  /// A command below this one.
  Command add_command(std::string name, std::string description) const;
  /// One of the commands below must follow.
  void require_command() const;
  /// What the commands above take may stand behind this command, too.
  void falls_through() const;
  /// Another name for the command.
  void alias(std::string name) const;
  /// Written below help, as it is.
  void footer(std::string text) const;
  /// What parsing calls when the command was given; it mustn't throw.
  void on(std::function<void()> given) const;

  /// The parser's own, for common/pages.
  [[nodiscard]] const CLI::App& parser() const { return *app_; }

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  /// `version` is what --version prints.
  CommandLine(std::string program, std::string about, std::string version);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// The program itself.
  [[nodiscard]] Command program() { return Command(app_.get()); }
  /// Writes the variables and calls what `on` was given. The text is what --help or --version
  /// prints: then nothing was called. Errors: usage, in the parser's words; where something is
  /// missing, the words that it didn't know, which may be the missing ones misspelt, stand before.
  Result<std::optional<std::string>> parse(int count, const char* const* arguments);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace sp::apps
