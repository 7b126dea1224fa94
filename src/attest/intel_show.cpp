// A quote for people, and its kind.
#include "attest/intel.hpp"
#include "attest/intel_chain.hpp"
#include "attest/intel_details.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

using intel::Quote;

std::string outcome(const Status& status) { return status ? "valid" : status.error().message; }

Status quote_signature(const Quote& quote) {
  SP_ASSIGN(const crypto::EcPublic key,
            crypto::EcPublic::from_point(crypto::Curve::p256, quote.attestation_key));
  return key.verify_raw(quote.signed_part, quote.signature);
}

Status qe_report_data(const Quote& quote) {
  const Digest32 digest = crypto::sha256({quote.attestation_key, quote.qe_auth_data});
  const ByteView bound = quote.qe_report.report_data();
  if (std::equal(digest.data.begin(), digest.data.end(), bound.begin())) return {};
  return Error{Errc::mismatch, "the QE's report doesn't bind the attestation key"};
}

Json chain_json(const intel::Chain& chain) {
  Json list = Json::array();
  for (const crypto::Certificate& certificate : chain.certificates) {
    list.push_back({{"subject", certificate.subject()},
                    {"serial", to_hex(certificate.serial())},
                    {"from", certificate.not_before()},
                    {"until", certificate.not_after()}});
  }
  return list;
}

// What the PCK chain says and whether it holds; without a chain that holds nothing of it is told.
void add_pck(const Quote& quote, const Anchors& anchors, std::int64_t now, Json& shown) {
  intel::CertificateStore store;
  const auto chain = intel::read_chain(intel::kPckChain, quote.pck_chain, anchors.intel, store);
  if (!chain) {
    shown["pckChain"] = {{"outcome", chain.error().message}};
    return;
  }
  shown["pckChain"] = {{"outcome", outcome(intel::check_current(intel::kPckChain, *chain, now))},
                       {"anchor", chain->anchor.hex()},
                       {"certificates", chain_json(*chain)}};
  shown["qeReportSignature"] = outcome(
      intel::verify_by_leaf(chain->leaf(), quote.qe_report.bytes(), quote.qe_report_signature));
  const auto extension = chain->leaf().extension(intel::kSgxExtensionOid);
  if (!extension) return;
  const auto facts = intel::read_pck_facts(*extension);
  if (!facts) return;
  shown["ppid"] = facts->ppid.hex();
  intel::add_pck_details(*facts, shown);
}

void add_body(const Quote& quote, Json& shown) {
  shown["reportData"] = to_hex(quote.report_data());
  if (!quote.is_tdx()) {
    shown["mrenclave"] = to_hex(quote.enclave().mrenclave());
    intel::add_enclave_details(quote.enclave(), shown);
    return;
  }
  const intel::TdReport td = quote.td();
  shown["mrtd"] = to_hex(td.mrtd());
  for (std::size_t i = 0; i < intel::TdReport::kRtmrs; ++i) {
    shown["rtmr" + std::to_string(i)] = to_hex(td.rtmr(i));
  }
  intel::add_td_details(td, shown);
}

Json trailing_json(ByteView trailing) {
  const bool zeros = std::all_of(trailing.begin(), trailing.end(), [](auto b) { return b == 0; });
  return {{"size", trailing.size()}, {"zeros", zeros}};
}

}  // namespace

Result<Json> show_intel(EvidenceKind kind, ByteView bytes, const Anchors& anchors,
                        std::int64_t now) {
  SP_ASSIGN(const Quote quote, intel::read_quote(bytes));
  SP_REQUIRE(Check::intel_quote_kind, quote.kind() == kind, kind_name(kind),
             kind_name(quote.kind()));
  Json shown = {{"kind", kind_name(quote.kind())},
                {"version", quote.version},
                {"attestationKeyType", quote.key_type},
                {"teeType", quote.tee_type},
                {"qeVendorId", to_hex(quote.vendor)},
                {"userData", to_hex(quote.user_data)},
                {"attestationKey", to_hex(quote.attestation_key)},
                {"qeAuthData", to_hex(quote.qe_auth_data)},
                {"trailing", trailing_json(quote.trailing)},
                {"quoteSignature", outcome(quote_signature(quote))},
                {"qeReportData", outcome(qe_report_data(quote))}};
  if (quote.version == 3) {
    shown["qeSvn"] = quote.qe_svn;
    shown["pceSvn"] = quote.pce_svn;
  }
  add_body(quote, shown);
  Json qe = {{"mrenclave", to_hex(quote.qe_report.mrenclave())}};
  intel::add_enclave_details(quote.qe_report, qe);
  shown["qe"] = std::move(qe);
  add_pck(quote, anchors, now, shown);
  return shown;
}

Result<EvidenceKind> intel_quote_kind(ByteView bytes) {
  SP_ASSIGN(const Quote quote, intel::read_quote(bytes));
  return quote.kind();
}

}  // namespace sp::attest
