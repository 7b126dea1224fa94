#include "common/command_line.hpp"

#include <CLI/CLI.hpp>
#include <limits>
#include <sstream>

namespace sp::apps {
namespace {

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

}  // namespace

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::shows_default() const {
  option_->capture_default_str();
  return *this;
}

Option Option::range(std::int64_t least, std::int64_t most, std::string words) const {
  option_->check(CLI::Range(least, most, words));
  return *this;
}

Option Option::at_least_one() const {
  return range(1, std::numeric_limits<std::uint32_t>::max(), "1 or more");
}

Option Option::one_of(std::vector<std::string> words) const {
  option_->check(CLI::IsMember(std::move(words)));
  return *this;
}

Option Option::one_each_time() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::existing_file() const {
  option_->check(CLI::ExistingFile);
  return *this;
}

Option Option::value_name(std::string name) const {
  option_->type_name(std::move(name));
  return *this;
}

template <class Value>
Option Command::add_option(std::string names, Value& variable, std::string help) const {
  return Option(app_->add_option(std::move(names), variable, std::move(help)));
}

template Option Command::add_option(std::string, std::string&, std::string) const;
template Option Command::add_option(std::string, std::vector<std::string>&, std::string) const;
template Option Command::add_option(std::string, std::optional<std::string>&, std::string) const;
template Option Command::add_option(std::string, std::uint16_t&, std::string) const;
template Option Command::add_option(std::string, std::uint32_t&, std::string) const;
template Option Command::add_option(std::string, std::uint64_t&, std::string) const;
template Option Command::add_option(std::string, std::int64_t&, std::string) const;
template Option Command::add_option(std::string, std::optional<std::uint32_t>&, std::string) const;
template Option Command::add_option(std::string, std::optional<std::uint64_t>&, std::string) const;

Option Command::add_checked_option(std::string name, std::function<Status(const std::string&)> take,
                                   std::string help) const {
  const auto checked = [name, take = std::move(take)](const std::string& value) {
    const Status taken = take(value);
    if (!taken) throw CLI::ValidationError(name, taken.error().message);
  };
  return Option(app_->add_option_function<std::string>(name, checked, std::move(help)));
}

Option Command::add_flag(std::string name, bool& variable, std::string help) const {
  return Option(app_->add_flag(std::move(name), variable, std::move(help)));
}

Command Command::add_command(std::string name, std::string description) const {
  return Command(app_->add_subcommand(std::move(name), std::move(description)));
}

void Command::require_command() const { app_->require_subcommand(1); }

void Command::falls_through() const { app_->fallthrough(); }

void Command::alias(std::string name) const { app_->alias(std::move(name)); }

void Command::footer(std::string text) const { app_->footer(std::move(text)); }

void Command::on(std::function<void()> given) const { app_->callback(std::move(given)); }

CommandLine::CommandLine(std::string program, std::string about, std::string version)
    : app_(std::make_unique<CLI::App>(std::move(about), std::move(program))) {
  app_->set_version_flag("--version", std::move(version));
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Result<std::optional<std::string>> CommandLine::parse(int count, const char* const* arguments) {
  try {
    app_->parse(count, arguments);
  } catch (const CLI::Success& asked) {
    return std::optional(asked_text(*app_, asked));
  } catch (const CLI::ParseError& error) {
    return Error{Errc::usage, usage_words(*app_, error)};
  }
  return std::optional<std::string>();
}

}  // namespace sp::apps
