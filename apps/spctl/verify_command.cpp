// verify: checks a proof bundle, offline, and with --rpc against the chain as well.
#include <nlohmann/json.hpp>

#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/proof.hpp"

namespace sp::spctl {
namespace {

using market::ProofCheck;

constexpr int kExitUnasked = 3;  // the endpoint of --rpc is away: neither held nor refuted

struct VerifyOptions {
  std::string bundle;
  std::string trust;
  std::string rpc;
};

bool any_unchecked(const std::vector<ProofCheck>& checks) {
  return std::any_of(checks.begin(), checks.end(), [](const ProofCheck& check) {
    return check.result == market::CheckResult::unchecked;
  });
}

Result<std::string> read_text(Files& files, const std::string& path, std::size_t size_max) {
  SP_ASSIGN(const Bytes bytes, files.read(path, size_max));
  return std::string(as_text(bytes));
}

Result<int> verify(Context& context, const VerifyOptions& options) {
  SP_ASSIGN(const std::string bundle_text,
            read_text(context.files(), options.bundle, market::kBundleSizeMax));
  SP_ASSIGN(const std::string trust_text,
            read_text(context.files(), options.trust, market::kTrustSizeMax));
  SP_ASSIGN(const market::ProofBundle bundle, market::ProofBundle::parse(bundle_text));
  SP_ASSIGN(const market::Trust trust, market::Trust::parse(trust_text));
  std::vector<ProofCheck> checks = market::verify_proof(bundle, trust);
  if (!options.rpc.empty()) {
    const auto endpoint = chain::http_endpoint(options.rpc, context.clock());
    chain::Chain chain(*endpoint);
    market::MarketClient client(chain, trust.market);
    check_on_chain(client, bundle, trust, checks);
  }
  std::vector<std::vector<std::string>> rows{{"CHECK", "OUTCOME", "DETAIL"}};
  for (const ProofCheck& check : checks) {
    rows.push_back({check.name, std::string(check_result_name(check.result)), check.detail});
  }
  const bool refuted = !market::proof_holds(checks);
  const bool unasked = !refuted && !options.rpc.empty() && any_unchecked(checks);
  context.console().text(table(rows));
  context.console().line((refuted   ? "\nThe proof FAILS: "
                          : unasked ? "\nThe chain can't be asked; nothing else is wrong: "
                                    : "\nThe proof holds: ") +
                         check_counts(checks) + ".");
  context.console().result({{"holds", !refuted && !unasked},
                            {"chainAsked", !options.rpc.empty() && !unasked},
                            {"checks", checks_json(checks)}});
  if (refuted) return kExitFailed;
  return unasked ? kExitUnasked : 0;
}

}  // namespace

void add_verify_command(Cli& cli) {
  auto options = std::make_shared<VerifyOptions>();
  apps::Command command = cli.add(
      cli.app(), "verify",
      "Check a proof bundle offline; fails when any check fails. What is trusted comes from "
      "--trust, never from the bundle",
      "  spctl verify --trust trust.json proof.spbundle\n"
      "  spctl verify --trust trust.json proof.spbundle --rpc http://127.0.0.1:8545\n"
      "Exit code 1: a check fails; 3: none fails, but the endpoint of --rpc can't be asked.");
  command.add_option("BUNDLE", options->bundle, "The proof bundle").required();
  command
      .add_option("--trust", options->trust,
                  "What you trust: chain, market, attestor, order, devices")
      .required();
  command.add_option("--rpc", options->rpc, "A chain endpoint, to check inclusion as well");
  cli.on(command, [options](Context& context) { return verify(context, *options); });
}

}  // namespace sp::spctl
