#include "crypto/crl.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "crypto/test_support.hpp"
#include "crypto/testing/issuer.hpp"

namespace sp::crypto {
namespace {

using testing::CertificateRecipe;
using testing::CrlRecipe;
using testing::RevokedEntry;
using testing::SigningKey;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'700'000'000;
const Bytes kReasonKeyCompromise{0x0a, 0x01, 0x01};

Certificate ca_with(const SigningKey& key, std::optional<std::uint16_t> usage,
                    std::optional<bool> ca = true, const std::string& name = "root") {
  CertificateRecipe recipe;
  recipe.subject = recipe.issuer = testing::common_name(name);
  recipe.from = kNow - kDay;
  recipe.to = kNow + kDay;
  recipe.ca = ca;
  recipe.key_usage = usage;
  return Certificate::from_der(testing::issue(recipe, key.public_key_info(), key)).value();
}

CrlRecipe good() {
  CrlRecipe recipe;
  recipe.issuer = testing::common_name("root");
  recipe.this_update = kNow;
  recipe.next_update = kNow + kDay;
  recipe.revoked = {{{1, 2}, kNow, {{"2.5.29.21", false, kReasonKeyCompromise}}},
                    {{0xff, 0xfe}, kNow, {}}};
  recipe.extensions = {{"2.5.29.20", false, testing::der_integer(std::uint64_t{1})}};
  return recipe;
}

class CrlTest : public ::testing::Test {
 protected:
  Result<Crl> made(const CrlRecipe& recipe) {
    return Crl::from_der(testing::issue_crl(recipe, key_));
  }
  std::string refusal(const CrlRecipe& recipe) {
    const auto crl = made(recipe);
    return crl ? "accepted" : crl.error().message;
  }

  SystemRandom random_;
  SigningKey key_ = SigningKey::ec(Curve::p256, random_);
};

TEST_F(CrlTest, ReadsAndVerifies) {
  const Crl crl = made(good()).value();
  EXPECT_EQ(crl.issuer(), "CN=root");
  EXPECT_EQ(crl.this_update(), kNow);
  EXPECT_EQ(crl.next_update(), kNow + kDay);
  EXPECT_EQ(crl.size(), 2U);
  EXPECT_TRUE(crl.contains(hex("0102")));
  EXPECT_TRUE(crl.contains(hex("fffe")));
  EXPECT_FALSE(crl.contains(hex("01")));
  EXPECT_FALSE(crl.contains(hex("010203")));
  EXPECT_FALSE(crl.contains({}));
  EXPECT_TRUE(crl.verify_issued_by(ca_with(key_, testing::kKeyCertSign | testing::kCrlSign)).ok());
  EXPECT_TRUE(crl.verify_issued_by(ca_with(key_, std::nullopt)).ok());
}

TEST_F(CrlTest, AListWithoutEntriesIsGood) {
  CrlRecipe recipe = good();
  recipe.revoked.clear();
  recipe.extensions.clear();
  EXPECT_EQ(made(recipe)->size(), 0U);
}

TEST_F(CrlTest, OnlyItsIssuerSigns) {
  const Crl crl = made(good()).value();
  const auto code = [&](const Certificate& issuer) {
    return crl.verify_issued_by(issuer).error().code;
  };
  const SigningKey other = SigningKey::ec(Curve::p256, random_);
  EXPECT_EQ(code(ca_with(other, testing::kCrlSign)), Errc::bad_signature);
  EXPECT_EQ(code(ca_with(key_, testing::kCrlSign, true, "other")), Errc::mismatch);
  EXPECT_EQ(code(ca_with(key_, testing::kKeyCertSign)), Errc::mismatch);
  EXPECT_EQ(code(ca_with(key_, testing::kCrlSign, false)), Errc::mismatch);
  EXPECT_EQ(code(ca_with(key_, testing::kCrlSign, std::nullopt)), Errc::mismatch);
}

TEST_F(CrlTest, RsaPssListsVerify) {
  const SigningKey rsa = SigningKey::rsa();
  const Crl crl = Crl::from_der(testing::issue_crl(good(), rsa)).value();
  EXPECT_TRUE(crl.verify_issued_by(ca_with(rsa, testing::kCrlSign)).ok());
  EXPECT_EQ(crl.verify_issued_by(ca_with(key_, testing::kCrlSign)).error().code,
            Errc::bad_signature);
  Bytes changed = crl.der();
  changed.back() ^= 1;
  EXPECT_EQ(Crl::from_der(changed)->verify_issued_by(ca_with(rsa, testing::kCrlSign)).error().code,
            Errc::bad_signature);
}

TEST_F(CrlTest, ListsOfOtherFormsAreRefused) {
  CrlRecipe recipe = good();
  recipe.version = Bytes{0};
  EXPECT_EQ(refusal(recipe), "CRL: its version isn't 2");
  recipe = good();
  recipe.version.reset();
  EXPECT_NE(refusal(recipe), "accepted");
  recipe = good();
  recipe.next_update.reset();
  EXPECT_EQ(refusal(recipe), "CRL: it doesn't say when the next one comes");
  recipe = good();
  recipe.next_update = kNow - 1;
  EXPECT_EQ(refusal(recipe), "CRL: its time ends before it begins");
  recipe = good();
  recipe.inner_algorithm = SigningKey::ec(Curve::p384, random_).algorithm();
  EXPECT_EQ(refusal(recipe), "CRL: two different signature algorithms");
  recipe = good();
  recipe.revoked[0].serial = Bytes(21, 1);
  EXPECT_EQ(refusal(recipe), "DER: an integer of 21 bytes, at most 20");
}

TEST_F(CrlTest, ExtensionsThatArentUnderstoodAreRefused) {
  CrlRecipe recipe = good();
  recipe.extensions = {{"2.5.29.27", false, testing::der_integer(std::uint64_t{1})}};
  EXPECT_EQ(refusal(recipe), "CRL: a delta list");
  recipe.extensions = {{"2.5.29.28", false, hex("3000")}};
  EXPECT_EQ(refusal(recipe), "CRL: a list of a part of the certificates");
  recipe.extensions = {{"1.2.3", true, hex("0500")}};
  EXPECT_EQ(refusal(recipe), "CRL: a critical extension that isn't known");
  recipe.extensions = {{"1.2.3", false, hex("0500")}};
  EXPECT_EQ(refusal(recipe), "accepted");
  recipe.extensions = {{"1.2.3", false, hex("0500")}, {"1.2.3", false, hex("0500")}};
  EXPECT_EQ(refusal(recipe), "an extension stands twice");

  recipe = good();
  recipe.revoked[0].extensions = {{"2.5.29.29", true, hex("3000")}};
  EXPECT_EQ(refusal(recipe), "CRL: an entry of another issuer");
  recipe.revoked[0].extensions = {{"1.2.3", true, hex("0500")}};
  EXPECT_EQ(refusal(recipe), "CRL: an entry has a critical extension that isn't known");
  recipe.revoked[0].extensions = {{"2.5.29.21", false, hex("0a0108")}};
  EXPECT_EQ(refusal(recipe), "CRL: an entry that takes a revocation back");
  recipe.revoked[0].extensions = {{"2.5.29.21", false, hex("0a0107")}};
  EXPECT_EQ(refusal(recipe), "CRL: a reason that isn't one");
}

TEST_F(CrlTest, BytesThatArentOneListAreRefused) {
  const auto code = [](ByteView der) { return Crl::from_der(der).error().code; };
  Bytes der = made(good())->der();
  EXPECT_EQ(code({}), Errc::malformed);
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(code(ByteView(der).first(size)), Errc::malformed) << size;
  }
  der.push_back(0);
  EXPECT_EQ(code(der), Errc::malformed);
  EXPECT_EQ(code(Bytes(kCrlSizeMax + 1)), Errc::too_large);
}

TEST(IntelCrl, OfTheRootAndOfThePlatformsRead) {
  const auto root = evidence("tdx/v4-b/root.crl");
  const auto pck = evidence("tdx/v4-b/pck.crl");
  if (!root || !pck) GTEST_SKIP() << "evidence/tdx is absent";
  const Crl root_list = Crl::from_der(as_bytes(*root)).value();
  EXPECT_EQ(root_list.issuer(),
            "C=US,ST=CA,L=Santa Clara,O=Intel Corporation,CN=Intel SGX Root CA");
  EXPECT_EQ(root_list.size(), 0U);
  const Crl list = Crl::from_der(as_bytes(*pck)).value();
  EXPECT_EQ(list.issuer(),
            "C=US,ST=CA,L=Santa Clara,O=Intel Corporation,CN=Intel SGX PCK Platform CA");
  EXPECT_GT(list.size(), 10U);
  EXPECT_TRUE(list.contains(hex("6FC34E5023E728923435D61AA4B83C618166AD35")));
}

}  // namespace
}  // namespace sp::crypto
