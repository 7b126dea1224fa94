// policy: try a release policy on real evidence before relying on it, and a policy to begin with.
#include <nlohmann/json.hpp>

#include "market/proof.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/ids.hpp"
#include "spctl/offer_policy.hpp"
#include "spctl/order_files.hpp"

namespace sp::spctl {
namespace {

constexpr std::int64_t kDay = 24 * 3600;

struct PolicyOptions {
  std::string policy;
  std::string bundle;
  std::string evidence;
  std::string terms;
  std::string order;
  std::string at;
  std::size_t part = 0;
  std::vector<std::string> solutions;
  std::string arguments = "any";
  std::int64_t days = kPolicyDaysDefault;
};

// What a policy is tried on.
struct Case {
  api::Eip712Domain market;
  api::Terms terms;
  attest::Evidence evidence;
  std::int64_t time = 0;
};

// A file that holds a value's encoding, as it is or in hexadecimal.
Result<Bytes> read_encoded(const Files& files, const Path& path, std::size_t size_max) {
  SP_ASSIGN(Bytes bytes, files.read(path, size_max));
  std::string text(as_text(bytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (auto decoded = from_hex(text)) return decoded;
  return bytes;
}

Result<Case> case_from_bundle(Context& context, const std::string& file) {
  SP_ASSIGN(const Bytes text, context.files().read(file, market::kBundleSizeMax));
  SP_ASSIGN(auto bundle, market::ProofBundle::parse(as_text(text)));
  return Case{bundle.market, std::move(bundle.terms), std::move(bundle.proof.evidence),
              bundle.attestation.statement.time};
}

Result<api::Terms> terms_of(Context& context, Session& session, const PolicyOptions& options) {
  if (!options.terms.empty()) {
    SP_ASSIGN(const Bytes bytes,
              read_encoded(context.files(), options.terms, 2 * api::kTermsSizeMax + 2));
    return api::Terms::decode(bytes);
  }
  const OrderFiles orders(context.files(), context.home().orders());
  SP_ASSIGN(const api::OrderId id, orders.find(options.order));
  if (auto record = orders.load(id)) return std::move(record->terms);
  SP_ASSIGN(const chain::Block newest, session.chain.block());
  SP_ASSIGN(auto created,
            session.market.find_created(id, session.network.start_block, newest.number));
  return std::move(created.terms);
}

Result<Case> case_of(Context& context, const PolicyOptions& options) {
  if (!options.bundle.empty()) return case_from_bundle(context, options.bundle);
  if (options.evidence.empty() || options.terms.empty() == options.order.empty()) {
    return failure(Errc::usage, "there is nothing to try the policy on",
                   "evidence and terms are needed",
                   "Give --bundle, or --evidence with --order or --terms");
  }
  SP_ASSIGN(const auto session, context.session());
  Case tried;
  tried.market = session->network.market;
  SP_ASSIGN(tried.terms, terms_of(context, *session, options));
  SP_ASSIGN(const Bytes evidence,
            read_encoded(context.files(), options.evidence, 2 * api::kSessionProofMax));
  SP_ASSIGN(tried.evidence, attest::Evidence::decode(evidence));
  tried.time = context.clock().unix_seconds();
  return tried;
}

Result<int> test(Context& context, const PolicyOptions& options) {
  SP_ASSIGN(const Bytes policy_text, context.files().read(options.policy, api::kPolicySizeMax));
  SP_ASSIGN(const auto policy, broker::ReleasePolicy::parse(as_text(policy_text)));
  SP_ASSIGN(Case tried, case_of(context, options));
  if (!options.at.empty()) {
    SP_ASSIGN(tried.time, from_rfc3339(options.at));
  }
  const auto& parts = tried.terms.parts;
  if (options.part >= parts.size() || parts[options.part].brokers.empty()) {
    return failure(Errc::usage, "part " + std::to_string(options.part) + " is refused",
                   "the order has no such part with a broker", "Parts count from 0 (arguments)");
  }
  SP_ASSIGN(const attest::Verdict verdict, attest::verify(tried.evidence, tried.time));
  const broker::ReleaseCase release{tried.market, tried.terms, options.part,
                                    parts[options.part].brokers.front(), tried.time};
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

Result<int> make_template(Context& context, const PolicyOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  PolicyWishes wishes;
  for (const std::string& solution : options.solutions) {
    SP_ASSIGN(const Digest32 digest, typed_id<Digest32>(solution, "--allow-solution"));
    wishes.solutions.push_back(digest);
  }
  wishes.arguments = options.arguments;
  wishes.until = context.clock().unix_seconds() + options.days * kDay;
  SP_ASSIGN(const broker::ReleasePolicy policy, make_offer_policy(session->network, wishes));
  const std::string text = policy.to_json();
  context.console().line(text);
  SP_ASSIGN(const Json json, parse_json(text, api::kPolicySizeMax));
  context.console().result(json);
  return 0;
}

}  // namespace

void add_policy_commands(Cli& cli) {
  apps::Command group = cli.add(cli.app(), "policy", "Release policies: who may have a secret",
                                "  spctl policy template --allow-solution ID > policy.json");
  group.require_command();
  auto options = std::make_shared<PolicyOptions>();
  apps::Command command = cli.add(
      group, "test", "Say of each rule whether it would release a part's key to a proved session",
      "  spctl policy test policy.json --bundle proof.spbundle --part 2\n"
      "  spctl policy test policy.json --evidence evidence.bin --order 0x12ab --part 1");
  command.add_option("POLICY", options->policy, "The policy (JSON; docs/POLICY.md)").required();
  command.add_option("--bundle", options->bundle, "A proof bundle: evidence and terms");
  command.add_option("--evidence", options->evidence, "Encoded evidence, binary or hexadecimal");
  command.add_option("--order", options->order, "The order, of this home or on the chain");
  command.add_option("--terms", options->terms, "Encoded terms, binary or hexadecimal");
  command.add_option("--part", options->part, "0 arguments, 1 solution, 2... data").required();
  command.add_option("--at", options->at, "The time of the release [attestation's, or now]");
  cli.on(command, [options](Context& context) { return test(context, *options); });

  command = cli.add(group, "template", "Print a policy to begin with, for this network's devices",
                    "  spctl policy template --allow-solution ID --arguments none > policy.json");
  command
      .add_option("--allow-solution", options->solutions,
                  "Package of a solution that may use it; repeatable")
      .one_each_time();
  command.add_option("--arguments", options->arguments, "any, none, or rules in JSON")
      .shows_default();
  command.add_option("--days", options->days, "How long it holds")
      .range(1, kPolicyDaysMax, "1 to 36500")
      .shows_default();
  cli.on(command, [options](Context& context) { return make_template(context, *options); });
}

}  // namespace sp::spctl
