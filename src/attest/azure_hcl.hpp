// Azure's HCL report: what the paravisor of a confidential VM puts into its vTPM's NV index
// 0x01400001. A header, the hardware's own report, and the runtime data: JSON with the vTPM's
// attestation key (AK), whose digest is the report data of the hardware's report. Numbers are
// little-endian (Azure "confidential VM guest attestation design", appendix). Pure.
#pragma once

#include "attest/tpm.hpp"

namespace sp::attest {

inline constexpr std::string_view kHclMagic = "HCLA";
inline constexpr std::size_t kHclHeaderSize = 32;
inline constexpr std::size_t kHclHardwareSize = 1184;  ///< as long as SNP's; TDREPORT is shorter
inline constexpr std::size_t kHclRuntimeHeaderSize = 20;
inline constexpr std::uint32_t kHclTypeSnp = 2;
inline constexpr std::uint32_t kHclTypeTdx = 4;

struct HclReport {
  std::uint32_t type = 0;  ///< kHclTypeSnp or kHclTypeTdx
  Bytes hardware_report;   ///< kHclHardwareSize bytes
  Bytes runtime_data;      ///< JSON, exactly the bytes that are hashed
};
/// The first failing check's error (tpm.hcl.size to .hash).
Result<HclReport> parse_hcl_report(ByteView report);

struct HclRuntime {
  TpmKey ak;
  Json configuration;  ///< "vm-configuration" as it stands
  std::string user_data;
};
/// tpm.runtime.json, tpm.runtime.key.
Result<HclRuntime> parse_hcl_runtime(ByteView json);

/// Bytes of base64 in the alphabet of URLs or the usual one, padded or not (RFC 4648 sections 4
/// and 5). Errc::malformed.
Result<Bytes> from_any_base64(std::string_view text);

}  // namespace sp::attest
