// Collateral: the signed things that evidence is verified with, beside the evidence itself, as the
// vendors publish them. It travels in Evidence::collateral (FORMATS.md section 3) and lies in
// caches and bundles in the same encoding. Hostile input; a value, safe to call from any thread.
#pragma once

#include <map>

#include "base/bytes.hpp"

namespace sp::attest {

/// The closed list of pieces. Values are of the encoding; never reuse one.
enum class PieceKind : std::uint8_t {
  amd_chip_certificate = 1,  ///< VCEK or VLEK, DER
  amd_intermediate = 2,      ///< ASK or ASVK, DER; absent: the built-in one of the family
  amd_root = 3,              ///< ARK, DER; absent: the built-in one of the family
  amd_crl = 4,               ///< of the ARK, DER
  intel_pck_chain = 16,      ///< PEM, leaf first; absent: the quote's own (certification data 5)
  intel_pck_crl = 17,        ///< DER
  intel_pck_crl_chain = 18,  ///< PEM of the PCK CRL's issuer and root
  intel_root_crl = 19,       ///< DER
  intel_tcb_info = 20,       ///< the JSON value "tcbInfo" itself, exactly as signed
  intel_tcb_info_signature = 21,  ///< 64 bytes, r || s
  intel_tcb_info_chain = 22,      ///< PEM
  intel_qe_identity = 23,         ///< the JSON value "enclaveIdentity" itself, exactly as signed
  intel_qe_identity_signature = 24,
  intel_qe_identity_chain = 25,  ///< PEM
};
std::string_view piece_name(PieceKind kind);

inline constexpr std::size_t kPieceSizeMax = 256 * 1024;

struct Collateral {
  std::map<PieceKind, Bytes> pieces;

  /// The piece; empty where it is absent.
  [[nodiscard]] ByteView get(PieceKind kind) const;
  [[nodiscard]] Bytes encode() const;
  /// An empty view is empty collateral. Errc::malformed (unknown kinds, kinds out of order or
  /// twice, empty pieces), Errc::too_large.
  static Result<Collateral> decode(ByteView bytes);
  bool operator==(const Collateral&) const = default;
};

}  // namespace sp::attest
