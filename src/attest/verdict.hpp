// From evidence to a verdict: a pure function, no clock, file or socket.
//
// A Verdict can only be made by verify(): whoever takes a Verdict knows that the signatures hold.
// It says what is true of the evidence, not whether that is good enough; appraise() (appraisal.hpp)
// says that. Safe to call from any thread.
#pragma once

#include "attest/anchors.hpp"
#include "attest/claims.hpp"

namespace sp::attest {

class Verdict {
 public:
  [[nodiscard]] EvidenceKind kind() const { return claims_.kind; }
  [[nodiscard]] Vendor vendor() const { return claims_.vendor; }
  /// Zero where the evidence names no chip: the market refuses offers of chip zero, so such
  /// evidence backs none.
  [[nodiscard]] ChipId chip() const;
  [[nodiscard]] const Measurement& measurement() const { return claims_.measurement; }
  [[nodiscard]] MeasurementDigest measurement_digest() const;
  [[nodiscard]] TcbStatus tcb_status() const { return claims_.tcb_status; }
  [[nodiscard]] bool debug() const { return claims_.debug; }
  /// Whether revocation lists were checked. Dev evidence has none, so it counts as checked.
  [[nodiscard]] bool revocation_checked() const { return claims_.revocation_checked; }
  /// SHA-384 of the public key at the root of trust.
  [[nodiscard]] const Digest48& anchor() const { return claims_.anchor; }
  /// Errc::mismatch unless the evidence binds exactly this report data.
  [[nodiscard]] Status binds(const ReportData& expected) const;
  /// Everything that was found, for appraisal and for people.
  [[nodiscard]] const Claims& claims() const { return claims_; }
  /// The piece that ends first, and when: until then the verdict holds with the same collateral.
  /// Empty for dev evidence, which never ends.
  [[nodiscard]] std::optional<Validity> ends_first() const;
  /// For people and logs; never a basis for a decision.
  [[nodiscard]] Json to_json() const;

 private:
  friend Result<Verdict> verify(const Evidence& evidence, std::int64_t now, const Anchors& anchors);
  explicit Verdict(Claims claims) : claims_(std::move(claims)) {}

  Claims claims_;
};

/// Verifies evidence at `now` (seconds of Unix time) up to one of `anchors`. The error of the first
/// check that fails (check.hpp), or Errc::malformed, Errc::too_large, Errc::unsupported.
Result<Verdict> verify(const Evidence& evidence, std::int64_t now,
                       const Anchors& anchors = Anchors::vendors());

}  // namespace sp::attest
