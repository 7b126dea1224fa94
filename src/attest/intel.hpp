// Intel TDX quotes (v4, v5) and SGX quotes (v3): quote, QE report, PCK chain, CRLs, TCB info, QE
// identity (Intel "TDX DCAP Quoting Library API", "SGX ECDSA QuoteLibReference", "PCS API v3, v4").
#pragma once

#include <memory>

#include "attest/anchors.hpp"
#include "attest/claims.hpp"
#include "attest/collateral.hpp"

namespace sp::attest {

namespace intel {
struct VerifiedCollateral;
}

/// Collateral whose signatures, chains, CRLs and dates hold at one time; only verify_collateral
/// makes one. Immutable; shared between threads.
class IntelCollateral {
 public:
  /// Verifies all of `collateral` but what only a quote decides. The first failing check's error.
  static Result<IntelCollateral> verify(const Collateral& collateral, const Anchors& anchors,
                                        std::int64_t now);

 private:
  friend Result<Claims> verify_intel(EvidenceKind kind, ByteView quote,
                                     const IntelCollateral& collateral, std::int64_t now);
  using State = intel::VerifiedCollateral;
  explicit IntelCollateral(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Pure. Verifies everything from raw bytes. `kind` is tdx or sgx.
Result<Claims> verify_intel(EvidenceKind kind, ByteView quote, const Collateral& collateral,
                            const Anchors& anchors, std::int64_t now);

/// The same against collateral that is verified already: quote, QE report and PCK chain are always
/// checked (a PCK chain that this collateral has seen before is known by its digest). Errc::expired
/// where `now` isn't within the collateral's own time.
Result<Claims> verify_intel(EvidenceKind kind, ByteView quote, const IntelCollateral& collateral,
                            std::int64_t now);

/// Every field of a quote by name, and what holds of it without collateral (quote signature, PCK
/// chain at `now`), for people; never a verdict.
Result<Json> show_intel(EvidenceKind kind, ByteView quote, const Anchors& anchors,
                        std::int64_t now);

/// The collateral JSON with the fields pck_crl_issuer_chain, root_ca_crl, pck_crl, tcb_info,
/// tcb_info_signature, ... (hexadecimal, base64 or PEM as they come). Errc::malformed,
/// Errc::too_large.
Result<Collateral> intel_collateral_from_json(std::string_view json);

/// The kind of a raw quote by its header. Errc::malformed, Errc::unsupported.
Result<EvidenceKind> intel_quote_kind(ByteView quote);

}  // namespace sp::attest
