#include "broker/policy.hpp"

#include <nlohmann/json.hpp>

#include "api/broker.hpp"
#include "base/world.hpp"

namespace sp::broker {
namespace {

constexpr std::uint64_t kPolicyVersion = 1;
constexpr std::size_t kTextMax = 512;

std::string mode_name(std::uint8_t mode) { return mode == 0 ? "one-shot" : "service"; }

// Reads "any" or a list of values, each by `parse` from its text.
template <class Value, class Parse>
Allowed<Value> read_allowed(JsonObject& object, std::string_view key, Parse parse) {
  Allowed<Value> allowed;
  const Json& json = object.any(key);
  if (json == "any") {
    allowed.any = true;
    return allowed;
  }
  if (!json.is_array() || json.size() > kPolicyListMax) {
    object.fail(key, "must be \"any\" or a list");
    return allowed;
  }
  for (const Json& entry : json) {
    auto value = entry.is_string() ? parse(entry.get<std::string>())
                                   : Result<Value>(Error{Errc::malformed, "not a text"});
    if (!value) {
      object.fail(key, "has a wrong value: " + value.error().message);
      return {};
    }
    allowed.values.push_back(std::move(*value));
  }
  return allowed;
}

template <class Fixed>
Allowed<Fixed> read_allowed_fixed(JsonObject& object, std::string_view key) {
  if (!object.has(key)) return {};
  return read_allowed<Fixed>(object, key,
                             [](const std::string& text) { return Fixed::from_hex(text); });
}

Result<std::vector<PolicyChain>> read_chains(const Json& json) {
  if (!json.is_array() || json.size() > kPolicyListMax) {
    return Error{Errc::malformed, "policy.chains must be a list"};
  }
  std::vector<PolicyChain> chains;
  for (const Json& entry : json) {
    JsonObject object(entry, "policy.chains[]");
    PolicyChain chain;
    chain.market.chain_id = object.number("chainId", ~std::uint64_t{0} >> 1);
    chain.market.contract = object.fixed<Address>("market");
    chain.confirmations =
        static_cast<std::uint32_t>(object.number("confirmations", kConfirmationsMax));
    if (chain.confirmations == 0) object.fail("confirmations", "must be at least 1");
    SP_TRY(object.finish());
    chains.push_back(chain);
  }
  return chains;
}

// "offers": "own", "any" or a list of ids.
void read_offers(JsonObject& object, ReleasePolicy& policy) {
  if (object.has("offers") && object.any("offers") == "own") {
    policy.own_upload = true;
  } else {
    policy.offers = read_allowed_fixed<api::OfferId>(object, "offers");
  }
}

void read_attestors(JsonObject& object, ReleasePolicy& policy) {
  policy.attestor_is_broker = !object.has("attestors");
  policy.attestors = read_allowed_fixed<Address>(object, "attestors");
}

void read_modes(JsonObject& object, ReleasePolicy& policy) {
  if (!object.has("modes")) return;
  const auto modes = read_allowed<std::uint8_t>(
      object, "modes", [](const std::string& text) -> Result<std::uint8_t> {
        if (text == "one-shot") return std::uint8_t{0};
        if (text == "service") return std::uint8_t{1};
        return Error{Errc::malformed, "modes are one-shot and service"};
      });
  policy.modes = modes.any ? std::vector<std::uint8_t>{0, 1} : modes.values;
}

void read_max_orders(JsonObject& object, ReleasePolicy& policy) {
  if (!object.has("maxOrders")) return;
  if (object.any("maxOrders") == "any") {
    policy.max_orders.reset();
  } else {
    policy.max_orders = static_cast<std::uint32_t>(object.number("maxOrders", 0xffffffff));
  }
}

Status read_arguments(JsonObject& object, ReleasePolicy& policy) {
  // Nothing said about arguments allows none.
  policy.arguments = {{"argv.count", {"0"}}, {"env.count", {"0"}}};
  if (!object.has("arguments")) return {};
  const Json& json = object.any("arguments");
  if (json == "any") {
    policy.arguments.clear();
    return {};
  }
  SP_ASSIGN(policy.arguments, api::argument_rules_from_json(json, "policy.arguments"));
  return {};
}

std::int64_t read_until(JsonObject& object) {
  const auto until = from_rfc3339(object.text("until", kTextMax));
  if (!until) object.fail("until", until.error().message);
  return until ? *until : 0;
}

template <class Fixed>
Json allowed_json(const Allowed<Fixed>& allowed) {
  if (allowed.any) return "any";
  Json list = Json::array();
  for (const Fixed& value : allowed.values) list.push_back(value.hex0x());
  return list;
}

// The outcomes of one evaluation, collected.
class Rules {
 public:
  explicit Rules(std::vector<attest::RuleOutcome> first) : outcomes_(std::move(first)) {}
  void add(std::string rule, bool allowed, std::string reason) {
    outcomes_.push_back({std::move(rule), allowed, std::move(reason)});
  }
  std::vector<attest::RuleOutcome> take() { return std::move(outcomes_); }

 private:
  std::vector<attest::RuleOutcome> outcomes_;
};

bool names_market(const ReleasePolicy& policy, const api::Eip712Domain& market) {
  for (const PolicyChain& chain : policy.chains) {
    if (chain.market == market) return true;
  }
  return false;
}

bool egress_allowed(const ReleasePolicy& policy, const api::Terms& terms) {
  for (const std::string& target : terms.egress) {
    if (!policy.egress.contains(target)) return false;
  }
  return true;
}

void add_offer_rules(Rules& rules, const ReleasePolicy& policy, const ReleaseCase& release) {
  const api::Part& part = release.terms.parts[release.part];
  const api::OfferId offer = part.offer_id();
  if (policy.own_upload) {
    const bool own = part.owner == release.terms.customer;
    rules.add("offers", own, own ? "the owner's own upload" : "only the owner may order it");
    return;  // an own upload has no offer whose orders the market counts; "orders" limits it
  }
  rules.add("offers", policy.offers.contains(offer), "ordered through offer " + offer.hex0x());
  const bool counted =
      !policy.max_orders || (part.max_orders != 0 && part.max_orders <= *policy.max_orders);
  rules.add("maxOrders", counted,
            part.max_orders == 0 ? "the offer allows any number of orders"
                                 : "the offer allows " + std::to_string(part.max_orders));
}

// A claim is the owner's only way to a fixed price that a silent provider owes.
void add_claim_rule(Rules& rules, const ReleasePolicy& policy, const ReleaseCase& release) {
  const api::Part& part = release.terms.parts[release.part];
  const bool owed = part.price_type == api::PriceType::fixed && part.price != Amount() &&
                    part.owner != release.terms.customer;
  rules.add("claimWindow", !owed || release.terms.claim_window >= policy.claim_window,
            owed ? "the order's claim window is " + std::to_string(release.terms.claim_window) +
                       " s, the policy asks for " + std::to_string(policy.claim_window) + " s"
                 : "nobody owes the owner a fixed price");
}

}  // namespace

Result<ReleasePolicy> ReleasePolicy::parse(std::string_view text) {
  SP_ASSIGN(const Json json, parse_json(text, api::kPolicySizeMax));
  JsonObject object(json, "policy");
  if (object.number("version", 0xffff) != kPolicyVersion && object.finish().ok()) {
    return Error{Errc::unsupported, "policy.version must be 1"};
  }
  ReleasePolicy policy;
  SP_ASSIGN(policy.tee, attest::AppraisalPolicy::from_json(object.any("tee"), "policy.tee"));
  SP_ASSIGN(policy.chains, read_chains(object.any("chains")));
  policy.solutions = read_allowed_fixed<Digest32>(object, "solutions");
  policy.orders = read_allowed_fixed<api::OrderId>(object, "orders");
  policy.accounts = read_allowed_fixed<Address>(object, "accounts");
  policy.recipients = read_allowed_fixed<crypto::X25519Public>(object, "recipients");
  read_offers(object, policy);
  read_attestors(object, policy);
  read_modes(object, policy);
  if (object.has("egress")) {
    policy.egress = read_allowed<std::string>(
        object, "egress", [](const std::string& target) { return Result<std::string>(target); });
  }
  read_max_orders(object, policy);
  if (object.has("sessions")) {
    policy.sessions = static_cast<std::uint32_t>(object.number("sessions", kSessionsMax));
  }
  if (object.has("claimWindow")) {
    policy.claim_window = static_cast<std::uint32_t>(object.number("claimWindow", 0xffffffff));
  }
  policy.until = read_until(object);
  SP_TRY(read_arguments(object, policy));
  SP_TRY(object.finish());
  return policy;
}

std::string ReleasePolicy::to_json() const {
  Json json{{"version", kPolicyVersion}, {"tee", tee.to_json()}, {"chains", Json::array()}};
  for (const PolicyChain& chain : chains) {
    json["chains"].push_back({{"chainId", chain.market.chain_id},
                              {"market", chain.market.contract.hex0x()},
                              {"confirmations", chain.confirmations}});
  }
  json["solutions"] = allowed_json(solutions);
  json["orders"] = allowed_json(orders);
  json["accounts"] = allowed_json(accounts);
  json["recipients"] = allowed_json(recipients);
  json["offers"] = own_upload ? Json("own") : allowed_json(offers);
  if (!attestor_is_broker) json["attestors"] = allowed_json(attestors);
  json["modes"] = Json::array();
  for (const std::uint8_t mode : modes) json["modes"].push_back(mode_name(mode));
  json["egress"] = egress.any ? Json("any") : Json(egress.values);
  json["maxOrders"] = max_orders ? Json(*max_orders) : Json("any");
  json["sessions"] = sessions;
  json["claimWindow"] = claim_window;
  json["until"] = to_rfc3339(until);
  json["arguments"] = arguments.empty() ? Json("any") : api::argument_rules_to_json(arguments);
  return json.dump(2);
}

std::vector<attest::RuleOutcome> evaluate(const ReleasePolicy& policy, const ReleaseCase& release,
                                          const attest::Verdict& verdict) {
  SP_CHECK(release.part < release.terms.parts.size());
  const api::Terms& terms = release.terms;
  const Digest32 solution = terms.parts[api::Terms::kSolution].digest;
  Rules rules(attest::appraise(verdict, policy.tee));
  rules.add("chains", names_market(policy, release.market),
            "chain " + std::to_string(release.market.chain_id) + ", market " +
                release.market.contract.hex0x());
  rules.add("solutions", policy.solutions.contains(solution), "the solution is " + solution.hex());
  const api::OrderId order = terms.order_id(release.market);
  rules.add("orders", policy.orders.contains(order), "the order is " + order.hex0x());
  rules.add("accounts", policy.accounts.contains(terms.customer),
            "the customer is " + terms.customer.hex0x());
  rules.add("recipients", policy.recipients.contains(terms.result_key),
            "the result goes to key " + terms.result_key.hex());
  add_offer_rules(rules, policy, release);
  add_claim_rule(rules, policy, release);
  const bool attestor = policy.attestor_is_broker ? terms.attestor == release.broker
                                                  : policy.attestors.contains(terms.attestor);
  rules.add("attestors", attestor, "the attestor is " + terms.attestor.hex0x());
  const bool mode =
      std::find(policy.modes.begin(), policy.modes.end(), terms.mode) != policy.modes.end();
  rules.add("modes", mode, "the mode is " + mode_name(terms.mode));
  rules.add("egress", egress_allowed(policy, terms),
            std::to_string(terms.egress.size()) + " addresses may be reached");
  rules.add(
      "until", release.now < policy.until,
      "the time is " + to_rfc3339(release.now) + ", the policy ends " + to_rfc3339(policy.until));
  return rules.take();
}

}  // namespace sp::broker
