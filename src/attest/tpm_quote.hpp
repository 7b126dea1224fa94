// TPMS_ATTEST and TPMT_SIGNATURE (TCG "TPM 2.0 Library" part 2, sections 10.12 and 11.3):
// big-endian structures. Values; pure.
#pragma once

#include "attest/tpm.hpp"

namespace sp::attest {

inline constexpr std::uint16_t kTpmRsaSsa = 0x0014;
inline constexpr std::uint16_t kTpmEcdsa = 0x0018;
inline constexpr std::uint16_t kTpmSha256 = 0x000b;
inline constexpr std::uint16_t kTpmSha384 = 0x000c;
inline constexpr std::size_t kTpmExtraDataMax = 64;  ///< report data's size
inline constexpr std::size_t kTpmNameMax = 68;       ///< TPMU_NAME: algorithm and digest
inline constexpr std::size_t kTpmSelectionsMax = 16;
inline constexpr std::size_t kTpmSignatureMax = 512;  ///< RSA-4096

/// A quote: TPMS_ATTEST of type TPM_ST_ATTEST_QUOTE.
struct TpmQuote {
  Bytes signer;  ///< qualified name of the key that signed
  Bytes extra_data;
  std::uint64_t clock = 0;
  std::uint32_t reset_count = 0, restart_count = 0;
  bool safe = false;
  std::uint64_t firmware = 0;
  /// The quoted PCRs of each bank, by TPM_ALG_ID, in order.
  std::vector<std::pair<std::uint16_t, std::vector<std::size_t>>> selections;
  Bytes pcr_digest;
};
/// Form, magic and type are checked (tpm.quote.form, .magic, .type).
Result<TpmQuote> parse_tpm_quote(ByteView attest);

/// Whether the PCRs given are those quoted and have the quote's digest (tpm.quote.selection,
/// tpm.quote.pcrs). No PCRs at all: nothing to check.
Status check_tpm_pcrs(const TpmQuote& quote, const std::vector<std::optional<Digest32>>& pcrs);

/// Whether `ak` made `signature` over `attest` (tpm.signature.form, .algorithm,
/// tpm.quote.signature).
Status check_tpm_signature(ByteView attest, ByteView signature, const TpmKey& ak);

/// TPMT_SIGNATURE around the bytes of an RSASSA signature with SHA-256; at most kTpmSignatureMax
/// bytes (CHECK).
Bytes wrap_rsassa_sha256(ByteView signature);

/// All fields by name.
Json tpm_quote_json(const TpmQuote& quote);

}  // namespace sp::attest
