// From evidence to a verdict, from a verdict and a policy to a decision. Both are pure functions:
// no clock, file or socket.
//
// A Verdict can only be made by verify(): whoever takes a Verdict knows that the signatures hold.
// It says what is true of the evidence, not whether that is good enough; appraise() says that. Safe
// to call from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attest/evidence.hpp"
#include "base/json.hpp"

namespace sp::attest {

class Verdict {
 public:
  [[nodiscard]] EvidenceKind kind() const { return kind_; }
  [[nodiscard]] Vendor vendor() const { return vendor_; }
  [[nodiscard]] const ChipId& chip() const { return chip_; }
  [[nodiscard]] const Measurement& measurement() const { return measurement_; }
  [[nodiscard]] MeasurementDigest measurement_digest() const;
  [[nodiscard]] TcbStatus tcb_status() const { return tcb_status_; }
  [[nodiscard]] bool debug() const { return debug_; }
  /// Whether revocation lists were checked. Dev evidence has none, so it counts as checked.
  [[nodiscard]] bool revocation_checked() const { return revocation_checked_; }
  /// SHA-384 of the public key at the root of trust.
  [[nodiscard]] const Digest48& anchor() const { return anchor_; }
  /// Errc::mismatch unless the evidence binds exactly this report data.
  [[nodiscard]] Status binds(const ReportData& expected) const;
  /// For people and logs; never a basis for a decision.
  [[nodiscard]] Json to_json() const;

 private:
  friend Result<Verdict> verify(const Evidence& evidence, std::int64_t now);
  Verdict() = default;

  EvidenceKind kind_ = EvidenceKind::none;
  Vendor vendor_ = Vendor::dev;
  ChipId chip_;
  Measurement measurement_;
  TcbStatus tcb_status_ = TcbStatus::revoked;
  bool debug_ = true;
  bool revocation_checked_ = false;
  Digest48 anchor_;
  ReportData report_data_;
};

/// Verifies evidence at `now` (seconds of Unix time). Errc::malformed, Errc::bad_signature,
/// Errc::unsupported for kinds that this version doesn't verify (SNP, TDX, SGX and TPM come with
/// issue 4: they are refused, never passed).
Result<Verdict> verify(const Evidence& evidence, std::int64_t now);

/// What a verifier accepts of evidence. Deny by default: what isn't listed is refused.
struct AppraisalPolicy {
  std::vector<EvidenceKind> kinds;
  std::vector<Measurement> measurements;
  std::vector<TcbStatus> tcb_statuses;  ///< absent in JSON: UpToDate alone
  std::vector<Digest48> dev_keys;       ///< anchors accepted for dev evidence; none = none
  bool any_measurement = false;         ///< "measurements": "any"
  bool require_crl = true;

  /// {"kinds": [...], "measurements": [...] | "any", "tcb": [...], "devKeys": [...], "requireCrl":
  /// bool}. Errc::malformed for a missing "kinds" or "measurements", unknown keys and unknown
  /// values.
  static Result<AppraisalPolicy> from_json(const Json& json, const std::string& where);
  [[nodiscard]] Json to_json() const;
  bool operator==(const AppraisalPolicy&) const = default;
};

/// One rule of a policy and how it came out.
struct RuleOutcome {
  std::string rule;  ///< "tee.kinds"
  bool allowed = false;
  std::string reason;  ///< "dev is one of dev, snp"
};

/// Every rule with its outcome; allowed is the conjunction.
std::vector<RuleOutcome> appraise(const Verdict& verdict, const AppraisalPolicy& policy);

/// Errc::refused with the first reason, unless every rule allows.
Status all_allowed(const std::vector<RuleOutcome>& outcomes);

}  // namespace sp::attest
