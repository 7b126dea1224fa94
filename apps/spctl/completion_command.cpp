// completion: a script for bash, made from the parser itself.
#include <CLI/CLI.hpp>

#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace sp::spctl {
namespace {

// One case for each command: what may follow it.
void words_of(const CLI::App& app, const std::string& path, std::string& script) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands({})) words += command->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  script += "    '" + path + "') words='" + words + "' ;;\n";
  for (const CLI::App* command : app.get_subcommands({})) {
    words_of(*command, path + " " + command->get_name(), script);
  }
}

std::string completion_script(const CLI::App& app) {
  std::string cases;
  words_of(app, "spctl", cases);
  return "_spctl() {\n  local path=spctl i words=\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in -*) ;; *) path+=\" ${COMP_WORDS[i]}\" ;; esac\n  done\n"
         "  case $path in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _spctl spctl\n";
}

}  // namespace

void add_completion_command(Cli& cli) {
  CLI::App* group = cli.add(cli.app(), "completion", "Completion for shells",
                            "  source <(spctl completion bash)");
  group->require_subcommand(1);
  CLI::App* command = cli.add(*group, "bash", "Print the script for bash",
                              "  spctl completion bash > /etc/bash_completion.d/spctl");
  cli.on(command, [&cli](Context& context) -> Result<int> {
    context.console().text(completion_script(cli.app()));
    return 0;
  });
}

}  // namespace sp::spctl
