// Release policies: the first byte says whether the rest is one, or of what one is built. What
// parses prints to something that parses to the same again, and an unknown key never does. A policy
// that allows a case refuses it, by the rule that says so, once one field allows something else.
#include "broker/policy.hpp"

#include "api/testing/fuzz_terms.hpp"
#include "attest/dev.hpp"
#include "attest/testing/fuzz_policy.hpp"
#include "base/testing/fuzz_json.hpp"

namespace sp::broker {
namespace {

using sp::testing::FuzzInput;

constexpr std::array<const char*, 7> kWords{
    "any", "own", "service", "dev", "argv[1]", "2030-01-01T00:00:00Z", "10000"};

template <class Fixed>
Allowed<Fixed> any_allowed(FuzzInput& input) {
  if (input.flag()) return {true, {}};
  return {false, attest::testing::any_fixed<Fixed>(input)};
}

ReleasePolicy any_policy(FuzzInput& input) {
  ReleasePolicy policy;
  policy.tee = attest::testing::any_appraisal_policy(input);
  for (std::size_t i = input.below(3); i > 0; --i) {
    const auto confirmations = static_cast<std::uint32_t>(1 + input.below(kConfirmationsMax));
    policy.chains.push_back({api::testing::any_market(input), confirmations});
    policy.chains.back().market.chain_id >>= 1;
  }
  policy.solutions = any_allowed<Digest32>(input);
  policy.orders = any_allowed<api::OrderId>(input);
  policy.accounts = any_allowed<Address>(input);
  policy.recipients = any_allowed<crypto::X25519Public>(input);
  policy.own_upload = input.flag();
  if (!policy.own_upload) policy.offers = any_allowed<api::OfferId>(input);
  policy.attestor_is_broker = input.flag();
  if (!policy.attestor_is_broker) policy.attestors = any_allowed<Address>(input);
  policy.modes.assign(input.below(3), static_cast<std::uint8_t>(input.below(2)));
  policy.egress.any = input.flag();
  if (!policy.egress.any) policy.egress.values = {to_hex(input.bytes(9))};
  policy.max_orders = input.number<std::uint32_t>();
  if (input.flag()) policy.max_orders.reset();
  policy.sessions = static_cast<std::uint32_t>(input.below(kSessionsMax + 1));
  policy.claim_window = input.number<std::uint32_t>();
  policy.until = input.number<std::uint32_t>();
  for (std::size_t i = input.below(3); i > 0; --i) {  // by name, as they stand in JSON
    policy.arguments.insert(policy.arguments.begin(),
                            {"argv[" + std::to_string(i) + "]", {to_hex(input.bytes(9))}});
  }
  return policy;
}

void check_text(const std::string& text) {
  const auto policy = ReleasePolicy::parse(text);
  if (!policy) return;
  const auto again = ReleasePolicy::parse(policy->to_json());
  SP_CHECK(again.ok() && *again == *policy);
  SP_CHECK(policy->sessions <= kSessionsMax && policy->chains.size() <= kPolicyListMax);
  for (const PolicyChain& chain : policy->chains) {
    SP_CHECK(chain.confirmations > 0 && chain.confirmations <= kConfirmationsMax);
  }
  Json more = parse_json(policy->to_json(), api::kPolicySizeMax).value();
  more["unknown"] = 0;
  SP_CHECK(ReleasePolicy::parse(more.dump()).error().code == Errc::malformed);
}

/// What is asked for, and a policy that allows just that.
struct Asked {
  api::Eip712Domain market;
  api::Terms terms;
  std::size_t part = 0;
  std::int64_t now = 0;
  attest::Verdict verdict;
  ReleasePolicy policy;

  [[nodiscard]] std::vector<attest::RuleOutcome> outcomes() const {
    return evaluate(policy, {market, terms, part, terms.attestor, now}, verdict);
  }
};

attest::Verdict any_verdict(FuzzInput& input) {
  static const crypto::EcKey key =
      crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(Bytes(32, 7))).value();
  const auto measurement = input.fixed<attest::Measurement>();
  return attest::verify(attest::make_dev_evidence(key, {}, measurement, {}), 0).value();
}

Asked any_case(FuzzInput& input) {
  Asked asked{api::testing::any_market(input),
              api::testing::any_terms(input),
              0,
              input.number<std::uint32_t>(),
              any_verdict(input),
              {}};
  asked.market.chain_id >>= 1;
  api::Terms& terms = asked.terms;
  while (terms.parts.size() < 2) terms.parts.push_back(api::testing::any_part(input));
  asked.part = input.below(terms.parts.size());
  api::Part& part = terms.parts[asked.part];
  part.max_orders |= 1;  // any number is what few policies allow
  part.price_type = api::PriceType::fixed;
  part.price = Amount(1);
  part.owner = terms.customer;
  part.owner.data[0] ^= 1;
  terms.claim_window >>= 1;
  if (terms.egress.empty()) terms.egress = {"example.org:443"};
  ReleasePolicy& policy = asked.policy;
  policy.tee.kinds = {attest::EvidenceKind::dev};
  policy.tee.measurements = {asked.verdict.measurement()};
  policy.tee.tcb_statuses = {attest::TcbStatus::up_to_date};
  policy.tee.dev_keys = {asked.verdict.anchor()};
  policy.chains = {{asked.market, 1}};
  policy.solutions.values = {terms.parts[api::Terms::kSolution].digest};
  policy.orders.values = {terms.order_id(asked.market)};
  policy.accounts.values = {terms.customer};
  policy.recipients.values = {terms.result_key};
  policy.offers.values = {part.offer_id()};
  policy.attestor_is_broker = input.flag();
  if (!policy.attestor_is_broker) policy.attestors.values = {terms.attestor};
  policy.modes = {terms.mode};
  policy.egress.values = terms.egress;
  policy.max_orders = part.max_orders;
  policy.claim_window = terms.claim_window;
  policy.until = asked.now + 1;
  return asked;
}

constexpr std::size_t kFields = 13;

/// Takes out what the case needs of one field; the rule that is about it.
std::string_view narrow(std::size_t field, ReleasePolicy& policy, const Asked& asked) {
  const auto none = [](auto& allowed, std::string_view rule) {
    allowed.values.clear();
    return rule;
  };
  switch (field) {
    case 0:
      policy.tee.measurements.clear();
      return "tee.measurements";
    case 1:
      policy.chains[0].market.chain_id ^= 1;
      return "chains";
    case 2:
      return none(policy.solutions, "solutions");
    case 3:
      return none(policy.orders, "orders");
    case 4:
      return none(policy.accounts, "accounts");
    case 5:
      return none(policy.recipients, "recipients");
    case 6:
      return none(policy.offers, "offers");
    case 7:
      policy.attestor_is_broker = false;
      return none(policy.attestors, "attestors");
    case 8:
      policy.modes = {static_cast<std::uint8_t>(1 - asked.terms.mode)};
      return "modes";
    case 9:
      policy.max_orders = asked.terms.parts[asked.part].max_orders - 1;
      return "maxOrders";
    case 10:
      policy.egress.values.clear();
      return "egress";
    case 11:
      ++policy.claim_window;
      return "claimWindow";
    default:
      policy.until = asked.now;
      return "until";
  }
}

void check_case(FuzzInput& input) {
  const std::size_t field = input.below(kFields);  // first, so that a short input reaches each
  Asked asked = any_case(input);
  SP_CHECK(attest::all_allowed(asked.outcomes()).ok());
  const std::string_view rule = narrow(field, asked.policy, asked);
  std::size_t refused = 0;
  for (const attest::RuleOutcome& outcome : asked.outcomes()) {
    if (outcome.allowed) continue;
    SP_CHECK(outcome.rule == rule);
    ++refused;
  }
  SP_CHECK(refused == 1);
}

void check_built(FuzzInput& input) {
  const ReleasePolicy policy = any_policy(input);
  const std::string text = policy.to_json();
  SP_CHECK(ReleasePolicy::parse(text).value() == policy);
  Json json = parse_json(text, api::kPolicySizeMax).value();
  for (std::size_t i = 1 + input.below(2); i > 0; --i) spoil_json(input, json, kWords);
  check_text(sp::testing::json_text(json));
}

}  // namespace
}  // namespace sp::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  sp::testing::FuzzInput input(bytes);
  switch (data[0] % 3) {
    case 0:
      sp::broker::check_text(std::string(sp::as_text(bytes)));
      break;
    case 1:
      sp::broker::check_built(input);
      break;
    default:
      sp::broker::check_case(input);
  }
  return 0;
}
