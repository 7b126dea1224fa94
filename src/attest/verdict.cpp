#include "attest/verdict.hpp"

#include <nlohmann/json.hpp>

#include "attest/dev.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kPolicyListMax = 1024;

template <class Value, class Parse>
std::vector<Value> read_list(JsonObject& object, std::string_view key, Parse parse) {
  const Json& list = object.any(key);
  std::vector<Value> values;
  if (!list.is_array() || list.size() > kPolicyListMax) {
    object.fail(key, "must be a list of at most " + std::to_string(kPolicyListMax));
    return values;
  }
  for (const Json& entry : list) {
    if (!entry.is_string()) {
      object.fail(key, "must hold texts only");
      return {};
    }
    auto value = parse(entry.get<std::string>());
    if (!value) {
      object.fail(key, "has a wrong value: " + value.error().message);
      return {};
    }
    values.push_back(std::move(*value));
  }
  return values;
}

template <class Value>
bool contains(const std::vector<Value>& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

MeasurementDigest Verdict::measurement_digest() const {
  return attest::measurement_digest(kind_, measurement_);
}

Status Verdict::binds(const ReportData& expected) const {
  if (report_data_ == expected) return {};
  return Error{Errc::mismatch, "report data is " + report_data_.hex().substr(0, 16) +
                                   "..., expected " + expected.hex().substr(0, 16) + "..."};
}

Json Verdict::to_json() const {
  Json json{{"kind", kind_name(kind_)},
            {"chip", chip_.hex()},
            {"measurement", measurement_.hex()},
            {"tcbStatus", tcb_name(tcb_status_)},
            {"debug", debug_},
            {"revocationChecked", revocation_checked_},
            {"anchor", anchor_.hex()},
            {"reportData", report_data_.hex()}};
  if (kind_ == EvidenceKind::dev) json["warning"] = kDevWarning;
  return json;
}

Result<Verdict> verify(const Evidence& evidence, std::int64_t /*now*/) {
  if (evidence.kind != EvidenceKind::dev) {
    return Error{Errc::unsupported, "evidence of kind " + std::string(kind_name(evidence.kind)) +
                                        " is not verified by this version, so it is refused"};
  }
  if (!evidence.collateral.empty()) return Error{Errc::malformed, "dev evidence has no collateral"};
  SP_ASSIGN(DevReport report, DevReport::decode_unverified(evidence.body));
  SP_ASSIGN(const crypto::EcPublic key,
            crypto::EcPublic::from_point(crypto::Curve::p256, report.public_key));
  const Bytes signature = std::exchange(report.signature, {});
  SP_TRY(key.verify_raw(report.encode(), signature));

  Verdict verdict;
  verdict.kind_ = EvidenceKind::dev;
  verdict.vendor_ = Vendor::dev;
  verdict.chip_ = chip_id(Vendor::dev, report.hardware_id.view());
  verdict.measurement_ = report.measurement;
  verdict.tcb_status_ = TcbStatus::up_to_date;
  verdict.debug_ = false;
  verdict.revocation_checked_ = true;
  verdict.anchor_ = dev_anchor(key);
  verdict.report_data_ = report.report_data;
  return verdict;
}

Result<AppraisalPolicy> AppraisalPolicy::from_json(const Json& json, const std::string& where) {
  JsonObject object(json, where);
  AppraisalPolicy policy;
  policy.kinds = read_list<EvidenceKind>(object, "kinds", kind_from_name);
  if (object.has("measurements") && object.any("measurements") == "any") {
    policy.any_measurement = true;
  } else {
    policy.measurements =
        read_list<Measurement>(object, "measurements",
                               [](const std::string& text) { return Measurement::from_hex(text); });
  }
  policy.tcb_statuses = {TcbStatus::up_to_date};
  if (object.has("tcb")) policy.tcb_statuses = read_list<TcbStatus>(object, "tcb", tcb_from_name);
  if (object.has("devKeys")) {
    policy.dev_keys = read_list<Digest48>(
        object, "devKeys", [](const std::string& text) { return Digest48::from_hex(text); });
  }
  if (object.has("requireCrl")) policy.require_crl = object.boolean("requireCrl");
  SP_TRY(object.finish());
  return policy;
}

Json AppraisalPolicy::to_json() const {
  Json json{{"kinds", Json::array()},
            {"measurements", Json::array()},
            {"tcb", Json::array()},
            {"devKeys", Json::array()},
            {"requireCrl", require_crl}};
  for (const EvidenceKind kind : kinds) json["kinds"].push_back(kind_name(kind));
  for (const Measurement& value : measurements) json["measurements"].push_back(value.hex());
  if (any_measurement) json["measurements"] = "any";
  for (const TcbStatus status : tcb_statuses) json["tcb"].push_back(tcb_name(status));
  for (const Digest48& key : dev_keys) json["devKeys"].push_back(key.hex());
  return json;
}

std::vector<RuleOutcome> appraise(const Verdict& verdict, const AppraisalPolicy& policy) {
  std::vector<RuleOutcome> outcomes;
  const auto rule = [&](std::string name, bool allowed, std::string reason) {
    outcomes.push_back({std::move(name), allowed, std::move(reason)});
  };
  const std::string kind(kind_name(verdict.kind()));
  rule("tee.kinds", contains(policy.kinds, verdict.kind()), "the evidence is of kind " + kind);
  rule("tee.measurements",
       policy.any_measurement || contains(policy.measurements, verdict.measurement()),
       "the loader's measurement is " + verdict.measurement().hex());
  rule("tee.tcb", contains(policy.tcb_statuses, verdict.tcb_status()),
       "the TCB status is " + std::string(tcb_name(verdict.tcb_status())));
  rule("tee.debug", !verdict.debug(), verdict.debug() ? "debug is on" : "debug is off");
  rule("tee.requireCrl", verdict.revocation_checked() || !policy.require_crl,
       verdict.revocation_checked() ? "revocation was checked" : "revocation was not checked");
  if (verdict.kind() == EvidenceKind::dev) {
    rule("tee.devKeys", contains(policy.dev_keys, verdict.anchor()),
         "the dev evidence is signed by key " + verdict.anchor().hex());
  }
  return outcomes;
}

Status all_allowed(const std::vector<RuleOutcome>& outcomes) {
  SP_CHECK(!outcomes.empty());
  for (const RuleOutcome& outcome : outcomes) {
    if (!outcome.allowed) return Error{Errc::refused, outcome.rule + ": " + outcome.reason};
  }
  return {};
}

}  // namespace sp::attest
