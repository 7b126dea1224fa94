// Provers obtain evidence inside a TEE: whatever runs there asks its platform to sign what it
// binds.
//
// A Prover belongs to a program, not to one session. Implementations are safe to call from any
// thread.
#pragma once

#include "attest/evidence.hpp"

namespace sp::prove {

/// What the platform says of this program and its machine, as attestations name it.
struct ProverIdentity {
  attest::EvidenceKind kind = attest::EvidenceKind::none;
  attest::Vendor vendor = attest::Vendor::dev;
  attest::ChipId chip;
  attest::MeasurementDigest measurement;
  bool operator==(const ProverIdentity&) const = default;
};

class Prover {
 public:
  virtual ~Prover() = default;
  /// Known without asking the platform.
  [[nodiscard]] virtual ProverIdentity identity() const = 0;
  /// Fresh evidence that binds `report_data`. Errc::unavailable, Errc::io.
  virtual Result<attest::Evidence> evidence(const attest::ReportData& report_data) = 0;
};

}  // namespace sp::prove
