// completion and man: scripts for shells and the manual page, made from the parser itself.
#include <nlohmann/json.hpp>

#include "common/pages.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kSeeAlso =
    "spnode(1), and the folder docs of the project: OPERATIONS.md, POLICY.md, ATTESTATION.md.";

void add_shell(Cli& cli, apps::Command group, const std::string& shell,
               const std::string& example) {
  apps::Command command = cli.add(group, shell, "Print the script for " + shell, example);
  cli.on(command, [&cli, shell](Context& context) -> Result<int> {
    const auto script = apps::completion_script(cli.app(), shell);
    SP_CHECK(script.has_value());
    context.console().text(*script);
    context.console().result({{"shell", shell}, {"script", *script}});
    return 0;
  });
}

}  // namespace

void add_completion_command(Cli& cli) {
  apps::Command group = cli.add(cli.app(), "completion", "Completion for shells",
                                "  source <(spctl completion bash)");
  group.require_command();
  add_shell(cli, group, "bash", "  spctl completion bash > /etc/bash_completion.d/spctl");
  add_shell(cli, group, "zsh", "  spctl completion zsh > \"${fpath[1]}/_spctl\"");
  add_shell(cli, group, "fish", "  spctl completion fish > ~/.config/fish/completions/spctl.fish");
  apps::Command man = cli.add(cli.app(), "man", "Print the manual page", "  spctl man | man -l -");
  cli.on(man, [&cli](Context& context) -> Result<int> {
    const std::string page = apps::man_page(cli.app(), SP_VERSION, kSeeAlso);
    context.console().text(page);
    context.console().result({{"page", page}});
    return 0;
  });
}

}  // namespace sp::spctl
