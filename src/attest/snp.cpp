#include "attest/snp.hpp"

#include <nlohmann/json.hpp>

#include "attest/check.hpp"
#include "attest/snp_chain.hpp"
#include "attest/snp_report.hpp"
#include "crypto/ecdsa.hpp"

namespace sp::attest {
namespace {

// Whether the report is of the family that its chip certificate names, in its layout.
Status check_family(const SnpReport& report, const SnpChip& chip) {
  SP_REQUIRE(Check::snp_vcek_family, !report.family() || *report.family() == chip.family,
             family_name(*report.family()), family_name(chip.family));
  for (const SnpTcb* tcb :
       {&report.current_tcb, &report.reported_tcb, &report.committed_tcb, &report.launch_tcb}) {
    SP_REQUIRE(Check::snp_report_tcb, tcb->reserved_zero(chip.family),
               "zeros in " + std::string(family_name(chip.family)) + "'s reserved bytes",
               tcb->hex());
  }
  return {};
}

// Whether the chip certificate is the one of the key that signed this report.
Status check_chip(const SnpReport& report, const SnpChip& chip) {
  const bool vlek = report.signing_key == static_cast<std::uint8_t>(SnpKey::vlek);
  SP_REQUIRE(Check::snp_vcek_name, (chip.key == SnpKey::vlek) == vlek,
             vlek ? "SEV-VLEK" : "SEV-VCEK", vlek ? "SEV-VCEK" : "SEV-VLEK");
  SP_REQUIRE(Check::snp_vcek_tcb, chip.tcb == report.reported_tcb, report.reported_tcb.hex(),
             chip.tcb.hex());
  // A VLEK is a provider's, not a chip's. A masked (zero) chip id isn't that of any VCEK: such a
  // report is refused, since the host could have left it unmasked.
  const bool same =
      std::equal(chip.hwid.begin(), chip.hwid.end(), report.chip_id.begin(), report.chip_id.end());
  SP_REQUIRE(Check::snp_vcek_hwid, chip.key == SnpKey::vlek || same, to_hex(report.chip_id),
             to_hex(chip.hwid));
  return {};
}

// A report states ECDSA on P-384 with SHA-384 (snp.report.algorithm): a key on another curve, or
// one that isn't for signatures (RFC 5280 section 4.2.1.3), signs none.
Status verify_by_chip(ByteView report, const crypto::Certificate& chip) {
  const crypto::EcPublic* key = chip.ec_key();
  if (key == nullptr || key->curve() != crypto::Curve::p384) {
    return Error{Errc::bad_signature, "the chip certificate's key isn't on P-384"};
  }
  if (!chip.allows(crypto::KeyUse::digital_signature).value_or(true)) {
    return Error{Errc::bad_signature, "the chip certificate's key isn't one for signatures"};
  }
  return key->verify_raw(report.first(kSnpSignedSize), snp_signature(report));
}

Status check_signature(ByteView report, const SnpChip& chip) {
  SP_REQUIRE_OK(Check::snp_report_signature, verify_by_chip(report, chip.certificate));
  return {};
}

Json chip_json(const SnpChip& chip) {
  const bool vlek = chip.key == SnpKey::vlek;
  Json json = {{"kind", vlek ? "VLEK" : "VCEK"}, {"product", chip.product}};
  if (vlek) json["cspId"] = chip.csp_id;
  return json;
}

Claims claims_of(const SnpReport& report, SnpChain chain) {
  Claims claims;
  claims.kind = EvidenceKind::sev_snp;
  claims.vendor = Vendor::amd;
  const ByteView id = report.chip_id;
  if (std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; })) {
    claims.hardware_id = to_bytes(id);
  }
  claims.measurement = report.measurement;
  // The chip certificate vouches for the reported TCB alone. Where the host reports a lower one
  // than the committed, which the firmware can't go below any more, it hides what this chip is
  // capable of: keys of the lower version may be known to an attacker.
  claims.tcb_status = report.reported_tcb.any_below(report.committed_tcb) ? TcbStatus::out_of_date
                                                                          : TcbStatus::up_to_date;
  claims.debug = report.debug();
  claims.revocation_checked = chain.revocation_checked;
  claims.anchor = chain.anchor;
  claims.report_data = report.report_data;
  claims.details = snp_report_json(report, chain.chip.family);
  claims.details["chipCertificate"] = chip_json(chain.chip);
  claims.validity = std::move(chain.validity);
  return claims;
}

// The layout of the TCB versions of a report that nothing else tells the family of: Turin's chip
// ids have 8 bytes, the others' 64.
SnpFamily likely_family(const SnpReport& report) {
  if (const auto family = report.family()) return *family;
  const bool short_id = std::all_of(report.chip_id.begin() + 8, report.chip_id.end(),
                                    [](std::uint8_t byte) { return byte == 0; });
  return short_id && report.chip_id[0] != 0 ? SnpFamily::turin : SnpFamily::milan;
}

}  // namespace

Result<Claims> verify_snp(ByteView report, const Collateral& collateral, const Anchors& anchors,
                          std::int64_t now) {
  SP_ASSIGN(const SnpReport fields, parse_snp_report(report));
  SP_TRY(check_snp_report(fields));
  SP_ASSIGN(SnpChain chain, verify_snp_chain(collateral, anchors, now));
  SP_TRY(check_family(fields, chain.chip));
  SP_TRY(check_chip(fields, chain.chip));
  SP_TRY(check_signature(report, chain.chip));
  return claims_of(fields, std::move(chain));
}

Result<Json> show_snp(ByteView report) {
  SP_ASSIGN(const SnpReport fields, parse_snp_report(report));
  Json json = snp_report_json(fields, likely_family(fields));
  // Before version 3 a report doesn't tell its family.
  if (!fields.family()) json.erase("family");
  return json;
}

}  // namespace sp::attest
