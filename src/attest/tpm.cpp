#include "attest/tpm.hpp"

#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/check.hpp"
#include "attest/intel.hpp"
#include "attest/intel_quote.hpp"
#include "attest/snp.hpp"
#include "attest/snp_report.hpp"
#include "attest/tpm_quote.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

// The guest asks for SNP reports at the levels that it runs at; only the paravisor, which holds the
// vTPM, runs at level 0.
Status check_vmpl(ByteView report) {
  SP_ASSIGN(const SnpReport fields, parse_snp_report(report));
  SP_REQUIRE(Check::tpm_report_vmpl, fields.vmpl == 0, "0", std::to_string(fields.vmpl));
  return {};
}

// What the hardware claims of itself, by the rules of its kind.
Result<Claims> verify_hardware(const TpmEvidence& evidence, const HclReport& hcl,
                               const Collateral& collateral, const Anchors& anchors,
                               std::int64_t now) {
  const bool tdx = hcl.type == kHclTypeTdx;
  SP_REQUIRE(Check::tpm_td_quote, evidence.td_quote.empty() != tdx,
             tdx ? "a TD quote" : "no TD quote", tdx ? "none" : "one");
  if (tdx) return verify_intel(EvidenceKind::tdx, evidence.td_quote, collateral, anchors, now);
  SP_TRY(check_vmpl(hcl.hardware_report));
  return verify_snp(hcl.hardware_report, collateral, anchors, now);
}

// Report data of a hardware report that binds the runtime data: its SHA-256, zeros behind it.
ReportData binding_of(ByteView runtime_data) {
  ReportData data;
  const Digest32 digest = crypto::sha256(runtime_data);
  std::copy(digest.data.begin(), digest.data.end(), data.data.begin());
  return data;
}

Result<ReportData> report_data_of(const TpmQuote& quote) {
  Bytes padded = quote.extra_data;
  padded.resize(ReportData::kSize);
  return ReportData::from(padded);
}

Json runtime_json(const HclRuntime& runtime) {
  return {{"vmConfiguration", runtime.configuration},
          {"userData", runtime.user_data},
          {"akModulus", to_hex(runtime.ak.rsa_modulus)}};
}

// What a hardware report says, unverified.
struct Hardware {
  EvidenceKind kind;
  ReportData report_data;
  Json fields;
};

Result<Hardware> show_hardware(const TpmEvidence& evidence, const HclReport& hcl) {
  if (hcl.type == kHclTypeSnp) {
    SP_ASSIGN(const SnpReport report, parse_snp_report(hcl.hardware_report));
    SP_ASSIGN(Json fields, show_snp(hcl.hardware_report));
    return Hardware{EvidenceKind::sev_snp, report.report_data, std::move(fields)};
  }
  SP_ASSIGN(const intel::Quote quote, intel::read_quote(evidence.td_quote));
  if (!quote.is_tdx()) return Error{Errc::malformed, "the TD quote is an SGX quote"};
  SP_ASSIGN(const ReportData data, ReportData::from(quote.report_data()));
  return Hardware{EvidenceKind::tdx, data, {{"mrtd", to_hex(quote.td().mrtd())}}};
}

}  // namespace

Result<Claims> verify_tpm(ByteView body, const Collateral& collateral, const Anchors& anchors,
                          std::int64_t now) {
  const auto evidence = TpmEvidence::decode(body);
  SP_REQUIRE_OK(Check::tpm_evidence_form, evidence);
  SP_ASSIGN(const HclReport hcl, parse_hcl_report(evidence->hcl_report));
  SP_ASSIGN(Claims claims, verify_hardware(*evidence, hcl, collateral, anchors, now));
  const ReportData binding = binding_of(hcl.runtime_data);
  SP_REQUIRE(Check::tpm_report_bound, claims.report_data == binding, binding.hex(),
             claims.report_data.hex());
  SP_ASSIGN(const HclRuntime runtime, parse_hcl_runtime(hcl.runtime_data));
  SP_ASSIGN(const TpmQuote quote, parse_tpm_quote(evidence->quote));
  SP_TRY(check_tpm_signature(evidence->quote, evidence->signature, runtime.ak));
  SP_TRY(check_tpm_pcrs(quote, evidence->pcrs));
  SP_ASSIGN(claims.report_data, report_data_of(quote));
  claims.details = {{"hardware", std::move(claims.details)},
                    {"hardwareKind", kind_name(claims.kind)},
                    {"quote", tpm_quote_json(quote)},
                    {"runtime", runtime_json(runtime)}};
  claims.kind = EvidenceKind::tpm;
  claims.pcrs = evidence->pcrs;
  return claims;
}

Result<Json> show_tpm(ByteView body) {
  SP_ASSIGN(const TpmEvidence evidence, TpmEvidence::decode(body));
  SP_ASSIGN(const HclReport hcl, parse_hcl_report(evidence.hcl_report));
  SP_ASSIGN(const HclRuntime runtime, parse_hcl_runtime(hcl.runtime_data));
  SP_ASSIGN(const TpmQuote quote, parse_tpm_quote(evidence.quote));
  SP_ASSIGN(const Hardware hardware, show_hardware(evidence, hcl));
  const auto pcrs_match = [&]() -> Json {
    if (evidence.pcrs.empty()) return nullptr;
    return check_tpm_pcrs(quote, evidence.pcrs).ok();
  };
  Json json = {
      {"hardware", hardware.fields},
      {"hardwareKind", kind_name(hardware.kind)},
      {"runtime", runtime_json(runtime)},
      {"quote", tpm_quote_json(quote)},
      {"reportBindsRuntime", hardware.report_data == binding_of(hcl.runtime_data)},
      {"akSignsQuote", check_tpm_signature(evidence.quote, evidence.signature, runtime.ak).ok()},
      {"pcrsMatchQuote", pcrs_match()},
      {"pcrs", Json::array()}};
  for (const auto& pcr : evidence.pcrs) {
    json["pcrs"].push_back(pcr ? Json(pcr->hex()) : Json());
  }
  return json;
}

}  // namespace sp::attest
