// AMD SEV-SNP: an attestation report and the chain VCEK or VLEK, ASK or ASVK, ARK (AMD 56860 "SEV
// Secure Nested Paging Firmware ABI", 57230 "VCEK certificate and KDS interface").
#pragma once

#include "attest/anchors.hpp"
#include "attest/claims.hpp"
#include "attest/collateral.hpp"

namespace sp::attest {

/// Pure. `report` is the 1184 bytes; `collateral` holds the chip certificate, and may hold
/// intermediate, root and CRL. The first failing check's error (checks_snp.hpp).
Result<Claims> verify_snp(ByteView report, const Collateral& collateral, const Anchors& anchors,
                          std::int64_t now);

/// Every field of a report by name, for people; nothing is verified. Errc::malformed,
/// Errc::unsupported.
Result<Json> show_snp(ByteView report);

/// AMD's certificate table, as configfs-tsm's auxblob and the extended guest request hold it (GHCB
/// specification section 4.1.8.1): VCEK or VLEK, ASK, ARK, CRL by their GUIDs; unknown entries are
/// passed over. Errc::malformed, Errc::too_large.
Result<Collateral> collateral_from_certificate_table(ByteView table);

/// One or more certificates, PEM or DER: sorted into chip certificate, intermediate and root by
/// their names. Errc::malformed, Errc::unsupported for a certificate that isn't AMD's form.
Result<Collateral> collateral_from_amd_certificates(ByteView pem_or_der);

}  // namespace sp::attest
