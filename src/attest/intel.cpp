#include "attest/intel.hpp"

#include "attest/intel_details.hpp"
#include "attest/intel_state.hpp"
#include "attest/intel_status.hpp"
#include "attest/little_endian.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

using intel::EnclaveReport;
using intel::Pck;
using intel::Quote;
using intel::TdReport;
using intel::VerifiedCollateral;

// SECS.ATTRIBUTES (Intel SDM volume 3D, table 38-3): DEBUG, and the reserved bits 3, 8, 9, 11
// to 63.
constexpr std::uint64_t kSgxDebug = 0x02;
constexpr std::uint64_t kSgxReserved = 0xfffffffffffffb08;
// TD ATTRIBUTES (Intel "TDX Module ABI", ATTRIBUTES): whoever set one of the bits 0 to 7 can look
// into the TD; the others that are defined are 16, 27 to 31, 62 and 63.
constexpr std::uint64_t kTdUnderDebug = 0xff;
constexpr std::uint64_t kTdKnown = 0xc0000000f80100ff;
// XFAM: x87 and SSE are always there (Intel "TDX Module ABI", XFAM).
constexpr std::uint64_t kXfamFixed = 0x03;

bool same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// Whether `value` is `expected` in the bits of `mask`; all of one size.
bool same_under_mask(ByteView value, ByteView mask, ByteView expected) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if ((value[i] & mask[i]) != expected[i]) return false;
  }
  return true;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// ---- The PCK certificate ----

Result<intel::PckFacts> facts_of(const crypto::Certificate& leaf) {
  const auto extension = leaf.extension(intel::kSgxExtensionOid);
  SP_REQUIRE_OK(Check::intel_pck_extension, extension);
  if (!extension) return extension.error();
  auto facts = intel::read_pck_facts(*extension);
  SP_REQUIRE_OK(Check::intel_pck_extension, facts);
  return facts;
}

Result<std::shared_ptr<const Pck>> verified_pck(ByteView pem, const VerifiedCollateral& state) {
  intel::CertificateStore store = state.store;
  const auto pck = std::make_shared<Pck>();
  SP_ASSIGN(pck->chain, intel::read_chain(intel::kPckChain, pem, {&state.anchor, 1}, store));
  SP_TRY(intel::check_not_revoked(intel::kPckChain, pck->chain, *state.root_crl));
  const crypto::Certificate& leaf = pck->chain.leaf();
  SP_REQUIRE(Check::intel_pckcrl_issuer, same(state.pck_crl->issuer_der(), leaf.issuer_der()),
             leaf.issuer(), state.pck_crl->issuer());
  SP_REQUIRE(Check::intel_pck_revoked, !state.pck_crl->contains(leaf.serial()),
             "a PCK certificate that isn't revoked", "serial " + to_hex(leaf.serial()));
  SP_ASSIGN(pck->facts, facts_of(leaf));
  SP_REQUIRE(Check::intel_tcbinfo_fmspc, pck->facts.fmspc == state.tcb_info.fmspc,
             pck->facts.fmspc.hex(), state.tcb_info.fmspc.hex());
  SP_REQUIRE(Check::intel_tcbinfo_pceid, pck->facts.pceid == state.tcb_info.pceid,
             pck->facts.pceid.hex(), state.tcb_info.pceid.hex());
  return std::shared_ptr<const Pck>(pck);
}

Result<std::shared_ptr<const Pck>> pck_of(const Quote& quote, const VerifiedCollateral& state,
                                          std::int64_t now) {
  const ByteView pem = state.pck_chain.empty() ? quote.pck_chain : ByteView(state.pck_chain);
  const Digest32 digest = crypto::sha256(pem);
  std::shared_ptr<const Pck> pck = state.pck_cache.find(digest);
  if (pck == nullptr) {
    SP_ASSIGN(pck, verified_pck(pem, state));
    state.pck_cache.add(digest, pck);
  }
  SP_TRY(intel::check_current(intel::kPckChain, pck->chain, now));
  return pck;
}

// ---- The quote ----

// The quoting enclave's report: signed by the PCK key, binding the attestation key.
Status verify_qe_report(const Quote& quote, const crypto::Certificate& leaf) {
  SP_REQUIRE_OK(Check::intel_qe_signature,
                intel::verify_by_leaf(leaf, quote.qe_report.bytes(), quote.qe_report_signature));
  const Digest32 digest = crypto::sha256({quote.attestation_key, quote.qe_auth_data});
  Bytes expected = to_bytes(digest.view());
  expected.resize(quote.qe_report.report_data().size());
  SP_REQUIRE(Check::intel_qe_report_data, same(expected, quote.qe_report.report_data()),
             to_hex(expected), to_hex(quote.qe_report.report_data()));
  return {};
}

Status verify_quote_signature(const Quote& quote) {
  const auto key = crypto::EcPublic::from_point(crypto::Curve::p256, quote.attestation_key);
  const Status verified =
      key ? key->verify_raw(quote.signed_part, quote.signature) : Status(key.error());
  SP_REQUIRE_OK(Check::intel_quote_signature, verified);
  return {};
}

Status check_qe_identity(const EnclaveReport& report, const intel::QeIdentity& qe) {
  SP_REQUIRE(Check::intel_qe_miscselect,
             same_under_mask(report.miscselect(), qe.miscselect_mask.view(), qe.miscselect.view()),
             qe.miscselect.hex() + " under " + qe.miscselect_mask.hex(),
             to_hex(report.miscselect()));
  SP_REQUIRE(Check::intel_qe_attributes,
             same_under_mask(report.attributes(), qe.attributes_mask.view(), qe.attributes.view()),
             qe.attributes.hex() + " under " + qe.attributes_mask.hex(),
             to_hex(report.attributes()));
  SP_REQUIRE(Check::intel_qe_mrsigner, same(report.mrsigner(), qe.mrsigner.view()),
             qe.mrsigner.hex(), to_hex(report.mrsigner()));
  SP_REQUIRE(Check::intel_qe_product, report.isvprodid() == qe.isvprodid,
             std::to_string(qe.isvprodid), std::to_string(report.isvprodid()));
  return {};
}

Status check_kinds(const Quote& quote, const intel::TcbInfo& info, const intel::QeIdentity& qe) {
  SP_REQUIRE(Check::intel_tcbinfo_kind, info.kind == quote.kind(), kind_name(quote.kind()),
             kind_name(info.kind));
  SP_REQUIRE(Check::intel_qeidentity_kind, qe.kind == quote.kind(), kind_name(quote.kind()),
             kind_name(qe.kind));
  return {};
}

Status check_td(const TdReport& td, const intel::TcbInfo& info) {
  const std::uint64_t attributes = little_number(td.td_attributes());
  SP_REQUIRE(Check::intel_quote_attributes, (attributes & ~kTdKnown) == 0,
             "no bit beyond those that are defined", to_hex(td.td_attributes()));
  SP_REQUIRE(Check::intel_quote_xfam, (little_number(td.xfam()) & kXfamFixed) == kXfamFixed,
             "bits 0 and 1 set", to_hex(td.xfam()));
  SP_ASSIGN(const intel::ModuleIdentity* const module, module_of(info, td.tee_tcb_svn()[1]));
  const intel::ModuleSigner& signer = module != nullptr ? module->signer : info.module;
  SP_REQUIRE(Check::intel_quote_mrsignerseam, same(td.mrsignerseam(), signer.mrsigner.view()),
             signer.mrsigner.hex(), to_hex(td.mrsignerseam()));
  SP_REQUIRE(Check::intel_quote_seam_attributes,
             same_under_mask(td.seam_attributes(), signer.mask.view(), signer.attributes.view()),
             signer.attributes.hex() + " under " + signer.mask.hex(), to_hex(td.seam_attributes()));
  SP_REQUIRE(Check::intel_quote_seam_reserved, all_zero(td.seam_attributes()), "zeros",
             to_hex(td.seam_attributes()));
  return {};
}

Status check_enclave(const EnclaveReport& report) {
  const std::uint64_t attributes = little_number(report.attributes().first(8));
  SP_REQUIRE(Check::intel_quote_attributes, (attributes & kSgxReserved) == 0, "no reserved bit set",
             to_hex(report.attributes()));
  return {};
}

// ---- Claims ----

Digest48 measurement48(ByteView bytes) {
  Digest48 measurement;
  std::copy(bytes.begin(), bytes.end(), measurement.data.begin());
  return measurement;
}

Json level_json(const intel::LevelStatus& says) {
  return {{"tcbStatus", tcb_name(says.status)}, {"tcbDate", says.date}};
}

void add_outcome(const Quote& quote, const intel::TcbOutcome& outcome, const intel::TcbInfo& info,
                 const intel::QeIdentity& qe, Json& details) {
  details["quoteVersion"] = quote.version;
  details["tcbEvaluationDataNumber"] = info.evaluation_number;
  details["platformTcb"] = level_json(outcome.platform);
  if (outcome.module) details["tdxModuleTcb"] = level_json(*outcome.module);
  details["relaunchAdvised"] = outcome.relaunch_advised;
  details["qe"] = {{"isvprodid", quote.qe_report.isvprodid()},
                   {"isvsvn", quote.qe_report.isvsvn()},
                   {"mrsigner", to_hex(quote.qe_report.mrsigner())},
                   {"mrenclave", to_hex(quote.qe_report.mrenclave())},
                   {"tcb", level_json(outcome.qe)},
                   {"tcbEvaluationDataNumber", qe.evaluation_number}};
}

Claims base_claims(const Quote& quote, const Pck& pck, const intel::TcbOutcome& outcome) {
  Claims claims;
  claims.kind = quote.kind();
  claims.vendor = Vendor::intel;
  claims.hardware_id = to_bytes(pck.facts.ppid.view());
  claims.tcb_status = outcome.status;
  claims.advisories = outcome.advisories;
  claims.revocation_checked = true;  // Intel's lists are required pieces
  claims.anchor = pck.chain.anchor;
  const ByteView data = quote.report_data();
  std::copy(data.begin(), data.end(), claims.report_data.data.begin());
  if (quote.is_tdx()) {
    const TdReport td = quote.td();
    claims.measurement = measurement48(td.mrtd());
    claims.debug = (little_number(td.td_attributes()) & kTdUnderDebug) != 0;
    for (std::size_t i = 0; i < TdReport::kRtmrs; ++i) {
      claims.registers.push_back(measurement48(td.rtmr(i)));
    }
    intel::add_td_details(td, claims.details);
  } else {
    const EnclaveReport report = quote.enclave();
    claims.measurement = measurement48(report.mrenclave());
    claims.debug = (little_number(report.attributes().first(8)) & kSgxDebug) != 0;
    intel::add_enclave_details(report, claims.details);
  }
  intel::add_pck_details(pck.facts, claims.details);
  return claims;
}

Status check_collateral_time(const std::vector<Validity>& validity, std::int64_t now) {
  for (const Validity& piece : validity) {
    SP_REQUIRE(
        Check::intel_collateral_current, piece.from <= now && now <= piece.until,
        piece.piece + " from " + std::to_string(piece.from) + " to " + std::to_string(piece.until),
        std::to_string(now));
  }
  return {};
}

Status check_quote(EvidenceKind kind, const Quote& quote) {
  SP_REQUIRE(Check::intel_quote_kind, quote.kind() == kind, kind_name(kind),
             kind_name(quote.kind()));
  // configfs and cloud agents hand quotes out in buffers of a fixed size: zeros follow. Anything
  // else there would be bytes that nobody signed.
  SP_REQUIRE(Check::intel_quote_trailing, all_zero(quote.trailing),
             "zeros behind the signature data", "other bytes");
  return {};
}

}  // namespace

Result<Claims> verify_intel(EvidenceKind kind, ByteView bytes, const IntelCollateral& collateral,
                            std::int64_t now) {
  const VerifiedCollateral& state = *collateral.state_;
  SP_TRY(check_collateral_time(state.validity, now));
  SP_ASSIGN(const Quote quote, intel::read_quote(bytes));
  SP_TRY(check_quote(kind, quote));
  SP_TRY(check_kinds(quote, state.tcb_info, state.qe_identity));
  SP_ASSIGN(const std::shared_ptr<const Pck> pck, pck_of(quote, state, now));
  SP_TRY(verify_qe_report(quote, pck->chain.leaf()));
  SP_TRY(verify_quote_signature(quote));
  SP_TRY(check_qe_identity(quote.qe_report, state.qe_identity));
  SP_TRY(quote.is_tdx() ? check_td(quote.td(), state.tcb_info) : check_enclave(quote.enclave()));
  SP_ASSIGN(const intel::TcbOutcome outcome,
            intel::tcb_outcome(quote, pck->facts, state.tcb_info, state.qe_identity));
  Claims claims = base_claims(quote, *pck, outcome);
  add_outcome(quote, outcome, state.tcb_info, state.qe_identity, claims.details);
  claims.validity = state.validity;
  intel::add_validity(intel::kPckChain, pck->chain, claims.validity);
  return claims;
}

Result<Claims> verify_intel(EvidenceKind kind, ByteView quote, const Collateral& collateral,
                            const Anchors& anchors, std::int64_t now) {
  SP_ASSIGN(const IntelCollateral verified, IntelCollateral::verify(collateral, anchors, now));
  return verify_intel(kind, quote, verified, now);
}

}  // namespace sp::attest
