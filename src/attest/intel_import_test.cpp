// Collateral from JSON, quotes' kinds, and verified collateral that many threads share.
#include <gtest/gtest.h>

#include <thread>

#include "attest/intel.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::IntelVendor;
using testing::kIntelNow;

const IntelVendor& vendor() {
  static crypto::SystemRandom random;
  static const IntelVendor made(random);
  return made;
}

Json json_of(const Collateral& collateral) {
  const auto text = [&](PieceKind kind) { return std::string(as_text(collateral.get(kind))); };
  const auto hex = [&](PieceKind kind) { return to_hex(collateral.get(kind)); };
  return {{"pck_crl_issuer_chain", text(PieceKind::intel_pck_crl_chain)},
          {"root_ca_crl", hex(PieceKind::intel_root_crl)},
          {"pck_crl", hex(PieceKind::intel_pck_crl)},
          {"tcb_info_issuer_chain", text(PieceKind::intel_tcb_info_chain)},
          {"tcb_info", text(PieceKind::intel_tcb_info)},
          {"tcb_info_signature", hex(PieceKind::intel_tcb_info_signature)},
          {"qe_identity_issuer_chain", text(PieceKind::intel_qe_identity_chain)},
          {"qe_identity", text(PieceKind::intel_qe_identity)},
          {"qe_identity_signature", hex(PieceKind::intel_qe_identity_signature)}};
}

std::string refusal(const Json& json) {
  const auto read = intel_collateral_from_json(json.dump());
  return read ? "accepted" : read.error().message;
}

TEST(IntelImport, ReadsEveryPiece) {
  const Collateral collateral = IntelVendor::collateral(vendor().tdx_recipe({}));
  Json json = json_of(collateral);
  EXPECT_EQ(intel_collateral_from_json(json.dump()).value(), collateral);
  json["pck_certificate_chain"] = "chain";
  EXPECT_EQ(as_text(intel_collateral_from_json(json.dump())->get(PieceKind::intel_pck_chain)),
            "chain");
  // A list in PEM differs from a certificate by its label; its body is base64.
  std::string pem = crypto::testing::pem(collateral.get(PieceKind::intel_root_crl));
  json["root_ca_crl"] = pem.substr(28, pem.size() - 28 - 26);
  EXPECT_EQ(to_hex(intel_collateral_from_json(json.dump())->get(PieceKind::intel_root_crl)),
            to_hex(collateral.get(PieceKind::intel_root_crl)));
  for (std::size_t at = 0; (at = pem.find("CERTIFICATE", at)) != std::string::npos;) {
    pem.replace(at, 11, "X509 CRL");
  }
  json["root_ca_crl"] = pem;
  EXPECT_EQ(to_hex(intel_collateral_from_json(json.dump())->get(PieceKind::intel_root_crl)),
            to_hex(collateral.get(PieceKind::intel_root_crl)));
}

TEST(IntelImport, OtherJsonIsRefused) {
  const Json good = json_of(IntelVendor::collateral(vendor().tdx_recipe({})));
  Json json = good;
  json["extra"] = 1;
  EXPECT_EQ(refusal(json), "collateral has the unknown key \"extra\"");
  json = good;
  json.erase("pck_crl");
  EXPECT_EQ(refusal(json), "collateral.pck_crl is missing");
  json = good;
  json["pck_crl"] = "not hex!";
  EXPECT_EQ(refusal(json), "pck_crl isn't hexadecimal, base64 or PEM");
  json["pck_crl"] = "";
  EXPECT_EQ(refusal(json), "pck_crl is empty");
  json["pck_crl"] = 7;
  EXPECT_EQ(refusal(json), "pck_crl is empty");
  json = good;
  json["tcb_info"] = std::string(kPieceSizeMax + 1, ' ');
  EXPECT_EQ(refusal(json), "tcb_info of 262145 bytes, at most 262144");
  EXPECT_EQ(intel_collateral_from_json("[]").error().message, "collateral must be an object");
  EXPECT_EQ(intel_collateral_from_json(std::string(2 * kCollateralMax + 1, ' ')).error().code,
            Errc::too_large);
}

TEST(IntelImport, KindsAreThoseOfTheHeader) {
  EXPECT_EQ(intel_quote_kind(vendor().tdx({}).body).value(), EvidenceKind::tdx);
  EXPECT_EQ(intel_quote_kind(vendor().sgx({}).body).value(), EvidenceKind::sgx);
  EXPECT_EQ(intel_quote_kind({}).error().code, Errc::malformed);
  Bytes quote = vendor().tdx({}).body;
  quote[0] = 9;
  EXPECT_EQ(intel_quote_kind(quote).error().message,
            "intel.quote.version: expected 3, 4 or 5, actual 9");
}

TEST(IntelImport, EveryVersionOfAQuoteIsRead) {
  const auto accepted = [](const testing::IntelRecipe& recipe, EvidenceKind kind) {
    const auto claims = verify_intel(kind, vendor().quote(recipe), IntelVendor::collateral(recipe),
                                     vendor().anchors(), kIntelNow);
    return claims ? claims->details["quoteVersion"].dump() : claims.error().message;
  };
  for (const std::uint8_t version : {std::uint8_t{3}, std::uint8_t{4}, std::uint8_t{5}}) {
    testing::IntelRecipe recipe = vendor().sgx_recipe({});
    recipe.version = version;
    EXPECT_EQ(accepted(recipe, EvidenceKind::sgx), std::to_string(version));
  }
  for (const std::uint8_t version : {std::uint8_t{4}, std::uint8_t{5}}) {
    testing::IntelRecipe recipe = vendor().tdx_recipe({});  // a body of TD 1.0
    recipe.version = version;
    EXPECT_EQ(accepted(recipe, EvidenceKind::tdx), std::to_string(version));
  }
}

TEST(IntelImport, TheCollateralsPckChainComesFirst) {
  testing::IntelRecipe recipe = vendor().tdx_recipe({});
  recipe.spoil_collateral = [](Collateral& collateral) {
    collateral.pieces[PieceKind::intel_pck_chain] = Bytes(1, 'x');
  };
  const auto claims = verify_intel(EvidenceKind::tdx, vendor().quote(recipe),
                                   IntelVendor::collateral(recipe), vendor().anchors(), kIntelNow);
  EXPECT_EQ(claims.error().message, "intel.pck.chain.form: PEM: no block of the kind CERTIFICATE");
}

TEST(IntelImport, AnotherVendorsRootIsRefused) {
  const Evidence evidence = vendor().tdx({});
  const auto claims =
      verify_intel(EvidenceKind::tdx, evidence.body,
                   Collateral::decode(evidence.collateral).value(), Anchors::vendors(), kIntelNow);
  EXPECT_TRUE(claims.error().message.starts_with("intel.pckcrl.chain.anchor: expected 3cdf1feb"));
}

TEST(IntelImport, ThreadsShareVerifiedCollateral) {
  const testing::IntelRecipe recipe = vendor().tdx_recipe({});
  const auto collateral =
      IntelCollateral::verify(IntelVendor::collateral(recipe), vendor().anchors(), kIntelNow);
  ASSERT_TRUE(collateral.ok());
  const Bytes quote = vendor().quote(recipe);
  testing::IntelRecipe bad = recipe;
  bad.pck_chain[0].issuer_key = &vendor().stranger();
  const Bytes bad_quote = vendor().quote(bad);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const IntelCollateral mine = *collateral;
      for (int n = 0; n < 20; ++n) {
        EXPECT_TRUE(verify_intel(EvidenceKind::tdx, quote, mine, kIntelNow).ok());
        EXPECT_EQ(verify_intel(EvidenceKind::tdx, bad_quote, mine, kIntelNow).error().code,
                  Errc::bad_signature);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A chain that was seen before is still asked for its time.
TEST(IntelImport, ARememberedPckChainEndsInTime) {
  testing::IntelRecipe recipe = vendor().tdx_recipe({});
  recipe.pck_chain[0].recipe.to = kIntelNow + 10;
  const auto collateral =
      IntelCollateral::verify(IntelVendor::collateral(recipe), vendor().anchors(), kIntelNow);
  const Bytes quote = vendor().quote(recipe);
  EXPECT_TRUE(verify_intel(EvidenceKind::tdx, quote, *collateral, kIntelNow + 10).ok());
  EXPECT_EQ(verify_intel(EvidenceKind::tdx, quote, *collateral, kIntelNow + 11).error().message,
            "intel.pck.chain.current: expected CN=Intel SGX PCK Certificate from 1750546800 to "
            "1750550410, actual 1750550411");
}

}  // namespace
}  // namespace sp::attest
