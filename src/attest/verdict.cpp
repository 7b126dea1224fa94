#include "attest/verdict.hpp"

#include "attest/dev.hpp"
#include "attest/intel.hpp"
#include "attest/snp.hpp"
#include "attest/tpm.hpp"
#include "base/world.hpp"

namespace sp::attest {
namespace {

Result<Claims> verify_dev(const Evidence& evidence) {
  if (!evidence.collateral.empty()) return Error{Errc::malformed, "dev evidence has no collateral"};
  SP_ASSIGN(DevReport report, DevReport::decode_unverified(evidence.body));
  SP_ASSIGN(const crypto::EcPublic key,
            crypto::EcPublic::from_point(crypto::Curve::p256, report.public_key));
  const Bytes signature = std::exchange(report.signature, {});
  SP_TRY(key.verify_raw(report.encode(), signature));

  Claims claims;
  claims.kind = EvidenceKind::dev;
  claims.vendor = Vendor::dev;
  claims.hardware_id = to_bytes(report.hardware_id.view());
  claims.measurement = report.measurement;
  claims.tcb_status = TcbStatus::up_to_date;
  claims.debug = false;
  claims.revocation_checked = true;
  claims.anchor = dev_anchor(key);
  claims.report_data = report.report_data;
  return claims;
}

Result<Claims> verify_claims(const Evidence& evidence, std::int64_t now, const Anchors& anchors) {
  if (evidence.kind == EvidenceKind::dev) return verify_dev(evidence);
  SP_ASSIGN(const Collateral collateral, Collateral::decode(evidence.collateral));
  switch (evidence.kind) {
    case EvidenceKind::sev_snp:
      return verify_snp(evidence.body, collateral, anchors, now);
    case EvidenceKind::tdx:
    case EvidenceKind::sgx:
      return verify_intel(evidence.kind, evidence.body, collateral, anchors, now);
    case EvidenceKind::tpm:
      return verify_tpm(evidence.body, collateral, anchors, now);
    case EvidenceKind::dev:
    case EvidenceKind::none:
      break;
  }
  return Error{Errc::unsupported, "unknown kind of evidence"};
}

Json registers_json(const Claims& claims) {
  Json json = Json::object();
  for (std::size_t i = 0; i < claims.registers.size(); ++i) {
    json["rtmr" + std::to_string(i)] = claims.registers[i].hex();
  }
  for (std::size_t i = 0; i < claims.pcrs.size(); ++i) {
    if (claims.pcrs[i]) json["pcr" + std::to_string(i)] = claims.pcrs[i]->hex();
  }
  return json;
}

Json validity_json(const std::vector<Validity>& validity) {
  Json list = Json::array();
  for (const Validity& entry : validity) {
    list.push_back({{"piece", entry.piece},
                    {"from", to_rfc3339(entry.from)},
                    {"until", to_rfc3339(entry.until)}});
  }
  return list;
}

}  // namespace

ChipId Verdict::chip() const {
  if (claims_.hardware_id.empty()) return {};
  return chip_id(claims_.vendor, claims_.hardware_id);
}

MeasurementDigest Verdict::measurement_digest() const {
  return attest::measurement_digest(claims_.kind, claims_.measurement);
}

Status Verdict::binds(const ReportData& expected) const {
  if (claims_.report_data == expected) return {};
  return Error{Errc::mismatch, "report data is " + claims_.report_data.hex().substr(0, 16) +
                                   "..., expected " + expected.hex().substr(0, 16) + "..."};
}

std::optional<Validity> Verdict::ends_first() const {
  const auto first =
      std::min_element(claims_.validity.begin(), claims_.validity.end(),
                       [](const Validity& a, const Validity& b) { return a.until < b.until; });
  if (first == claims_.validity.end()) return std::nullopt;
  return *first;
}

Json Verdict::to_json() const {
  Json json{{"kind", kind_name(claims_.kind)},
            {"measurement", claims_.measurement.hex()},
            {"tcbStatus", tcb_name(claims_.tcb_status)},
            {"advisories", claims_.advisories},
            {"debug", claims_.debug},
            {"revocationChecked", claims_.revocation_checked},
            {"anchor", claims_.anchor.hex()},
            {"reportData", claims_.report_data.hex()},
            {"registers", registers_json(claims_)},
            {"validity", validity_json(claims_.validity)},
            {"details", claims_.details}};
  json["chip"] = claims_.hardware_id.empty() ? Json() : Json(chip().hex());
  if (const auto ends = ends_first()) json["holdsUntil"] = to_rfc3339(ends->until);
  if (claims_.kind == EvidenceKind::dev) {
    json["warning"] = kDevWarning;
  } else if (!Anchors::is_vendor(claims_.anchor)) {
    json["warning"] = kForeignAnchorWarning;
  }
  return json;
}

Result<Verdict> verify(const Evidence& evidence, std::int64_t now, const Anchors& anchors) {
  SP_ASSIGN(Claims claims, verify_claims(evidence, now, anchors));
  return Verdict(std::move(claims));
}

}  // namespace sp::attest
