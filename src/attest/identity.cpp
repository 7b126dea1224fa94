#include "attest/identity.hpp"

#include "attest/azure_hcl.hpp"
#include "attest/dev.hpp"
#include "attest/intel_pck.hpp"
#include "attest/intel_quote.hpp"
#include "attest/snp_report.hpp"
#include "attest/tpm.hpp"
#include "crypto/x509.hpp"

namespace sp::attest {
namespace {

Result<ClaimedIdentity> of_dev(ByteView body) {
  SP_ASSIGN(const DevReport report, DevReport::decode_unverified(body));
  return ClaimedIdentity{EvidenceKind::dev, Vendor::dev, to_bytes(report.hardware_id.view()),
                         report.measurement};
}

Result<ClaimedIdentity> of_snp(ByteView body) {
  SP_ASSIGN(const SnpReport report, parse_snp_report(body));
  const bool masked = std::all_of(report.chip_id.begin(), report.chip_id.end(),
                                  [](std::uint8_t byte) { return byte == 0; });
  return ClaimedIdentity{EvidenceKind::sev_snp, Vendor::amd,
                         masked ? Bytes() : to_bytes(report.chip_id), report.measurement};
}

Result<ClaimedIdentity> of_intel(ByteView body) {
  SP_ASSIGN(const intel::Quote quote, intel::read_quote(body));
  ClaimedIdentity identity{quote.kind(), Vendor::intel, {}, {}};
  const ByteView measured = quote.is_tdx() ? quote.td().mrtd() : quote.enclave().mrenclave();
  std::copy(measured.begin(), measured.end(), identity.measurement.data.begin());
  if (quote.pck_chain.empty()) return identity;
  SP_ASSIGN(const auto chain, crypto::Certificate::from_pem(as_text(quote.pck_chain)));
  SP_ASSIGN(const Bytes extension, chain.front().extension(intel::kSgxExtensionOid));
  SP_ASSIGN(const intel::PckFacts facts, intel::read_pck_facts(extension));
  identity.hardware_id = to_bytes(facts.ppid.view());
  return identity;
}

Result<ClaimedIdentity> of_tpm(ByteView body) {
  SP_ASSIGN(const TpmEvidence evidence, TpmEvidence::decode(body));
  SP_ASSIGN(const HclReport hcl, parse_hcl_report(evidence.hcl_report));
  auto identity =
      hcl.type == kHclTypeSnp ? of_snp(hcl.hardware_report) : of_intel(evidence.td_quote);
  if (identity) identity->kind = EvidenceKind::tpm;
  return identity;
}

}  // namespace

ChipId ClaimedIdentity::chip() const {
  return hardware_id.empty() ? ChipId() : chip_id(vendor, hardware_id);
}

Result<ClaimedIdentity> claimed_identity(const Evidence& evidence) {
  switch (evidence.kind) {
    case EvidenceKind::dev:
      return of_dev(evidence.body);
    case EvidenceKind::sev_snp:
      return of_snp(evidence.body);
    case EvidenceKind::tdx:
    case EvidenceKind::sgx:
      return of_intel(evidence.body);
    case EvidenceKind::tpm:
      return of_tpm(evidence.body);
    case EvidenceKind::none:
      break;
  }
  return Error{Errc::unsupported, "unknown kind of evidence"};
}

}  // namespace sp::attest
