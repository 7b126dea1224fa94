// Evidence of kind `dev`, for machines without a TEE: signed by a key in a file. It is worthless
// for confidentiality (whoever is root on the machine can read everything), and says so wherever it
// appears. Policies accept it only by name.
#pragma once

#include "attest/evidence.hpp"
#include "crypto/ecdsa.hpp"

namespace sp::attest {

inline constexpr std::string_view kDevWarning =
    "dev evidence: root on this machine can read everything; worthless for confidentiality";

using HardwareId = FixedBytes<struct HardwareIdTag, 32>;

/// The body of dev evidence: a report, the key that signs it (P-256), and the signature over all
/// before it.
struct DevReport {
  HardwareId hardware_id;
  Measurement measurement;
  ReportData report_data;
  Bytes public_key;  ///< 64 bytes, x || y
  Bytes signature;   ///< 64 bytes, r || s

  [[nodiscard]] Bytes encode() const;
  static Result<DevReport> decode_unverified(ByteView bytes);
};

/// Makes signed dev evidence. The caller says what is measured; only the holder of the key is
/// believed.
Evidence make_dev_evidence(const crypto::EcKey& key, const HardwareId& hardware_id,
                           const Measurement& measurement, const ReportData& report_data);

/// SHA-384 of a dev signing key: what a policy pins.
Digest48 dev_anchor(const crypto::EcPublic& key);

}  // namespace sp::attest
