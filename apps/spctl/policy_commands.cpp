// policy: try a release policy on real evidence before relying on it. completion: for shells.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "broker/policy.hpp"
#include "market/proof.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/order_files.hpp"

namespace sp::spctl {
namespace {

struct PolicyOptions {
  std::string policy;
  std::string bundle;
  std::size_t part = 0;
};

Result<int> test(Context& context, const PolicyOptions& options) {
  SP_ASSIGN(const Bytes policy_text, context.files().read(options.policy, api::kPolicySizeMax));
  SP_ASSIGN(const Bytes bundle_text, context.files().read(options.bundle, market::kBundleSizeMax));
  SP_ASSIGN(const auto policy, broker::ReleasePolicy::parse(as_text(policy_text)));
  SP_ASSIGN(const auto bundle, market::ProofBundle::parse(as_text(bundle_text)));
  if (options.part >= bundle.terms.parts.size() ||
      bundle.terms.parts[options.part].brokers.empty()) {
    return failure(Errc::usage, "part " + std::to_string(options.part) + " is refused",
                   "the order has no such part with a broker", "Parts count from 0 (arguments).");
  }
  const std::int64_t at = bundle.attestation.statement.time;
  SP_ASSIGN(const attest::Verdict verdict, attest::verify(bundle.proof.evidence, at));
  const broker::ReleaseCase release{bundle.market, bundle.terms, options.part,
                                    bundle.terms.parts[options.part].brokers.front(), at};
  const auto outcomes = broker::evaluate(policy, release, verdict);
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"RULE", "OUTCOME", "WHY"}};
  for (const attest::RuleOutcome& rule : outcomes) {
    rows.push_back({rule.rule, rule.allowed ? "allows" : "REFUSES", rule.reason});
    list.push_back({{"rule", rule.rule}, {"allowed", rule.allowed}, {"reason", rule.reason}});
  }
  const bool allowed = attest::all_allowed(outcomes).ok();
  context.console().text(table(rows));
  context.console().line(allowed ? "\nThe key would be released." : "\nThe key would be refused.");
  context.console().result({{"allowed", allowed}, {"rules", std::move(list)}});
  return allowed ? 0 : kExitFailed;
}

// One `complete` line a shell can source: every command below its parents, read from the parser
// itself.
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

void add_policy_commands(Cli& cli) {
  CLI::App* group = cli.add(cli.app(), "policy", "Release policies", "  spctl policy test ...");
  group->require_subcommand(1);
  auto options = std::make_shared<PolicyOptions>();
  CLI::App* command = cli.add(
      *group, "test", "Say of each rule whether it would release a part's key to a proved session",
      "  spctl policy test policy.json --bundle proof.spbundle --part 2");
  command->add_option("POLICY", options->policy, "The policy (JSON; docs/POLICY.md)")->required();
  command->add_option("--bundle", options->bundle, "A proof bundle: evidence and terms")
      ->required();
  command->add_option("--part", options->part, "0 arguments, 1 solution, 2... data")->required();
  cli.on(command, [options](Context& context) { return test(context, *options); });
}

void add_completion_command(Cli& cli) {
  CLI::App* command = cli.add(cli.app(), "completion", "Print a completion script for bash",
                              "  spctl completion > /etc/bash_completion.d/spctl");
  cli.on(command, [&cli](Context& context) -> Result<int> {
    context.console().text(completion_script(cli.app()));
    return 0;
  });
}

}  // namespace sp::spctl
