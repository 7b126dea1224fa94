#include "attest/needs.hpp"

#include "attest/azure_hcl.hpp"
#include "attest/intel_pck.hpp"
#include "attest/intel_quote.hpp"
#include "attest/snp_chain.hpp"
#include "attest/snp_report.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kTurinHwidSize = 8;  // Milan's and Genoa's are as long as CHIP_ID

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// All families that a report may be of; one of those of one layout of TCB versions, or Turin.
Result<std::vector<SnpFamily>> families_of(const SnpReport& report, const Collateral& collateral) {
  const ByteView certificate = collateral.get(PieceKind::amd_chip_certificate);
  if (!certificate.empty()) {
    SP_ASSIGN(const SnpChip chip, read_snp_chip(certificate));
    return std::vector<SnpFamily>{chip.family};
  }
  if (const auto family = report.family()) return std::vector<SnpFamily>{*family};
  // Only Turin's chip ids end after 8 bytes.
  const ByteView id(report.chip_id);
  if (!all_zero(id) && all_zero(id.subspan(kTurinHwidSize))) {
    return std::vector<SnpFamily>{SnpFamily::turin};
  }
  return std::vector<SnpFamily>{SnpFamily::milan, SnpFamily::genoa};
}

Result<std::string> ca_of(const crypto::Certificate& pck) {
  const std::string issuer = pck.issuer();
  if (issuer.find("CN=Intel SGX PCK Platform CA") != std::string::npos)
    return std::string("platform");
  if (issuer.find("CN=Intel SGX PCK Processor CA") != std::string::npos) {
    return std::string("processor");
  }
  return Error{Errc::unsupported, "the PCK certificate is of another CA: " + issuer};
}

Result<Needs> tpm_needs(ByteView body, const Collateral& collateral) {
  SP_ASSIGN(const TpmEvidence evidence, TpmEvidence::decode(body));
  SP_ASSIGN(const HclReport hcl, parse_hcl_report(evidence.hcl_report));
  if (hcl.type == kHclTypeTdx) {
    SP_ASSIGN(const IntelNeeds needs,
              intel_needs(EvidenceKind::tdx, evidence.td_quote, collateral));
    return Needs(needs);
  }
  SP_ASSIGN(const SnpNeeds needs, snp_needs(hcl.hardware_report, collateral));
  return Needs(needs);
}

}  // namespace

Result<SnpNeeds> snp_needs(ByteView report, const Collateral& collateral) {
  SP_ASSIGN(const SnpReport fields, parse_snp_report(report));
  SP_ASSIGN(const std::vector<SnpFamily> families, families_of(fields, collateral));
  SnpNeeds needs;
  needs.vlek = fields.signing_key == static_cast<std::uint8_t>(SnpKey::vlek);
  for (const SnpFamily family : families) needs.products.emplace_back(family_name(family));
  const bool turin = families.front() == SnpFamily::turin;
  const ByteView id(fields.chip_id);
  if (!all_zero(id)) needs.hwid = to_bytes(turin ? id.first(kTurinHwidSize) : id);
  const SnpTcbParts parts = split_tcb(families.front(), fields.reported_tcb);
  needs.bootloader = parts.bootloader;
  needs.tee = parts.tee;
  needs.snp = parts.snp;
  needs.microcode = parts.microcode;
  if (turin) needs.fmc = parts.fmc;
  return needs;
}

Result<IntelNeeds> intel_needs(EvidenceKind kind, ByteView quote, const Collateral& collateral) {
  SP_ASSIGN(const intel::Quote read, intel::read_quote(quote));
  if (read.kind() != kind) {
    return Error{Errc::mismatch, "a quote of " + std::string(kind_name(read.kind())) + ", not of " +
                                     std::string(kind_name(kind))};
  }
  const ByteView given = collateral.get(PieceKind::intel_pck_chain);
  SP_ASSIGN(const auto chain,
            crypto::Certificate::from_pem(as_text(given.empty() ? read.pck_chain : given)));
  if (chain.empty()) return Error{Errc::malformed, "the quote has no PCK certificate"};
  SP_ASSIGN(const Bytes extension, chain.front().extension(intel::kSgxExtensionOid));
  SP_ASSIGN(const intel::PckFacts facts, intel::read_pck_facts(extension));
  SP_ASSIGN(std::string ca, ca_of(chain.front()));
  return IntelNeeds{kind, facts.fmspc.hex(), std::move(ca)};
}

Result<Needs> needs_of(const Evidence& evidence, const Collateral& collateral) {
  switch (evidence.kind) {
    case EvidenceKind::dev:
      return Needs();
    case EvidenceKind::sev_snp: {
      SP_ASSIGN(const SnpNeeds needs, snp_needs(evidence.body, collateral));
      return Needs(needs);
    }
    case EvidenceKind::tdx:
    case EvidenceKind::sgx: {
      SP_ASSIGN(const IntelNeeds needs, intel_needs(evidence.kind, evidence.body, collateral));
      return Needs(needs);
    }
    case EvidenceKind::tpm:
      return tpm_needs(evidence.body, collateral);
    case EvidenceKind::none:
      break;
  }
  return Error{Errc::unsupported, "unknown kind of evidence"};
}

}  // namespace sp::attest
