#include "attest/ear.hpp"

#include "base/base64url.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kProfile = "tag:github.com,2023:veraison/ear";
constexpr std::string_view kDeveloper = "https://superprotocol.com/cpp";
constexpr std::string_view kBuild = "superprotocol " SP_VERSION;
constexpr std::string_view kHeader = R"({"alg":"ES256","typ":"JWT"})";
constexpr std::string_view kSubmodule = "tee";
constexpr std::size_t kHeaderSizeMax = 1024;

// Values of the trust vector, AR4SI section 2.3.4.
constexpr int kNoClaim = 0;
constexpr int kTrustworthyInstance = 2;
constexpr int kUnrecognizedInstance = 97;
constexpr int kApprovedConfig = 2;
constexpr int kUnsafeConfig = 32;
constexpr int kUnsupportableConfig = 96;
constexpr int kApprovedBoot = 3;
constexpr int kUnrecognizedRuntime = 33;
constexpr int kGenuineHardware = 2;
constexpr int kUnsafeHardware = 32;
constexpr int kContraindicatedHardware = 96;
constexpr int kUnrecognizedHardware = 97;
constexpr int kEncryptedMemory = 2;
constexpr int kVisibleMemory = 96;

bool is_genuine(const Verdict& verdict) {
  return verdict.kind() != EvidenceKind::dev && Anchors::is_vendor(verdict.anchor());
}

int instance_claim(const Verdict& verdict) {
  if (!is_genuine(verdict)) return kUnrecognizedInstance;
  return verdict.chip().is_zero() ? kNoClaim : kTrustworthyInstance;
}

int configuration_claim(const Verdict& verdict) {
  if (verdict.debug()) return kUnsupportableConfig;
  switch (verdict.tcb_status()) {
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
    case TcbStatus::out_of_date_configuration_needed:
      return kUnsafeConfig;
    default:
      return kApprovedConfig;
  }
}

int executables_claim(const Verdict& verdict, const AppraisalPolicy& policy) {
  if (policy.any_measurement) return kNoClaim;
  const auto& known = policy.measurements;
  const bool is_known = std::find(known.begin(), known.end(), verdict.measurement()) != known.end();
  return is_known ? kApprovedBoot : kUnrecognizedRuntime;
}

int hardware_claim(const Verdict& verdict) {
  if (!is_genuine(verdict)) return kUnrecognizedHardware;
  switch (verdict.tcb_status()) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed:
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
      return kGenuineHardware;
    case TcbStatus::out_of_date:
    case TcbStatus::out_of_date_configuration_needed:
      return kUnsafeHardware;
    case TcbStatus::revoked:
      break;
  }
  return kContraindicatedHardware;
}

int memory_claim(const Verdict& verdict) {
  return !is_genuine(verdict) || verdict.debug() ? kVisibleMemory : kEncryptedMemory;
}

Json trust_vector(const Verdict& verdict, const AppraisalPolicy& policy) {
  return {{"instance-identity", instance_claim(verdict)},
          {"configuration", configuration_claim(verdict)},
          {"executables", executables_claim(verdict, policy)},
          {"hardware", hardware_claim(verdict)},
          {"runtime-opaque", memory_claim(verdict)}};
}

EarStatus tier_of(int claim) {
  if (claim >= 96) return EarStatus::contraindicated;
  if (claim >= 32) return EarStatus::warning;
  return claim >= 2 ? EarStatus::affirming : EarStatus::none;
}

// The worst of the vector; a rule of the policy that refuses contraindicates, whatever it was.
EarStatus overall(const Json& vector, const std::vector<RuleOutcome>& outcomes) {
  if (!all_allowed(outcomes)) return EarStatus::contraindicated;
  EarStatus worst = EarStatus::none;
  for (const auto& claim : vector) worst = std::max(worst, tier_of(claim.get<int>()));
  return worst;
}

Error malformed(const char* what) { return {Errc::malformed, std::string("a JWT ") + what}; }

}  // namespace

std::string_view ear_status_name(EarStatus status) {
  switch (status) {
    case EarStatus::none:
      return "none";
    case EarStatus::affirming:
      return "affirming";
    case EarStatus::warning:
      return "warning";
    case EarStatus::contraindicated:
      break;
  }
  return "contraindicated";
}

Json ear_claims(const Verdict& verdict, const AppraisalPolicy& policy, std::int64_t now) {
  const std::vector<RuleOutcome> outcomes = appraise(verdict, policy);
  Json rules = Json::array();
  for (const RuleOutcome& rule : outcomes) {
    rules.push_back({{"rule", rule.rule}, {"allowed", rule.allowed}, {"reason", rule.reason}});
  }
  const Json vector = trust_vector(verdict, policy);
  const Digest32 policy_id = crypto::sha256(as_bytes(policy.to_json().dump()));
  const Json submodule{{"ear.status", static_cast<int>(overall(vector, outcomes))},
                       {"ear.trustworthiness-vector", vector},
                       {"ear.appraisal-policy-id", "sha-256:" + policy_id.hex()},
                       {"superprotocol.verdict", verdict.to_json()},
                       {"superprotocol.rules", std::move(rules)}};
  return {{"eat_profile", kProfile},
          {"iat", now},
          {"ear.verifier-id", {{"developer", kDeveloper}, {"build", kBuild}}},
          {"submods", {{kSubmodule, submodule}}}};
}

EarStatus ear_status(const Json& claims) {
  return static_cast<EarStatus>(
      claims.at("submods").at(std::string(kSubmodule)).at("ear.status").get<int>());
}

std::string ear_jwt(const Json& claims, const crypto::EcKey& key) {
  SP_CHECK(key.public_key().curve() == crypto::Curve::p256);
  const std::string signed_part =
      to_base64url(as_bytes(kHeader)) + "." + to_base64url(as_bytes(claims.dump()));
  return signed_part + "." + to_base64url(key.sign_raw(as_bytes(signed_part)));
}

Result<Json> read_ear_jwt(std::string_view jwt, const crypto::EcPublic& key) {
  if (jwt.size() > kEarSizeMax) return Error{Errc::too_large, "the JWT is too large"};
  const std::size_t first = jwt.find('.');
  const std::size_t last = jwt.rfind('.');
  if (first == std::string_view::npos || first == last) return malformed("has three parts");
  const std::string_view body = jwt.substr(first + 1, last - first - 1);
  if (body.find('.') != std::string_view::npos) return malformed("has three parts");
  SP_ASSIGN(const Bytes header, from_base64url(jwt.substr(0, first)));
  SP_ASSIGN(const Json parsed, parse_json(as_text(header), kHeaderSizeMax));
  if (!parsed.is_object() || !parsed.contains("alg") || parsed["alg"] != "ES256") {
    return Error{Errc::unsupported, "the JWT isn't signed with ES256"};
  }
  if (parsed.contains("crit")) return Error{Errc::unsupported, "the JWT has critical headers"};
  SP_ASSIGN(const Bytes signature, from_base64url(jwt.substr(last + 1)));
  SP_TRY(key.verify_raw(as_bytes(jwt.substr(0, last)), signature));
  SP_ASSIGN(const Bytes claims, from_base64url(body));
  return parse_json(as_text(claims), kEarSizeMax);
}

}  // namespace sp::attest
