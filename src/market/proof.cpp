#include "market/proof.hpp"

#include <nlohmann/json.hpp>

#include "base/world.hpp"

namespace sp::market {
namespace {

constexpr std::uint64_t kVersion = 1;

Json domain_json(const Eip712Domain& domain) {
  return {{"chainId", domain.chain_id}, {"market", domain.contract.hex0x()}};
}

Eip712Domain read_domain(JsonObject& object) {
  return {object.number("chainId", ~std::uint64_t{0} >> 1), object.fixed<Address>("market")};
}

// A binary field of the bundle, decoded by its type.
template <class Value>
Result<Value> read_binary(JsonObject& object, std::string_view key) {
  SP_ASSIGN(const Bytes bytes, from_hex(object.text(key, kBundleSizeMax)));
  auto value = Value::decode(bytes);
  if (!value) return value.error().in(key);
  return value;
}

// What the bundle is about, for people who open it. Verification reads none of it.
Json summary(const ProofBundle& bundle) {
  Json parts = Json::array();
  for (const Part& part : bundle.terms.parts) {
    parts.push_back({{"kind", api::part_kind_name(part.kind)},
                     {"digest", part.digest.hex()},
                     {"owner", part.owner.hex0x()}});
  }
  const Receipt& receipt = bundle.receipt.statement;
  return {{"order", bundle.terms.order_id(bundle.market).hex0x()},
          {"customer", bundle.terms.customer.hex0x()},
          {"evidence", attest::kind_name(bundle.proof.evidence.kind)},
          {"attestedAt", to_rfc3339(bundle.attestation.statement.time)},
          {"outcome", api::outcome_name(receipt.outcome)},
          {"exitCode", receipt.exit_code},
          {"result", receipt.result.hex()},
          {"parts", std::move(parts)}};
}

class Checks {
 public:
  void add(std::string name, bool passed, std::string detail) {
    list_.push_back(
        {std::move(name), passed ? CheckResult::passed : CheckResult::failed, std::move(detail)});
  }
  void add(std::string name, const Status& status, std::string detail) {
    add(std::move(name), status.ok(), status.ok() ? std::move(detail) : status.error().message);
  }
  void unchecked(std::string name, std::string detail) {
    list_.push_back({std::move(name), CheckResult::unchecked, std::move(detail)});
  }
  std::vector<ProofCheck> take() { return std::move(list_); }

 private:
  std::vector<ProofCheck> list_;
};

void check_trust(Checks& checks, const ProofBundle& bundle, const Trust& trust) {
  checks.add("chain", bundle.market.chain_id == trust.market.chain_id,
             "chain " + std::to_string(bundle.market.chain_id) + ", trusted " +
                 std::to_string(trust.market.chain_id));
  checks.add("market", bundle.market.contract == trust.market.contract,
             bundle.market.contract.hex0x() + ", trusted " + trust.market.contract.hex0x());
  // The order id is computed under the trusted domain, so that the bundle's own can't matter.
  const OrderId order = bundle.terms.order_id(trust.market);
  checks.add("order", order == trust.order,
             "the terms hash to " + order.hex0x() + ", trusted " + trust.order.hex0x());
  checks.add("terms.version", bundle.terms.check_version_1(), "the terms are of version 1");
  checks.add("terms.attestor", bundle.terms.attestor == trust.attestor,
             bundle.terms.attestor.hex0x() + ", trusted " + trust.attestor.hex0x());
}

void check_attestation(Checks& checks, const ProofBundle& bundle, const Trust& trust) {
  const Attestation& attestation = bundle.attestation.statement;
  const attest::OrderSession& context = bundle.proof.context;
  checks.add("attestation.signature", bundle.attestation.verify(trust.market, trust.attestor),
             "signed by the trusted attestor");
  checks.add("attestation.order", attestation.run.order == trust.order,
             "about order " + attestation.run.order.hex0x());
  const api::Run run{context.order, context.attempt, context.replica};
  checks.add("attestation.session",
             attestation.run == run && attestation.session == context.session,
             "about session " + attestation.session.hex0x());
  checks.add("attestation.acceptance", attestation.acceptance == bundle.proof.acceptance,
             "holds the provider's acceptance");
}

void check_evidence(Checks& checks, const ProofBundle& bundle, const Trust& trust) {
  const Attestation& attestation = bundle.attestation.statement;
  const auto verdict = attest::verify(bundle.proof.evidence, attestation.time);
  if (!verdict) {
    checks.add("evidence", false, verdict.error().message);
    return;
  }
  checks.add(
      "evidence", true,
      std::string(attest::kind_name(verdict->kind())) + " evidence, chip " + verdict->chip().hex());
  checks.add("evidence.binding", verdict->binds(bundle.proof.context.report_data()),
             "binds the session's keys and the order");
  for (const attest::RuleOutcome& rule : attest::appraise(*verdict, trust.tee)) {
    checks.add("evidence." + rule.rule, rule.allowed, rule.reason);
  }
  const bool same = attestation.kind == verdict->kind() && attestation.chip == verdict->chip() &&
                    attestation.vendor == verdict->vendor() &&
                    attestation.tcb_status == verdict->tcb_status() &&
                    attestation.measurement == verdict->measurement_digest();
  checks.add("attestation.device", same, "says what the evidence says");
  const auto compute = bundle.terms.compute_of(attestation.run.attempt, attestation.run.replica);
  checks.add("terms.device",
             compute && compute->kind == verdict->kind() && compute->chip == verdict->chip(),
             "the device that the compute offer names");
}

std::string opened_parts(const ProofBundle& bundle) {
  std::string names;
  for (std::size_t i = 0; i < bundle.terms.parts.size(); ++i) {
    if ((bundle.receipt.statement.opened >> i & 1U) == 0) continue;
    if (!names.empty()) names += ", ";
    names += std::to_string(i) + " " + std::string(api::part_kind_name(bundle.terms.parts[i].kind));
  }
  return names.empty() ? "no part" : names;
}

void check_receipt(Checks& checks, const ProofBundle& bundle, const Trust& trust) {
  const Receipt& receipt = bundle.receipt.statement;
  checks.add("receipt.signature",
             bundle.receipt.verify(trust.market, bundle.attestation.statement.session),
             "signed by the attested session");
  checks.add("receipt.order", receipt.run == bundle.attestation.statement.run,
             "about the attested run");
  const bool parts_known = (receipt.opened >> bundle.terms.parts.size()) == 0;
  checks.add("receipt.opened", parts_known, "opened: " + opened_parts(bundle));
  const bool has_result = receipt.outcome != api::Outcome::success ||
                          (!receipt.result.is_zero() && !receipt.commitment.is_zero());
  checks.add("receipt.result", has_result,
             std::string(api::outcome_name(receipt.outcome)) + ", exit code " +
                 std::to_string(receipt.exit_code) + ", result " + receipt.result.hex());
}

}  // namespace

std::string ProofBundle::to_json() const {
  Json json{{"format", "super protocol proof bundle"},
            {"version", kVersion},
            {"chain", domain_json(market)},
            {"terms", to_hex(terms.encode())},
            {"proof", to_hex(proof.encode())},
            {"attestation", to_hex(attestation.encode())},
            {"receipt", to_hex(receipt.encode())},
            {"createdTx", created_tx.hex0x()},
            {"createdBlock", created_block},
            {"settledTx", settled_tx.hex0x()},
            {"settledBlock", settled_block},
            {"summary", summary(*this)}};
  if (proof.evidence.kind == attest::EvidenceKind::dev) {
    json["warning"] = "dev evidence: worthless for confidentiality";
  }
  return json.dump(2) + "\n";
}

Result<ProofBundle> ProofBundle::parse(std::string_view text) {
  SP_ASSIGN(const Json json, parse_json(text, kBundleSizeMax));
  JsonObject object(json, "bundle");
  if (object.text("format", 64) != "super protocol proof bundle" ||
      object.number("version", 0xffff) != kVersion) {
    return Error{Errc::unsupported, "not a proof bundle of version 1"};
  }
  ProofBundle bundle;
  JsonObject chain(object.any("chain"), "bundle.chain");
  bundle.market = read_domain(chain);
  SP_TRY(chain.finish());
  SP_ASSIGN(bundle.terms, read_binary<Terms>(object, "terms"));
  SP_ASSIGN(bundle.proof, read_binary<api::SessionProof>(object, "proof"));
  SP_ASSIGN(bundle.attestation, read_binary<Signed<Attestation>>(object, "attestation"));
  SP_ASSIGN(bundle.receipt, read_binary<Signed<Receipt>>(object, "receipt"));
  bundle.created_tx = object.fixed<chain::TxHash>("createdTx");
  bundle.created_block = object.number("createdBlock", ~std::uint64_t{0} >> 1);
  bundle.settled_tx = object.fixed<chain::TxHash>("settledTx");
  bundle.settled_block = object.number("settledBlock", ~std::uint64_t{0} >> 1);
  object.any("summary");
  if (object.has("warning")) object.any("warning");
  SP_TRY(object.finish());
  return bundle;
}

std::string Trust::to_json() const {
  Json json{{"version", kVersion},
            {"chain", domain_json(market)},
            {"attestor", attestor.hex0x()},
            {"order", order.hex0x()},
            {"tee", tee.to_json()}};
  return json.dump(2) + "\n";
}

Result<Trust> Trust::parse(std::string_view text) {
  SP_ASSIGN(const Json json, parse_json(text, kTrustSizeMax));
  JsonObject object(json, "trust");
  if (object.number("version", 0xffff) != kVersion && object.finish().ok()) {
    return Error{Errc::unsupported, "trust.version must be 1"};
  }
  Trust trust;
  JsonObject chain(object.any("chain"), "trust.chain");
  trust.market = read_domain(chain);
  SP_TRY(chain.finish());
  trust.attestor = object.fixed<Address>("attestor");
  trust.order = object.fixed<OrderId>("order");
  SP_ASSIGN(trust.tee, attest::AppraisalPolicy::from_json(object.any("tee"), "trust.tee"));
  SP_TRY(object.finish());
  return trust;
}

std::vector<ProofCheck> verify_proof(const ProofBundle& bundle, const Trust& trust) {
  Checks checks;
  check_trust(checks, bundle, trust);
  check_attestation(checks, bundle, trust);
  check_evidence(checks, bundle, trust);
  check_receipt(checks, bundle, trust);
  checks.unchecked("chain.inclusion", "needs the chain: verify with --rpc");
  checks.unchecked("provider.acceptance", "the provider's action account is on the chain: --rpc");
  return checks.take();
}

bool proof_holds(const std::vector<ProofCheck>& checks) {
  return !checks.empty() && std::none_of(checks.begin(), checks.end(), [](const ProofCheck& check) {
    return check.result == CheckResult::failed;
  });
}

}  // namespace sp::market
