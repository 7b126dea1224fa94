// The forms in which people have evidence and collateral are told apart, and nothing else is taken.
#include "attest/inputs.hpp"

#include <gtest/gtest.h>

#include "attest/intel_signed.hpp"
#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

class InputsTest : public ::testing::Test {
 protected:
  crypto::SystemRandom random_;
  testing::AmdVendor amd_{random_};
  testing::IntelVendor intel_{random_};
};

TEST_F(InputsTest, EvidenceIsToldByItsForm) {
  const Bytes report = amd_.report({});
  const Bytes quote = intel_.quote(intel_.tdx_recipe({}));
  const Bytes sgx = intel_.quote(intel_.sgx_recipe({}));
  EXPECT_EQ(read_evidence(report, {})->kind, EvidenceKind::sev_snp);
  EXPECT_EQ(read_evidence(quote, {})->kind, EvidenceKind::tdx);
  EXPECT_EQ(read_evidence(sgx, {})->kind, EvidenceKind::sgx);
  const std::string hex = to_hex(quote) + "\n";
  EXPECT_EQ(read_evidence(as_bytes(hex), {})->body, quote);
  const Evidence whole = amd_.snp({});
  EXPECT_EQ(*read_evidence(whole.encode(), {}), whole);
  const std::string whole_hex = to_hex0x(whole.encode());
  EXPECT_EQ(*read_evidence(as_bytes(whole_hex), {}), whole);
}

TEST_F(InputsTest, AnotherKindThanAskedForIsRefused) {
  EXPECT_EQ(read_evidence(amd_.snp({}).encode(), EvidenceKind::tdx).error().code, Errc::mismatch);
  EXPECT_EQ(read_evidence(as_bytes("no evidence"), {}).error().code, Errc::malformed);
  EXPECT_EQ(read_evidence({}, {}).error().code, Errc::malformed);
  EXPECT_EQ(read_evidence(Bytes(kEvidenceBodyMax + 1, 0xee), {}).error().code, Errc::too_large);
  EXPECT_EQ(read_evidence(Bytes(kInputSizeMax + 1), {}).error().code, Errc::too_large);
  EXPECT_FALSE(read_evidence(as_bytes("{}"), {}).ok());
}

TEST_F(InputsTest, CollateralIsToldByItsForm) {
  const Collateral amd = amd_.collateral();
  EXPECT_EQ(*read_collateral(amd.encode()), amd);
  const auto chip = read_collateral(amd.get(PieceKind::amd_chip_certificate));
  ASSERT_TRUE(chip.ok()) << chip.error().message;
  EXPECT_TRUE(chip->pieces.contains(PieceKind::amd_chip_certificate));
  const auto crl = read_collateral(amd.get(PieceKind::amd_crl));
  ASSERT_TRUE(crl.ok()) << crl.error().message;
  EXPECT_TRUE(crl->pieces.contains(PieceKind::amd_crl));

  const Collateral intel = intel_.collateral(intel_.tdx_recipe({}));
  EXPECT_TRUE(read_collateral(intel.get(PieceKind::intel_root_crl))
                  ->pieces.contains(PieceKind::intel_root_crl));
  EXPECT_TRUE(read_collateral(intel.get(PieceKind::intel_pck_crl))
                  ->pieces.contains(PieceKind::intel_pck_crl));
  const std::string answer =
      "{ \"tcbInfo\" : " + std::string(as_text(intel.get(PieceKind::intel_tcb_info))) +
      ", \"signature\": \"" + std::string(128, 'a') + "\"}";
  const auto tcb = read_collateral(as_bytes(answer));
  ASSERT_TRUE(tcb.ok()) << tcb.error().message;
  EXPECT_EQ(to_bytes(tcb->get(PieceKind::intel_tcb_info)),
            to_bytes(intel.get(PieceKind::intel_tcb_info)));
  EXPECT_FALSE(read_collateral(as_bytes("what")).ok());
}

TEST_F(InputsTest, PiecesThatDifferAreAConflict) {
  Collateral all;
  const Collateral amd = amd_.collateral();
  EXPECT_TRUE(add_collateral(all, amd));
  EXPECT_TRUE(add_collateral(all, amd)) << "the same again changes nothing";
  Collateral other;
  other.pieces[PieceKind::amd_crl] = {1};
  EXPECT_EQ(add_collateral(all, other).error().code, Errc::conflict);
}

TEST(SignedJson, IsCutOutByteByByte) {
  const std::string signature(128, '5');
  const std::string value = R"({"b" : [1, {"x":"}\"]"}], "a":"é"})";
  for (const std::string& text :
       {R"({"tcbInfo":)" + value + R"(,"signature":")" + signature + "\"}",
        R"({ "signature" : ")" + signature + "\" ,\n \"tcbInfo\" : " + value + " }"}) {
    const auto split = split_signed_json(text, "tcbInfo");
    ASSERT_TRUE(split.ok()) << split.error().message;
    EXPECT_EQ(as_text(split->value), value);
    EXPECT_EQ(split->signature, Bytes(64, 0x55));
  }
}

TEST(SignedJson, OtherShapesAreRefused) {
  const std::string signature(128, '5');
  const std::string tail = R"(,"signature":")" + signature + "\"}";
  for (const std::string& text :
       {std::string("[]"), std::string("{}"), R"({"tcbInfo":1)" + tail,
        R"({"tcbInfo":{},"more":1)" + tail, R"({"tcbInfo":{},"tcbInfo":{})" + tail,
        R"({"tcb\u0049nfo":{})" + tail, R"({"tcb\u0049nfo":{"tcbInfo":1})" + tail,
        std::string(R"({"tcbInfo":{},"signature":"00"})"), R"({"enclaveIdentity":{})" + tail}) {
    EXPECT_EQ(split_signed_json(text, "tcbInfo").error().code, Errc::malformed) << text;
  }
}

TEST(Collateral, HasOneEncoding) {
  Collateral collateral;
  EXPECT_TRUE(collateral.encode().empty());
  EXPECT_EQ(*Collateral::decode({}), collateral);
  collateral.pieces[PieceKind::intel_tcb_info] = {1, 2};
  collateral.pieces[PieceKind::amd_crl] = {3};
  const Bytes encoded = collateral.encode();
  EXPECT_EQ(*Collateral::decode(encoded), collateral);
  for (std::size_t size = 1; size < encoded.size(); ++size) {
    EXPECT_FALSE(Collateral::decode(ByteView(encoded).first(size)).ok()) << size;
  }
  Bytes swapped = encoded;
  swapped[8] = static_cast<std::uint8_t>(PieceKind::intel_qe_identity_chain);
  EXPECT_EQ(Collateral::decode(swapped).error().code, Errc::malformed) << "kinds ascend";
}

}  // namespace
}  // namespace sp::attest
