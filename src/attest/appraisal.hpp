// From a verdict and a policy to a decision: a pure function that tells each rule with its outcome.
//
// Deny by default: a field that a policy leaves out allows the safest value only (docs/POLICY.md,
// `tee`). Safe to call from any thread.
#pragma once

#include <map>

#include "attest/verdict.hpp"

namespace sp::attest {

/// What a verifier accepts of evidence.
struct AppraisalPolicy {
  std::vector<EvidenceKind> kinds;
  std::vector<Measurement> measurements;
  bool any_measurement = false;         ///< "measurements": "any"
  std::vector<TcbStatus> tcb_statuses;  ///< absent in JSON: UpToDate alone
  std::vector<Digest48> dev_keys;       ///< anchors accepted for dev evidence; none = none
  std::vector<Digest48> roots;          ///< roots accepted besides the vendors' own
  bool require_crl = true;
  bool allow_debug = false;
  /// Accepted values of a register ("rtmr1", "pcr4"), hexadecimal. TDX and TPM evidence whose
  /// measurement matters must have some: their launch measurement covers the firmware alone.
  std::map<std::string, std::vector<std::string>> registers;
  std::map<std::string, std::uint64_t> minimum_tcb;  ///< SNP: component of the reported TCB
  std::vector<std::uint64_t> vmpls{0};               ///< SNP: privilege levels
  std::vector<std::string> advisories;               ///< accepted where any_advisory isn't set
  bool any_advisory = true;                          ///< absent in JSON: the TCB status decides
  std::vector<ChipId> chips;                         ///< the only ones; none = any
  std::vector<ChipId> revoked_chips;

  /// {"kinds": [...], "measurements": [...] | "any", and where wanted "tcb", "devKeys", "roots",
  /// "requireCrl", "allowDebug", "registers", "minimumTcb", "vmpls", "advisories", "chips",
  /// "revokedChips"}. Errc::malformed for a missing "kinds" or "measurements", unknown keys and
  /// unknown values.
  static Result<AppraisalPolicy> from_json(const Json& json, const std::string& where);
  [[nodiscard]] Json to_json() const;
  /// What `spctl attest verify` asks without --policy: any vendor's kind and measurement, debug
  /// off, UpToDate or SWHardeningNeeded, revocation checked.
  static AppraisalPolicy standard();
  bool operator==(const AppraisalPolicy&) const = default;
};

/// One rule of a policy and how it came out.
struct RuleOutcome {
  std::string rule;  ///< "tee.kinds"
  bool allowed = false;
  std::string reason;  ///< "the evidence is of kind snp"
};

/// Every rule with its outcome; allowed is the conjunction.
std::vector<RuleOutcome> appraise(const Verdict& verdict, const AppraisalPolicy& policy);

/// Errc::refused with the first reason, unless every rule allows.
Status all_allowed(const std::vector<RuleOutcome>& outcomes);

}  // namespace sp::attest
