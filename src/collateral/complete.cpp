#include "collateral/complete.hpp"

#include "attest/intel_signed.hpp"
#include "attest/intel_tcb.hpp"
#include "collateral/answers.hpp"
#include "crypto/crl.hpp"

namespace sp::collateral {
namespace {

using attest::Collateral;
using attest::IntelNeeds;
using attest::PieceKind;
using attest::SnpNeeds;

Result<Published> get(CollateralSource& source, const Wanted& wanted) {
  auto published = source.get(wanted);
  if (!published) return published.error().in(name_of(wanted));
  return published;
}

bool has(const Collateral& collateral, std::initializer_list<PieceKind> kinds) {
  return std::all_of(kinds.begin(), kinds.end(),
                     [&](PieceKind kind) { return !collateral.get(kind).empty(); });
}

using Pieces = std::map<PieceKind, Bytes>;

Bytes bytes_of(std::string_view text) { return to_bytes(as_bytes(text)); }

// When the vendor issued a list, as it says itself; empty where it can't be read, which is older
// than all that can.
std::optional<std::int64_t> issued_at(PieceKind kind, ByteView list) {
  if (kind == PieceKind::intel_tcb_info) {
    if (const auto info = attest::intel::read_tcb_info(as_text(list))) return info->issue_date;
  } else if (kind == PieceKind::intel_qe_identity) {
    if (const auto identity = attest::intel::read_qe_identity(as_text(list)))
      return identity->issue_date;
  } else if (const auto crl = crypto::Crl::from_der(list)) {
    return crl->this_update();
  }
  return std::nullopt;
}

// A list and the `kinds` that belong to it, the list's own first. What came with the evidence stays
// only where the source has nothing newer: else a host could hide a revocation behind an older list
// until that one ends.
Status take_newest(std::initializer_list<PieceKind> kinds, Result<Pieces> fetched,
                   Collateral& collateral) {
  const PieceKind list = *kinds.begin();
  const bool came = has(collateral, kinds);
  if (!fetched) return came ? Status() : fetched.error();
  if (came && issued_at(list, fetched->at(list)) <= issued_at(list, collateral.get(list))) {
    return {};
  }
  for (auto& [kind, bytes] : *fetched) collateral.pieces[kind] = std::move(bytes);
  return {};
}

// ---- AMD ----

Result<AmdChipCertificate> chip_of(const SnpNeeds& needs, const std::string& product) {
  AmdChipCertificate chip;
  SP_ASSIGN(chip.product, product_from_name(product));
  const std::size_t size = chip.product == AmdProduct::turin ? kTurinHwidSize : kHwidSize;
  if (needs.hwid.size() != size) {
    return Error{Errc::malformed, "a hardware id of " + std::to_string(needs.hwid.size()) +
                                      " bytes, not of " + std::to_string(size)};
  }
  chip.hwid = needs.hwid;
  chip.tcb = {needs.bootloader, needs.tee, needs.snp, needs.microcode, needs.fmc.value_or(0)};
  return chip;
}

// The product whose chip it is: that of the first certificate that is found.
Result<std::string> add_chip_certificate(const SnpNeeds& needs, Collateral& collateral,
                                         CollateralSource& source) {
  if (needs.vlek) {
    return Error{Errc::not_found, "a VLEK's certificate isn't published: the evidence brings it"};
  }
  if (needs.hwid.empty()) {
    return Error{Errc::not_found, "the chip id is masked, so nobody can say whose VCEK it is"};
  }
  Error last{Errc::unsupported, "the report is of no product that is known"};
  for (const std::string& product : needs.products) {
    SP_ASSIGN(const AmdChipCertificate chip, chip_of(needs, product));
    auto certificate = get(source, chip);
    if (certificate) {
      collateral.pieces[PieceKind::amd_chip_certificate] = std::move(certificate->body);
      return product;
    }
    last = certificate.error();
    if (last.code != Errc::not_found) break;
  }
  return last;
}

Result<Pieces> amd_crl(const SnpNeeds& needs, const std::string& product,
                       CollateralSource& source) {
  SP_ASSIGN(const AmdProduct known, product_from_name(product));
  SP_ASSIGN(const Published crl,
            get(source, AmdCrl{needs.vlek ? AmdKey::vlek : AmdKey::vcek, known}));
  SP_ASSIGN(Bytes der, crl_der(crl.body));
  return Pieces{{PieceKind::amd_crl, std::move(der)}};
}

Status add_amd(const SnpNeeds& needs, Collateral& collateral, CollateralSource& source) {
  std::string product = needs.products.empty() ? "" : needs.products.front();
  if (!has(collateral, {PieceKind::amd_chip_certificate})) {
    SP_ASSIGN(product, add_chip_certificate(needs, collateral, source));
  }
  return take_newest({PieceKind::amd_crl}, amd_crl(needs, product, source), collateral);
}

// ---- Intel ----

struct IntelWanted {
  IntelPckCrl pck_crl;
  IntelTcbInfo tcb_info;
  IntelQeIdentity qe_identity;
};

Result<IntelWanted> intel_wanted(const IntelNeeds& needs) {
  const bool sgx = needs.tee == attest::EvidenceKind::sgx;
  if (!sgx && needs.tee != attest::EvidenceKind::tdx) {
    return Error{Errc::unsupported, "Intel has no collateral for this kind of evidence"};
  }
  if (needs.ca != "platform" && needs.ca != "processor") {
    return Error{Errc::unsupported, "unknown CA of PCK certificates: " + needs.ca};
  }
  const IntelTee tee = sgx ? IntelTee::sgx : IntelTee::tdx;
  SP_ASSIGN(const Fmspc fmspc, Fmspc::from_hex(needs.fmspc));
  const IntelCa ca = needs.ca == "platform" ? IntelCa::platform : IntelCa::processor;
  return IntelWanted{{ca}, {tee, fmspc}, {tee}};
}

Result<Pieces> pck_crl(const IntelPckCrl& wanted, CollateralSource& source) {
  SP_ASSIGN(const Published crl, get(source, wanted));
  SP_ASSIGN(Bytes der, crl_der(crl.body));
  return Pieces{{PieceKind::intel_pck_crl, std::move(der)},
                {PieceKind::intel_pck_crl_chain, bytes_of(crl.issuer_chain)}};
}

Result<Pieces> root_crl(CollateralSource& source) {
  SP_ASSIGN(const Published crl, get(source, IntelRootCrl{}));
  SP_ASSIGN(Bytes der, crl_der(crl.body));
  return Pieces{{PieceKind::intel_root_crl, std::move(der)}};
}

// A signed JSON value, its signature and its signer's chain, which belong together.
struct SignedPieces {
  std::string_view name;
  PieceKind value, signature, chain;
};
constexpr SignedPieces kTcbInfo{"tcbInfo", PieceKind::intel_tcb_info,
                                PieceKind::intel_tcb_info_signature,
                                PieceKind::intel_tcb_info_chain};
constexpr SignedPieces kQeIdentity{"enclaveIdentity", PieceKind::intel_qe_identity,
                                   PieceKind::intel_qe_identity_signature,
                                   PieceKind::intel_qe_identity_chain};

Result<Pieces> signed_pieces(const SignedPieces& pieces, const Wanted& wanted,
                             CollateralSource& source) {
  SP_ASSIGN(const Published published, get(source, wanted));
  auto split = attest::split_signed_json(as_text(published.body), pieces.name);
  if (!split) return split.error().in(name_of(wanted));
  return Pieces{{pieces.value, std::move(split->value)},
                {pieces.signature, std::move(split->signature)},
                {pieces.chain, bytes_of(published.issuer_chain)}};
}

Status add_signed(const SignedPieces& pieces, const Wanted& wanted, Collateral& collateral,
                  CollateralSource& source) {
  return take_newest({pieces.value, pieces.signature, pieces.chain},
                     signed_pieces(pieces, wanted, source), collateral);
}

Status add_intel(const IntelNeeds& needs, Collateral& collateral, CollateralSource& source) {
  SP_ASSIGN(const IntelWanted wanted, intel_wanted(needs));
  SP_TRY(take_newest({PieceKind::intel_pck_crl, PieceKind::intel_pck_crl_chain},
                     pck_crl(wanted.pck_crl, source), collateral));
  SP_TRY(take_newest({PieceKind::intel_root_crl}, root_crl(source), collateral));
  SP_TRY(add_signed(kTcbInfo, wanted.tcb_info, collateral, source));
  return add_signed(kQeIdentity, wanted.qe_identity, collateral, source);
}

}  // namespace

Result<Collateral> complete(const attest::Needs& needs, Collateral collateral,
                            CollateralSource& source) {
  if (const auto* snp = std::get_if<SnpNeeds>(&needs)) {
    SP_TRY(add_amd(*snp, collateral, source));
  }
  if (const auto* intel = std::get_if<IntelNeeds>(&needs)) {
    SP_TRY(add_intel(*intel, collateral, source));
  }
  return collateral;
}

Result<std::vector<Wanted>> wanted_for(const attest::Needs& needs) {
  std::vector<Wanted> all;
  if (const auto* intel = std::get_if<IntelNeeds>(&needs)) {
    SP_ASSIGN(const IntelWanted wanted, intel_wanted(*intel));
    all = {wanted.pck_crl, IntelRootCrl{}, wanted.tcb_info, wanted.qe_identity};
  }
  if (const auto* snp = std::get_if<SnpNeeds>(&needs)) {
    for (const std::string& product : snp->products) {
      SP_ASSIGN(const AmdProduct known, product_from_name(product));
      if (!snp->vlek && !snp->hwid.empty()) {
        SP_ASSIGN(AmdChipCertificate chip, chip_of(*snp, product));
        all.emplace_back(std::move(chip));
      }
      all.emplace_back(AmdCrl{snp->vlek ? AmdKey::vlek : AmdKey::vcek, known});
    }
  }
  return all;
}

Result<attest::Evidence> complete(attest::Evidence evidence, CollateralSource& source) {
  SP_ASSIGN(Collateral collateral, Collateral::decode(evidence.collateral));
  SP_ASSIGN(const attest::Needs needs, attest::needs_of(evidence, collateral));
  if (std::holds_alternative<std::monostate>(needs)) return evidence;
  SP_ASSIGN(collateral, complete(needs, std::move(collateral), source));
  evidence.collateral = collateral.encode();
  if (evidence.collateral.size() > attest::kCollateralMax) {
    return Error{Errc::too_large, "the collateral has " +
                                      std::to_string(evidence.collateral.size()) +
                                      " bytes, at most " + std::to_string(attest::kCollateralMax)};
  }
  return evidence;
}

}  // namespace sp::collateral
