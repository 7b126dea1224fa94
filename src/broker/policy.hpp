// Release policies: which session may have a secret. JSON, deny by default (docs/POLICY.md).
//
// evaluate() is a pure function of the policy, the order as the chain has it, and the verdict on
// the session's evidence. It tells every rule with its outcome, so that `spctl policy test` and a
// refusal say the same. Values; safe to call from any thread.
#pragma once

#include <optional>

#include "api/arguments.hpp"
#include "api/statements.hpp"
#include "attest/appraisal.hpp"

namespace sp::broker {

inline constexpr std::size_t kPolicyListMax = 4096;
inline constexpr std::uint32_t kSessionsDefault =
    3;  ///< sessions of one attempt that may have a secret
inline constexpr std::uint32_t kSessionsMax = 100;
/// An hour: who is away for longer says so in the policy.
inline constexpr std::uint32_t kClaimWindowDefault = 3600;
inline constexpr std::uint32_t kConfirmationsMax = 10'000;

/// A list of allowed values, or any.
template <class Value>
struct Allowed {
  bool any = false;
  std::vector<Value> values;

  [[nodiscard]] bool contains(const Value& value) const {
    return any || std::find(values.begin(), values.end(), value) != values.end();
  }
  bool operator==(const Allowed&) const = default;
};

struct PolicyChain {
  api::Eip712Domain market;
  std::uint32_t confirmations = 1;  ///< blocks, the order's own included, before a release
  bool operator==(const PolicyChain&) const = default;
};

struct ReleasePolicy {
  attest::AppraisalPolicy tee;
  std::vector<PolicyChain> chains;
  Allowed<Digest32> solutions;  ///< package ids of solutions that may use the secret
  Allowed<api::OrderId> orders;
  Allowed<Address> accounts;  ///< customers
  Allowed<crypto::X25519Public> recipients;
  Allowed<api::OfferId> offers;  ///< offers through which it may be ordered
  bool own_upload = false;       ///< "offers": "own": the owner orders it without an offer
  Allowed<Address> attestors;    ///< absent in JSON: only the broker that holds the secret
  bool attestor_is_broker = true;
  std::vector<std::uint8_t> modes{0};           ///< absent: one-shot
  Allowed<std::string> egress;                  ///< absent: none
  std::optional<std::uint32_t> max_orders = 1;  ///< of the offer, at most; empty = any number
  std::uint32_t sessions = kSessionsDefault;
  /// Least claim window of an order in which others owe the owner a fixed price, seconds.
  std::uint32_t claim_window = kClaimWindowDefault;
  std::int64_t until = 0;  ///< seconds of Unix time
  std::vector<api::ArgumentRule>
      arguments;  ///< enforced by the loader; absent in JSON: no arguments at all

  /// Errc::malformed for a missing field, an unknown key or value; Errc::unsupported for another
  /// version.
  static Result<ReleasePolicy> parse(std::string_view json);
  [[nodiscard]] std::string to_json() const;
  bool operator==(const ReleasePolicy&) const = default;
};

/// What a release is asked for.
struct ReleaseCase {
  const api::Eip712Domain& market;
  const api::Terms& terms;
  std::size_t part = 0;
  Address broker;        ///< who holds the secret
  std::int64_t now = 0;  ///< chain time
};

/// Every rule and its outcome. The verdict's rules come first.
std::vector<attest::RuleOutcome> evaluate(const ReleasePolicy& policy, const ReleaseCase& release,
                                          const attest::Verdict& verdict);

}  // namespace sp::broker
