// Evidence and collateral in every form in which people have them: this project's own, raw binary,
// hexadecimal, JSON of others, PEM and DER. Only forms are told apart here; nothing is verified.
// Hostile input; pure.
#pragma once

#include <optional>

#include "attest/collateral.hpp"
#include "attest/evidence.hpp"

namespace sp::attest {

inline constexpr std::size_t kInputSizeMax = 4 * 1024 * 1024;  ///< of one file
inline constexpr std::size_t kInputFilesMax = 64;              ///< of one folder

/// A file of evidence: SPEV, SPDV, an SNP report, a TDX or SGX quote, TPM evidence (SPTP), Azure's
/// JSON; each also in hexadecimal. `kind` says what it must be; without one the form decides.
/// Errc::malformed, Errc::unsupported, Errc::too_large, Errc::mismatch for another kind.
Result<Evidence> read_evidence(ByteView file, std::optional<EvidenceKind> kind);

/// A file of collateral: SPCO, the JSON of Intel's collateral, one of Intel's signed answers, AMD's
/// certificates (PEM or DER), AMD's certificate table, or a CRL (DER). Errc::malformed,
/// Errc::unsupported, Errc::too_large.
Result<Collateral> read_collateral(ByteView file);

/// Adds pieces. Errc::conflict where both have one and they differ.
Status add_collateral(Collateral& to, const Collateral& what);

}  // namespace sp::attest
