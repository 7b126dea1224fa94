// One row for each check of Intel evidence: a recipe that breaks this one rule and is signed anew,
// and the error. A build with SP_MUTANTS leaves a check out; its row then fails.
#include <gtest/gtest.h>

#include <set>

#include "attest/intel.hpp"
#include "attest/intel_status.hpp"
#include "attest/testing/check_table.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

namespace issue = crypto::testing;
using testing::IntelChain;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;
using testing::kIntelSpan;

const IntelVendor& vendor() {
  static crypto::SystemRandom random;
  static const IntelVendor made(random);
  return made;
}

ReportData report_data() {
  ReportData data;
  data.data.fill(0x42);
  return data;
}

IntelRecipe tdx() { return vendor().tdx_recipe(report_data()); }
IntelRecipe tdx15() {
  testing::IntelOptions options;
  options.version = 5;
  return vendor().tdx_recipe(report_data(), options);
}
IntelRecipe sgx() { return vendor().sgx_recipe(report_data()); }

std::string outcome(const IntelRecipe& recipe, EvidenceKind kind) {
  const auto claims = verify_intel(kind, vendor().quote(recipe), IntelVendor::collateral(recipe),
                                   vendor().anchors(), kIntelNow);
  return claims ? "accepted" : claims.error().message;
}

using Spoil = std::function<void(IntelRecipe&)>;

struct Row {
  std::string id;
  std::string message;  ///< what the error begins with, behind the id
  Spoil spoil;
  IntelRecipe (*base)() = tdx;
  EvidenceKind asked = EvidenceKind::tdx;
};

void run(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    IntelRecipe recipe = row.base();
    row.spoil(recipe);
    const std::string expected = row.id + ": " + row.message;
    EXPECT_EQ(outcome(recipe, row.asked).substr(0, expected.size()), expected);
  }
}

Spoil spoil_piece(PieceKind piece) {
  return [piece](IntelRecipe& recipe) {
    recipe.spoil_collateral = [piece](Collateral& collateral) {
      collateral.pieces[piece] = Bytes{0x30, 0x80, 0x00, 0x00};
    };
  };
}

Spoil change_byte(std::size_t at, int by) {
  return [=](IntelRecipe& recipe) {
    recipe.spoil_quote = [=](Bytes& quote) {
      quote[at] = static_cast<std::uint8_t>(quote[at] + by);
    };
  };
}

// Offsets in a version 4 quote of TDX.
constexpr std::size_t kOuterSize = 48 + 584 + 4 + 128 + 2;
constexpr std::size_t kInnerSize = kOuterSize + 4 + 384 + 64 + 2 + 32 + 2;

std::vector<Row> layout_rows() {
  return {
      {"intel.quote.size", "expected at most 65536 bytes, actual 65537",
       [](IntelRecipe& r) { r.spoil_quote = [](Bytes& q) { q.resize(kEvidenceBodyMax + 1); }; }},
      {"intel.quote.version", "expected 3, 4 or 5, actual 6",
       [](IntelRecipe& r) { r.version = 6; }},
      {"intel.quote.key_type", "expected 2 (ECDSA on P-256), actual 3",
       [](IntelRecipe& r) { r.key_type = 3; }},
      {"intel.quote.tee_type", "expected 0 (SGX) or 129 (TDX), actual 130",
       [](IntelRecipe& r) { r.tee_type = 0x82; }},
      {"intel.quote.tee_type", "expected 0 (SGX), actual 129",
       [](IntelRecipe& r) { r.tee_type = 0x81; }, sgx, EvidenceKind::sgx},
      {"intel.quote.vendor",
       "expected 939a7233f79c4ca9940a0db3957f0607, actual 009a7233f79c4ca9940a0db3957f0607",
       [](IntelRecipe& r) { r.vendor_id[0] = 0; }},
      {"intel.quote.body_type", "expected 2 (TD 1.0) or 3 (TD 1.5), actual 1",
       [](IntelRecipe& r) { r.body_type = 1; }, tdx15},
      {"intel.quote.body_size", "expected 648, actual 649",
       [](IntelRecipe& r) { r.body_size = 649; }, tdx15},
      {"intel.quote.truncated", "expected 48 bytes of header, actual 47",
       [](IntelRecipe& r) { r.spoil_quote = [](Bytes& q) { q.resize(47); }; }},
      {"intel.quote.truncated", "expected a body and ",
       [](IntelRecipe& r) { r.spoil_quote = [](Bytes& q) { q.pop_back(); }; }},
      {"intel.quote.certification", "expected 6 (QE report certification data), actual 5",
       [](IntelRecipe& r) { r.certification_type = 5; }},
      {"intel.quote.certification", "expected 5 (PCK certificate chain), actual 3",
       [](IntelRecipe& r) { r.inner_certification_type = 3; }},
      {"intel.quote.lengths", "expected ", change_byte(kOuterSize, -1)},
      {"intel.quote.lengths", "expected ", change_byte(kInnerSize, -1)},
      {"intel.quote.lengths", "expected ", change_byte(kInnerSize, 1)},
      {"intel.quote.kind", "expected sgx, actual tdx", [](IntelRecipe&) {}, tdx, EvidenceKind::sgx},
      {"intel.quote.kind", "expected tdx, actual sgx", [](IntelRecipe&) {}, sgx},
      {"intel.quote.trailing", "expected zeros behind the signature data, actual other bytes",
       [](IntelRecipe& r) {
         r.trailing = {0, 0, 1};
       }},
  };
}

std::vector<Row> quote_rows() {
  return {
      {"intel.quote.signature", "ECDSA signature doesn't verify",
       [](IntelRecipe& r) { r.quote_key = &vendor().stranger(); }},
      {"intel.quote.attributes", "expected no bit beyond those that are defined, actual 0001001",
       [](IntelRecipe& r) { r.body[121] = 1; }},
      {"intel.quote.attributes", "expected no reserved bit set, actual 05080000",
       [](IntelRecipe& r) { r.body[49] = 8; }, sgx, EvidenceKind::sgx},
      {"intel.quote.xfam", "expected bits 0 and 1 set, actual e500000000000000",
       [](IntelRecipe& r) { r.body[128] = 0xe5; }},
      {"intel.quote.mrsignerseam", "expected 0000", [](IntelRecipe& r) { r.body[64] = 1; }},
      {"intel.quote.seam_attributes",
       "expected 0100000000000000 under ffffffffffffffff, actual 0000000000000000",
       [](IntelRecipe& r) {
         r.tcb_info["tdxModuleIdentities"][0]["attributes"] = "0100000000000000";
       }},
      {"intel.quote.seam_reserved", "expected zeros, actual 0000000000000080",
       [](IntelRecipe& r) {
         r.tcb_info["tdxModuleIdentities"][0]["attributesMask"] = "0000000000000000";
         r.body[119] = 0x80;
       }},
      {"intel.qe.report_data", "expected ",
       [](IntelRecipe& r) { r.qe_report_data = Bytes(64, 0); }},
      {"intel.qe.signature", "ECDSA signature doesn't verify",
       [](IntelRecipe& r) { r.qe_key = &vendor().stranger(); }},
      {"intel.qe.miscselect", "expected 00000000 under ffffffff, actual 01000000",
       [](IntelRecipe& r) { r.qe_report[16] = 1; }},
      {"intel.qe.attributes", "expected 1100",  // debug
       [](IntelRecipe& r) { r.qe_report[48] |= 2; }},
      {"intel.qe.mrsigner", "expected 5a5a", [](IntelRecipe& r) { r.qe_report[128] = 0; }},
      {"intel.qe.product", "expected 2, actual 1", [](IntelRecipe& r) { r.qe_report[256] = 1; }},
      {"intel.qe.level", "expected a level at or below the QE's version, actual 0",
       [](IntelRecipe& r) { r.qe_report[258] = 0; }},
  };
}

std::vector<Row> list_rows() {
  const auto late = [](issue::CrlRecipe& crl) { crl.next_update = kIntelNow - 1; };
  return {
      {"intel.collateral.complete", "expected tcbInfoIssuerChain, actual none",
       [](IntelRecipe& r) {
         r.spoil_collateral = [](Collateral& c) {
           c.pieces.erase(PieceKind::intel_tcb_info_chain);
         };
       }},
      {"intel.rootcrl.form", "DER: indefinite length", spoil_piece(PieceKind::intel_root_crl)},
      {"intel.rootcrl.issued", "the CRL isn't signed by the key of CN=Intel SGX Root CA",
       [](IntelRecipe& r) { r.root_crl_key = &vendor().stranger(); }},
      {"intel.rootcrl.current", "expected a time from 1750546800 to 1750550399, actual 1750550400",
       [=](IntelRecipe& r) { late(r.root_crl); }},
      {"intel.pckcrl.form", "DER: indefinite length", spoil_piece(PieceKind::intel_pck_crl)},
      {"intel.pckcrl.issued", "the CRL isn't signed by the key of CN=Intel SGX PCK Platform CA",
       [](IntelRecipe& r) { r.pck_crl_key = &vendor().stranger(); }},
      {"intel.pckcrl.current", "expected a time from 1750546800 to 1750550399, actual 1750550400",
       [=](IntelRecipe& r) { late(r.pck_crl); }},
      {"intel.pckcrl.issuer",
       "expected CN=Intel SGX PCK Platform CA, actual CN=Intel SGX PCK Processor CA",
       [](IntelRecipe& r) {
         const Bytes name = issue::common_name("Intel SGX PCK Processor CA");
         r.pckcrl_chain[0].recipe.subject = r.pck_crl.issuer = name;
       }},
      {"intel.pck.revoked", "expected a PCK certificate that isn't revoked, actual serial 03",
       [](IntelRecipe& r) {
         r.pck_crl.revoked.push_back({{3}, kIntelNow, {}});
       }},
      {"intel.pck.extension", "SGX extension: a field is missing",
       [](IntelRecipe& r) { r.sgx_extension = issue::der(crypto::DerTag::sequence, {}); }},
  };
}

std::vector<Row> tcb_rows() {
  return {
      {"intel.tcbinfo.signature", "ECDSA signature doesn't verify",
       [](IntelRecipe& r) { r.tcbinfo_key = &vendor().stranger(); }},
      {"intel.tcbinfo.form", "fmspc is missing", [](IntelRecipe& r) { r.tcb_info.erase("fmspc"); }},
      {"intel.tcbinfo.version", "expected 2 or 3, actual 4",
       [](IntelRecipe& r) { r.tcb_info["version"] = 4; }},
      {"intel.tcbinfo.type", "expected 0, actual 1",
       [](IntelRecipe& r) { r.tcb_info["tcbType"] = 1; }},
      {"intel.tcbinfo.current", "expected a time from 1750546800 to 1750550399, actual 1750550400",
       [](IntelRecipe& r) { r.tcb_info["nextUpdate"] = testing::iso_date(kIntelNow - 1); }},
      {"intel.tcbinfo.kind", "expected tdx, actual sgx",
       [](IntelRecipe& r) { r.tcb_info["id"] = "SGX"; }},
      {"intel.tcbinfo.fmspc", "expected 01906ed50000, actual 00906ed50000",
       [](IntelRecipe& r) { r.pck.fmspc.data[0] = 1; }},
      {"intel.tcbinfo.pceid", "expected 0100, actual 0000",
       [](IntelRecipe& r) { r.pck.pceid.data[0] = 1; }},
      {"intel.tcbinfo.level", "expected a level that the platform reaches, actual components 0505",
       [](IntelRecipe& r) { r.pck.pcesvn = 4; }},
      {"intel.tcbinfo.tdx_level", "expected a level that the TDX module reaches, actual 04010000",
       [](IntelRecipe& r) {
         r.body[2] = 0;
         r.tcb_info["tcbLevels"][1]["tcb"]["tdxtcbcomponents"][2]["svn"] = 1;
       }},
      {"intel.tcbinfo.module", "expected an identity of TDX_09, actual none",
       [](IntelRecipe& r) { r.body[1] = 9; }},
      {"intel.tcbinfo.module_level", "expected a level at or below the module's version, actual 0",
       [](IntelRecipe& r) { r.body[0] = 0; }},
      {"intel.qeidentity.signature", "ECDSA signature doesn't verify",
       [](IntelRecipe& r) { r.qeidentity_key = &vendor().stranger(); }},
      {"intel.qeidentity.form", "mrsigner is missing",
       [](IntelRecipe& r) { r.qe_identity.erase("mrsigner"); }},
      {"intel.qeidentity.version", "expected 2, actual 1",
       [](IntelRecipe& r) { r.qe_identity["version"] = 1; }},
      {"intel.qeidentity.current",
       "expected a time from 1750550401 to 1750554000, actual 1750550400",
       [](IntelRecipe& r) { r.qe_identity["issueDate"] = testing::iso_date(kIntelNow + 1); }},
      {"intel.qeidentity.kind", "expected tdx, actual sgx",
       [](IntelRecipe& r) { r.qe_identity["id"] = "QE"; }},
  };
}

struct ChainCase {
  std::string id;
  IntelChain IntelRecipe::*chain;
  std::size_t of_root;  ///< place of the certificate that the root issued
};
const ChainCase kChains[] = {{"intel.pck.chain", &IntelRecipe::pck_chain, 1},
                             {"intel.pckcrl.chain", &IntelRecipe::pckcrl_chain, 0},
                             {"intel.tcbinfo.chain", &IntelRecipe::tcbinfo_chain, 0},
                             {"intel.qeidentity.chain", &IntelRecipe::qeidentity_chain, 0}};

std::vector<Row> chain_rows(const ChainCase& of) {
  const auto chain = of.chain;
  const std::size_t of_root = of.of_root;
  return {
      {of.id + ".form", "expected ",
       [=](IntelRecipe& r) { (r.*chain).push_back((r.*chain).back()); }},
      {of.id + ".anchor", "expected ",
       [=](IntelRecipe& r) {
         auto& certificates = r.*chain;
         certificates.back().key = certificates.back().issuer_key = &vendor().stranger();
         certificates[of_root].issuer_key = &vendor().stranger();
       }},
      {of.id + ".issued", "the certificate of CN=Intel SGX ",
       [=](IntelRecipe& r) { (r.*chain)[0].issuer_key = &vendor().stranger(); }},
      {of.id + ".critical", "certificate of CN=Intel SGX ",
       [=](IntelRecipe& r) {
         (r.*chain)[0].recipe.extensions.push_back({"1.2.3", true, {0x05, 0x00}});
       }},
      {of.id + ".subject", "expected CN=Intel SGX ",
       [=](IntelRecipe& r) {
         (r.*chain)[0].recipe.subject = issue::common_name("Intel SGX PCK Something");
       }},
      {of.id + ".current", "expected CN=Intel SGX ",
       [=](IntelRecipe& r) { (r.*chain)[0].recipe.to = kIntelNow - 1; }},
      {of.id + ".revoked", "expected a certificate that isn't revoked, actual CN=Intel SGX ",
       [=](IntelRecipe& r) {
         (r.*chain)[of_root].recipe.serial = {0x22};
         r.root_crl.revoked.push_back({{0x22}, kIntelNow, {}});
       }},
  };
}

std::vector<Row> all_rows() {
  std::vector<Row> all = {{"intel.pck.chain.path",
                           "expected at most 0 CAs below CN=Intel SGX Root CA, actual 1",
                           [](IntelRecipe& r) { r.pck_chain[2].recipe.path_length = 0; }}};
  for (const auto& rows : {layout_rows(), quote_rows(), list_rows(), tcb_rows()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  for (const ChainCase& chain : kChains) {
    for (const Row& row : chain_rows(chain)) all.push_back(row);
  }
  return all;
}

TEST(IntelChecks, EachRefusesWhatItIsFor) {
  EXPECT_EQ(outcome(tdx(), EvidenceKind::tdx), "accepted");
  EXPECT_EQ(outcome(tdx15(), EvidenceKind::tdx), "accepted");
  EXPECT_EQ(outcome(sgx(), EvidenceKind::sgx), "accepted");
  run(all_rows());
}

TEST(IntelChecks, CollateralCountsInItsTimeOnly) {
  const IntelRecipe recipe = tdx();
  const Bytes quote = vendor().quote(recipe);
  const auto collateral =
      IntelCollateral::verify(IntelVendor::collateral(recipe), vendor().anchors(), kIntelNow);
  ASSERT_TRUE(collateral.ok());
  const auto at = [&](std::int64_t now) {
    const auto claims = verify_intel(EvidenceKind::tdx, quote, *collateral, now);
    return claims ? "accepted" : claims.error().message;
  };
  EXPECT_EQ(at(kIntelNow + kIntelSpan), "accepted");
  EXPECT_EQ(at(kIntelNow - kIntelSpan), "accepted");
  EXPECT_EQ(at(kIntelNow + kIntelSpan + 1),
            "intel.collateral.current: expected PCK CRL issuer certificate from 1750546800 to "
            "1750554000, actual 1750554001");
}

TEST(IntelChecks, EveryCheckHasARow) {
  std::set<std::string> tested{"intel.collateral.current"};
  for (const Row& row : all_rows()) tested.insert(row.id);
  testing::expect_all_tested("intel.", tested);
}

TEST(IntelChecks, EveryPieceIsRequired) {
  const IntelRecipe recipe = tdx();
  for (const auto& [kind, bytes] : IntelVendor::collateral(recipe).pieces) {
    IntelRecipe spoilt = recipe;
    const PieceKind missing = kind;
    spoilt.spoil_collateral = [=](Collateral& collateral) { collateral.pieces.erase(missing); };
    EXPECT_EQ(
        outcome(spoilt, EvidenceKind::tdx),
        "intel.collateral.complete: expected " + std::string(piece_name(kind)) + ", actual none");
  }
}

}  // namespace
}  // namespace sp::attest
