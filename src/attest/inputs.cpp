#include "attest/inputs.hpp"

#include "attest/dev.hpp"
#include "attest/intel.hpp"
#include "attest/intel_signed.hpp"
#include "attest/snp.hpp"
#include "attest/tpm.hpp"
#include "crypto/crl.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kEvidenceMagic = "SPEV";
constexpr std::string_view kDevMagic = "SPDV";
constexpr std::string_view kTpmMagic = "SPTP";
constexpr std::string_view kCollateralMagic = "SPCO";
constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr std::string_view kTcbInfo = "tcbInfo";
constexpr std::string_view kQeIdentity = "enclaveIdentity";
constexpr std::size_t kSnpReportSize = 1184;
constexpr std::size_t kCollateralJsonMax = 2 * kCollateralMax;  // hexadecimal or base64 inside
constexpr std::uint8_t kDerSequence = 0x30;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEFxX") == text.npos &&
         from_hex(text).ok();
}

Result<EvidenceKind> kind_of_raw(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with(kDevMagic)) return EvidenceKind::dev;
  if (text.starts_with(kTpmMagic)) return EvidenceKind::tpm;
  if (bytes.size() == kSnpReportSize) return EvidenceKind::sev_snp;
  auto kind = intel_quote_kind(bytes);
  if (kind) return kind;
  return Error{Errc::malformed,
               "no form of evidence is recognised: give --kind, or look at the file"};
}

Result<Evidence> read_any(ByteView file, std::optional<EvidenceKind> kind) {
  const std::string_view text = trimmed(as_text(file));
  if (as_text(file).starts_with(kEvidenceMagic)) return Evidence::decode(file);
  if (text.starts_with('{')) {
    SP_ASSIGN(const AzureEvidence azure, azure_evidence_from_json(text));
    return Evidence{EvidenceKind::tpm, azure.evidence.encode(), azure.collateral.encode()};
  }
  if (is_hex(text)) {
    SP_ASSIGN(const Bytes bytes, from_hex(text));
    if (as_text(bytes).starts_with(kEvidenceMagic)) return Evidence::decode(bytes);
    return read_any(bytes, kind);
  }
  if (file.size() > kEvidenceBodyMax) {
    return Error{Errc::too_large, "evidence of " + std::to_string(file.size()) +
                                      " bytes, at most " + std::to_string(kEvidenceBodyMax)};
  }
  if (kind) return Evidence{*kind, to_bytes(file), {}};
  SP_ASSIGN(const EvidenceKind found, kind_of_raw(file));
  return Evidence{found, to_bytes(file), {}};
}

Result<Collateral> from_signed_answer(std::string_view text, std::string_view name, PieceKind value,
                                      PieceKind signature) {
  SP_ASSIGN(SignedJson answer, split_signed_json(text, name));
  Collateral collateral;
  collateral.pieces[value] = std::move(answer.value);
  collateral.pieces[signature] = std::move(answer.signature);
  return collateral;
}

// The name of the signed value of one of Intel's answers; empty where the JSON is another.
Result<std::string_view> signed_value_of(std::string_view text) {
  SP_ASSIGN(const Json json, parse_json(text, kCollateralJsonMax));
  for (const std::string_view name : {kTcbInfo, kQeIdentity}) {
    if (json.is_object() && json.contains(name)) return name;
  }
  return std::string_view();
}

Result<Collateral> from_json(std::string_view text) {
  // The value is gone before the text is read again: JSON takes forty times its size in memory.
  SP_ASSIGN(const std::string_view name, signed_value_of(text));
  if (name == kTcbInfo) {
    return from_signed_answer(text, name, PieceKind::intel_tcb_info,
                              PieceKind::intel_tcb_info_signature);
  }
  if (name == kQeIdentity) {
    return from_signed_answer(text, name, PieceKind::intel_qe_identity,
                              PieceKind::intel_qe_identity_signature);
  }
  return intel_collateral_from_json(text);
}

// Whose list it is, by the issuer's name; the verifier checks who signed it.
Result<Collateral> from_crl(const crypto::Crl& crl) {
  const std::string issuer = crl.issuer();
  const auto names = [&issuer](std::string_view name) {
    return issuer.find(name) != std::string::npos;
  };
  Collateral collateral;
  if (names("Intel SGX Root CA")) {
    collateral.pieces[PieceKind::intel_root_crl] = crl.der();
  } else if (names("Intel SGX PCK")) {
    collateral.pieces[PieceKind::intel_pck_crl] = crl.der();
  } else if (names("ARK-") || names("SEV-")) {
    collateral.pieces[PieceKind::amd_crl] = crl.der();
  } else {
    return Error{Errc::unsupported, "a revocation list of " + issuer};
  }
  return collateral;
}

}  // namespace

Result<Evidence> read_evidence(ByteView file, std::optional<EvidenceKind> kind) {
  if (file.size() > kInputSizeMax) return Error{Errc::too_large, "the file is too large"};
  SP_ASSIGN(Evidence evidence, read_any(file, kind));
  if (kind && evidence.kind != *kind) {
    return Error{Errc::mismatch, "the file holds evidence of kind " +
                                     std::string(kind_name(evidence.kind)) + ", not " +
                                     std::string(kind_name(*kind))};
  }
  return evidence;
}

Result<Collateral> read_collateral(ByteView file) {
  if (file.size() > kInputSizeMax) return Error{Errc::too_large, "the file is too large"};
  const std::string_view text = trimmed(as_text(file));
  if (as_text(file).starts_with(kCollateralMagic)) return Collateral::decode(file);
  if (text.starts_with('{')) return from_json(text);
  if (text.starts_with(kPemBegin)) return collateral_from_amd_certificates(file);
  if (!file.empty() && file[0] == kDerSequence) {
    if (const auto crl = crypto::Crl::from_der(file)) return from_crl(*crl);
    return collateral_from_amd_certificates(file);
  }
  return collateral_from_certificate_table(file);
}

Status add_collateral(Collateral& to, const Collateral& what) {
  for (const auto& [kind, bytes] : what.pieces) {
    const auto [place, added] = to.pieces.emplace(kind, bytes);
    if (!added && place->second != bytes) {
      return Error{Errc::conflict,
                   "two different pieces of collateral are both " + std::string(piece_name(kind))};
    }
  }
  return {};
}

}  // namespace sp::attest
