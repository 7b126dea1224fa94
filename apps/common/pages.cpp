#include "common/pages.hpp"

#include <CLI/CLI.hpp>
#include <functional>

namespace sp::apps {
namespace {

// Text for troff: a backslash and a hyphen are written as such, and no line begins with a control
// character (groff_man(7)).
std::string troff(std::string_view text) {
  std::string result;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    begins = c == '\n';
  }
  return result;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

// An argument of a macro line: one line, in quotes, which are doubled within (groff(7)).
std::string argument(std::string_view text) {
  std::string result = "\"";
  for (const char c : troff(text)) {
    if (c == '"')
      result += "\\(dq";
    else
      result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

bool hidden(const CLI::App& app) { return app.get_group().empty(); }

using Visit = std::function<void(const CLI::App&, const std::string& path)>;

// A command's name and its aliases.
std::vector<std::string> all_names(const CLI::App& app) {
  std::vector<std::string> names{app.get_name()};
  names.insert(names.end(), app.get_aliases().begin(), app.get_aliases().end());
  return names;
}

// All commands that help shows, parents first.
void walk(const CLI::App& app, const std::string& path, const Visit& visit) {
  visit(app, path);
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!hidden(*command)) walk(*command, path + " " + command->get_name(), visit);
  }
}

// The same by every name that may be typed.
void walk_typed(const CLI::App& app, const std::string& path, const Visit& visit) {
  visit(app, path);
  for (const CLI::App* command : app.get_subcommands({})) {
    if (hidden(*command)) continue;
    for (const std::string& name : all_names(*command)) {
      walk_typed(*command, path + " " + name, visit);
    }
  }
}

std::string names_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true, false);
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) {
    names += (names.empty() ? "--" : ", --") + name;
  }
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? names + " " + option.get_type_name() : names;
}

std::string options_of(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    text += ".TP\n.B " + argument(names_of(*option)) + "\n";
    text +=
        troff(option->get_description().empty() ? "See the examples." : option->get_description());
    if (option->get_required()) text += " (required)";
    text += "\n";
  }
  return text;
}

// Footers are written as they should appear.
std::string footer_of(const CLI::App& app) {
  const std::string footer = app.get_footer();
  return footer.empty() ? "" : ".PP\n.nf\n" + troff(footer) + "\n.fi\n";
}

std::string section_of(const CLI::App& app, const std::string& path) {
  return ".SS " + argument(path) + "\n" + troff(app.get_description()) + ".\n" + options_of(app) +
         footer_of(app);
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (hidden(*command)) continue;
    for (const std::string& name : all_names(*command)) words += name + " ";
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

// One case for each command: what may follow it.
std::string cases_of(const CLI::App& app) {
  std::string cases;
  walk_typed(app, app.get_name(), [&](const CLI::App& command, const std::string& path) {
    cases += "    '" + path + "') next='" + words_of(command) + "' ;;\n";
  });
  return cases;
}

// All commands, each quoted and with the words that lead to it.
std::string quoted_paths(const CLI::App& app, std::string_view between) {
  std::string list;
  walk_typed(app, app.get_name(), [&](const CLI::App& command, const std::string& path) {
    if (&command == &app) return;
    list += (list.empty() ? "" : std::string(between)) + "'" + path + "'";
  });
  return list;
}

// In bash and zsh: `word` lengthens `at` where that is a command; what is none is a value, behind
// which the same may follow as before.
std::string step_of(const CLI::App& app) {
  return "    case \"$at $word\" in " + quoted_paths(app, "|") + ") at+=\" $word\" ;; esac\n";
}

std::string bash_script(const CLI::App& app) {
  const std::string& name = app.get_name();
  return "_" + name + "() {\n  local at=" + name +
         " word next=\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n" +
         step_of(app) + "  done\n  case $at in\n" + cases_of(app) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$next\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _" +
         name + " " + name + "\n";
}

// No variable is called `path`, which zsh ties to PATH, nor `words`, which are the command line's.
std::string zsh_script(const CLI::App& app) {
  const std::string& name = app.get_name();
  return "#compdef " + name + "\n_" + name + "() {\n  local at=" + name +
         " word next=\n"
         "  for word in ${words[2,CURRENT-1]}; do\n" +
         step_of(app) + "  done\n  case $at in\n" + cases_of(app) +
         "  esac\n"
         "  compadd -- ${=next} || _files\n}\n"
         "compdef _" +
         name + " " + name + "\n";
}

// Quoted for fish: in single quotes, in which only they and backslashes are escaped.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "'";
}

std::string fish_script(const CLI::App& app) {
  const std::string& name = app.get_name();
  std::string script = "function __" + name + "_at\n  set -l at " + name +
                       "\n  for word in (commandline -opc)[2..-1]\n"
                       "    contains -- \"$at $word\" " +
                       quoted_paths(app, " ") +
                       "; and set at \"$at $word\"\n  end\n"
                       "  test \"$at\" = \"$argv[1]\"\nend\n";
  walk_typed(app, name, [&](const CLI::App& command, const std::string& path) {
    const std::string begin =
        "complete -c " + name + " -n " + fish_quoted("__" + name + "_at " + fish_quoted(path));
    for (const CLI::App* next : command.get_subcommands({})) {
      if (hidden(*next)) continue;
      for (const std::string& word : all_names(*next)) {
        script += begin + " -a " + word + " -d " + fish_quoted(next->get_description()) + "\n";
      }
    }
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& flag : option->get_lnames()) {
        script += begin + " -l " + flag + " -d " + fish_quoted(option->get_description()) + "\n";
      }
    }
  });
  return script;
}

}  // namespace

std::string man_page(Command program, std::string_view version, std::string_view about) {
  const CLI::App& app = program.parser();
  const std::string& name = app.get_name();
  std::string page = ".TH " + upper(name) + " 1 \"\" " +
                     argument(name + " " + std::string(version)) +
                     " \"Super Protocol\"\n.SH NAME\n" + name + " \\- " +
                     troff(app.get_description()) + "\n.SH SYNOPSIS\n.B " + name +
                     "\n.RI [ OPTIONS ] \" COMMAND \" [ ARGUMENTS ]\n.SH OPTIONS\n" +
                     options_of(app) + ".SH COMMANDS\n";
  walk(app, name, [&](const CLI::App& command, const std::string& path) {
    if (&command != &app) page += section_of(command, path);
  });
  page += ".SH NOTES\n" + footer_of(app) + ".SH \"SEE ALSO\"\n" + troff(about) + "\n";
  return page;
}

std::optional<std::string> completion_script(Command program, std::string_view shell) {
  const CLI::App& app = program.parser();
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return zsh_script(app);
  if (shell == "fish") return fish_script(app);
  return {};
}

}  // namespace sp::apps
