// TPM 2.0 quotes, event logs, and confidential VMs of Azure, whose vTPM key is bound into the SNP
// or TDX report (TCG "TPM 2.0 Library" part 2, "PC Client Platform Firmware Profile", UEFI 2.10
// section 38.2; Azure's "confidential VM guest attestation design").
#pragma once

#include <vector>

#include "attest/anchors.hpp"
#include "attest/claims.hpp"
#include "attest/collateral.hpp"

namespace sp::attest {

inline constexpr std::size_t kPcrCount = 24;
inline constexpr std::size_t kHclReportSizeMax = 16 * 1024;
inline constexpr std::size_t kEventLogSizeMax = 1024 * 1024;

/// The body of evidence of kind tpm.
struct TpmEvidence {
  Bytes hcl_report;  ///< Azure's: hardware report and runtime data, as the vTPM's NV index holds it
  Bytes td_quote;    ///< empty on SNP, where the HCL report holds the whole report
  Bytes quote;       ///< TPMS_ATTEST
  Bytes signature;   ///< TPMT_SIGNATURE; raw RSASSA bytes are wrapped where evidence is read
  std::vector<std::optional<Digest32>> pcrs;  ///< the SHA-256 bank: none, or kPcrCount entries

  [[nodiscard]] Bytes encode() const;
  static Result<TpmEvidence> decode(ByteView bytes);
  bool operator==(const TpmEvidence&) const = default;
};

/// Pure. Hardware report verified as its kind (vendor, chip, measurement and TCB are its own),
/// report data = digest of the runtime data, AK of the runtime data signs the quote, PCR values
/// where given give the quote's digest. Claims::kind is tpm; report_data is the quote's extraData,
/// zeros behind it; at most 64 bytes.
Result<Claims> verify_tpm(ByteView body, const Collateral& collateral, const Anchors& anchors,
                          std::int64_t now);

/// Every field by name, for people, and what holds without collateral; never a verdict.
Result<Json> show_tpm(ByteView body);

/// Azure's evidence JSON in the forms of confidential VMs ("hcl_report", "tpm_quote", "vcek",
/// "td_quote"): the evidence and what collateral came with it. Errc::malformed, Errc::too_large.
struct AzureEvidence {
  TpmEvidence evidence;
  Collateral collateral;
};
Result<AzureEvidence> azure_evidence_from_json(std::string_view json);

/// A vTPM quote in the binary form that came before that JSON: size (u64, little-endian) and RSASSA
/// signature, size and TPMS_ATTEST, the number 24 (u64) and 24 PCRs of 32 bytes. HCL report and TD
/// quote are left empty. Errc::malformed, Errc::too_large.
Result<TpmEvidence> azure_quote_from_v0(ByteView bytes);

/// A TPM quote alone: magic, type, signature by `ak`, digest of `pcrs` over the selection,
/// extraData equal to `nonce`.
struct TpmKey {
  Bytes rsa_modulus, rsa_exponent;  ///< RSA where the modulus isn't empty
  Bytes ec_point;                   ///< x || y on P-256 otherwise
};
Status verify_tpm_quote(ByteView quote, ByteView signature, const TpmKey& ak, ByteView nonce,
                        const std::vector<std::optional<Digest32>>& pcrs);

/// One event of a TCG crypto-agile log.
struct LogEvent {
  std::uint32_t register_index = 0;  ///< PCR, or the CC measurement register
  std::uint32_t type = 0;
  Bytes digest;  ///< in the asked algorithm
  Bytes data;
};
struct EventLog {
  std::vector<LogEvent> events;
};
/// Reads a crypto-agile log; `algorithm` is a TPM_ALG_ID (0x000b SHA-256, 0x000c SHA-384).
/// Errc::malformed, Errc::too_large, Errc::unsupported.
Result<EventLog> parse_event_log(ByteView log, std::uint16_t algorithm);
/// RTMR 0 to 3 after replaying a CC event log (CCEL; register i+1 is RTMR i).
Result<std::vector<Digest48>> replay_rtmrs(ByteView ccel);
/// The 24 PCRs of the SHA-256 bank after replaying a TCG log (a startup locality event respected).
Result<std::vector<Digest32>> replay_pcrs(ByteView log);

}  // namespace sp::attest
