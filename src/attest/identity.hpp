// What evidence says of its own platform, unverified: for a program that asks about itself, and for
// whoever looks for the collateral that belongs to the evidence. Never a basis for trust.
#pragma once

#include <string>

#include "attest/evidence.hpp"

namespace sp::attest {

struct ClaimedIdentity {
  EvidenceKind kind = EvidenceKind::none;
  Vendor vendor = Vendor::dev;
  Bytes hardware_id;  ///< empty where the evidence has none
  Measurement measurement;

  /// Zero where there is no hardware id.
  [[nodiscard]] ChipId chip() const;
};

/// Errc::malformed, Errc::unsupported.
Result<ClaimedIdentity> claimed_identity(const Evidence& evidence);

}  // namespace sp::attest
