// completion and man: scripts for shells and the manual page, made from the parser itself.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/pages.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kSeeAlso =
    "spnode(1), and the folder docs of the project: OPERATIONS.md, POLICY.md, ATTESTATION.md.";

void add_shell(Cli& cli, CLI::App& group, const std::string& shell, const std::string& example) {
  CLI::App* command = cli.add(group, shell, "Print the script for " + shell, example);
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
  CLI::App* group = cli.add(cli.app(), "completion", "Completion for shells",
                            "  source <(spctl completion bash)");
  group->require_subcommand(1);
  add_shell(cli, *group, "bash", "  spctl completion bash > /etc/bash_completion.d/spctl");
  add_shell(cli, *group, "zsh", "  spctl completion zsh > \"${fpath[1]}/_spctl\"");
  add_shell(cli, *group, "fish", "  spctl completion fish > ~/.config/fish/completions/spctl.fish");
  CLI::App* man = cli.add(cli.app(), "man", "Print the manual page", "  spctl man | man -l -");
  cli.on(man, [&cli](Context& context) -> Result<int> {
    const std::string page = apps::man_page(cli.app(), SP_VERSION, kSeeAlso);
    context.console().text(page);
    context.console().result({{"page", page}});
    return 0;
  });
}

}  // namespace sp::spctl
