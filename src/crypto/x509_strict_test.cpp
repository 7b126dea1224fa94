// Certificates that are almost right, each wrong in one thing, made by the tests' own issuer.
#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/test_support.hpp"
#include "crypto/testing/issuer.hpp"
#include "crypto/x509.hpp"

namespace sp::crypto {
namespace {

using testing::CertificateRecipe;
using testing::common_name;
using testing::der;
using testing::SigningKey;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'700'000'000;
constexpr auto kUtcTime = static_cast<DerTag>(0x17);
constexpr auto kGeneralizedTime = static_cast<DerTag>(0x18);

class Strict : public ::testing::Test {
 protected:
  static CertificateRecipe good() {
    CertificateRecipe recipe;
    recipe.subject = common_name("leaf");
    recipe.issuer = common_name("root");
    recipe.from = kNow - kDay;
    recipe.to = kNow + kDay;
    recipe.key_usage = testing::kDigitalSignature;
    return recipe;
  }
  static CertificateRecipe ca(const std::string& name) {
    CertificateRecipe recipe = good();
    recipe.subject = recipe.issuer = common_name(name);
    recipe.ca = true;
    recipe.key_usage = testing::kKeyCertSign | testing::kCrlSign;
    return recipe;
  }
  Result<Certificate> made(const CertificateRecipe& recipe) const {
    return Certificate::from_der(testing::issue(recipe, key_.public_key_info(), root_key_));
  }
  std::string refusal(const CertificateRecipe& recipe) const {
    const auto certificate = made(recipe);
    return certificate ? "accepted" : certificate.error().message;
  }
  // A certificate whose key is `info`.
  std::string key_refusal(ByteView info) const {
    const auto certificate = Certificate::from_der(testing::issue(good(), info, root_key_));
    return certificate ? "accepted" : certificate.error().message;
  }
  Certificate root() const {
    return Certificate::from_der(testing::issue(ca("root"), root_key_.public_key_info(), root_key_))
        .value();
  }

  SystemRandom random_;
  SigningKey root_key_ = SigningKey::ec(Curve::p384, random_);
  SigningKey key_ = SigningKey::ec(Curve::p256, random_);
};

TEST_F(Strict, GoodOnesAreReadAndVerified) {
  CertificateRecipe recipe = good();
  recipe.serial = hex("f1000000000000000000000000000000000000ff");
  const Certificate leaf = made(recipe).value();
  EXPECT_EQ(to_hex(leaf.serial()), "f1000000000000000000000000000000000000ff");
  EXPECT_EQ(to_bytes(leaf.issuer_der()), common_name("root"));
  EXPECT_EQ(to_bytes(leaf.subject_der()), common_name("leaf"));
  ASSERT_NE(leaf.ec_key(), nullptr);
  EXPECT_EQ(leaf.ec_key()->curve(), Curve::p256);
  EXPECT_EQ(leaf.ec_key()->point(), key_.ec_key().public_key().point());
  EXPECT_EQ(leaf.allows(KeyUse::digital_signature), true);
  EXPECT_EQ(leaf.allows(KeyUse::crl_sign), false);
  EXPECT_FALSE(leaf.may_sign_crls());
  EXPECT_TRUE(root().may_sign_crls());
  EXPECT_TRUE(leaf.verify_issued_by(root()).ok());
  EXPECT_TRUE(verify_chain({leaf, root()}, sha384(root().public_key_info()), kNow).ok());
  recipe.key_usage.reset();
  EXPECT_EQ(made(recipe)->allows(KeyUse::digital_signature), std::nullopt);
}

TEST_F(Strict, RsaPssVerifies) {
  const SigningKey rsa = SigningKey::rsa();
  const Certificate issuer =
      Certificate::from_der(testing::issue(ca("root"), rsa.public_key_info(), rsa)).value();
  EXPECT_TRUE(issuer.verify_issued_by(issuer).ok());
  const Certificate leaf =
      Certificate::from_der(testing::issue(good(), key_.public_key_info(), rsa)).value();
  EXPECT_TRUE(leaf.verify_issued_by(issuer).ok());
  EXPECT_EQ(leaf.verify_issued_by(root()).error().code, Errc::bad_signature);
  EXPECT_EQ(issuer.ec_key(), nullptr);
  EXPECT_EQ(made(good())->verify_issued_by(issuer).error().code, Errc::bad_signature);
}

TEST_F(Strict, VersionAndSerialHaveOneForm) {
  CertificateRecipe recipe = good();
  recipe.version = Bytes{1};
  EXPECT_EQ(refusal(recipe), "certificate: its version isn't 3");
  recipe.version.reset();
  EXPECT_EQ(refusal(recipe), "DER: expected tag a0, got 02");
  recipe = good();
  recipe.serial_content = Bytes{0x81};
  EXPECT_EQ(refusal(recipe), "DER: a negative integer");
  recipe.serial_content = Bytes{0x00, 0x01};
  EXPECT_EQ(refusal(recipe), "DER: an integer with a needless leading zero");
  recipe.serial_content = Bytes{};
  EXPECT_EQ(refusal(recipe), "DER: an empty integer");
  recipe.serial_content = Bytes(21, 1);
  EXPECT_EQ(refusal(recipe), "DER: an integer of 21 bytes, at most 20");
  recipe.serial_content = Bytes{0x00};  // AMD's chip certificates have it
  EXPECT_EQ(refusal(recipe), "accepted");
}

TEST_F(Strict, BothAlgorithmsAreTheSame) {
  CertificateRecipe recipe = good();
  recipe.inner_algorithm = key_.algorithm();
  EXPECT_EQ(refusal(recipe), "certificate: two different signature algorithms");
  recipe = good();
  recipe.outer_algorithm = key_.algorithm();
  EXPECT_EQ(refusal(recipe), "certificate: two different signature algorithms");
  // The same in both, but not how the key signed.
  recipe.inner_algorithm = key_.algorithm();
  EXPECT_EQ(made(recipe)->verify_issued_by(root()).error().code, Errc::bad_signature);
  // ecdsa-with-SHA1.
  recipe.inner_algorithm = recipe.outer_algorithm = hex("300906072a8648ce3d0401");
  EXPECT_TRUE(made(recipe)->verify_issued_by(root()).error().message.ends_with(
      "a signature of a weak or unknown kind, or not of the key's kind"));
}

TEST_F(Strict, TimesHaveOneForm) {
  const auto with = [&](DerTag tag, std::string_view text) {
    CertificateRecipe recipe = good();
    recipe.validity = der(DerTag::sequence, {testing::der_time(0), der(tag, {as_bytes(text)})});
    return refusal(recipe);
  };
  EXPECT_EQ(with(kUtcTime, "491231235959Z"), "accepted");
  EXPECT_EQ(with(kGeneralizedTime, "20500101000000Z"), "accepted");
  EXPECT_EQ(with(kGeneralizedTime, "20491231235959Z"), "a time before 2050 isn't a UTCTime");
  EXPECT_EQ(with(kUtcTime, "4912312359Z"), "not a time");
  EXPECT_EQ(with(kUtcTime, "491231235959+0100"), "not a time");
  EXPECT_EQ(with(kUtcTime, "4912312359590"), "a time that doesn't exist, or isn't in Z");
  EXPECT_EQ(with(kUtcTime, "490231000000Z"), "a time that doesn't exist, or isn't in Z");
  EXPECT_EQ(with(kUtcTime, "491231240000Z"), "a time that doesn't exist, or isn't in Z");
  EXPECT_EQ(with(kUtcTime, "49123123595aZ"), "a time isn't of digits");
  EXPECT_EQ(with(kUtcTime, "691231235959Z"), "certificate: its validity ends before it begins");
  EXPECT_EQ(with(DerTag::utf8_string, "491231235959Z"), "not a time");
}

TEST_F(Strict, ExtensionsHaveOneForm) {
  const auto with = [&](std::vector<testing::Extension> extensions) {
    CertificateRecipe recipe = good();
    recipe.key_usage.reset();
    recipe.extensions = std::move(extensions);
    return refusal(recipe);
  };
  const std::string constraints = "2.5.29.19";
  const std::string usage = "2.5.29.15";
  EXPECT_EQ(with({{"1.2.3", false, {}}, {"1.2.3", false, {}}}), "an extension stands twice");
  EXPECT_EQ(with({{constraints, true, hex("30030101ff")}}), "accepted");
  EXPECT_EQ(with({{constraints, true, hex("3003010100")}}),
            "certificate: basicConstraints writes a default value");
  EXPECT_EQ(with({{constraints, true, hex("3003020100")}}),
            "certificate: a path length without a CA");
  EXPECT_EQ(with({{constraints, true, hex("30060101ff0201ff")}}), "DER: a negative integer");
  EXPECT_EQ(with({{constraints, true, hex("30030101ff00")}}), "DER: 1 bytes after the end");
  EXPECT_EQ(with({{usage, true, hex("03020106")}}), "accepted");
  EXPECT_EQ(with({{usage, true, hex("0303078000")}}), "accepted");  // decipherOnly's place
  for (const char* bad : {"030100", "03020107", "03020806", "0304000000ff"}) {
    EXPECT_EQ(with({{usage, true, hex(bad)}}), "certificate: keyUsage isn't of its form") << bad;
  }
  std::vector<testing::Extension> many;
  for (int i = 0; i < 33; ++i) many.push_back({"1.2.3." + std::to_string(i), false, {}});
  EXPECT_EQ(with(many), "more than 32 extensions");
}

TEST_F(Strict, KeysHaveOneForm) {
  Bytes info = key_.public_key_info();
  EXPECT_EQ(key_refusal(info), "accepted");
  info.back() ^= 1;
  EXPECT_EQ(key_refusal(info), "the point isn't on P-256");
  info = key_.public_key_info();
  info[26] = 0x03;  // says that the point is compressed
  EXPECT_EQ(key_refusal(info), "certificate: a point that is compressed");
  const Bytes ec = testing::der_oid("1.2.840.10045.2.1");
  const Bytes no_curve = der(DerTag::sequence, {ec, Bytes{0x30, 0x00}});
  const Bytes bits = der(DerTag::bit_string, {Bytes{0x00, 0x04}});
  EXPECT_EQ(key_refusal(der(DerTag::sequence, {no_curve, bits})),
            "certificate: an EC key without a named curve");
}

TEST_F(Strict, WeakRsaKeysVerifyNothing) {
  const SigningKey weak = SigningKey::rsa(1024);
  const Certificate issuer =
      Certificate::from_der(testing::issue(ca("root"), weak.public_key_info(), weak)).value();
  EXPECT_EQ(issuer.verify_issued_by(issuer).error().code, Errc::bad_signature);
}

TEST_F(Strict, NamesAreComparedByTheirBytes) {
  CertificateRecipe recipe = good();
  recipe.issuer = common_name("ROOT");
  EXPECT_EQ(made(recipe)->verify_issued_by(root()).error().message,
            "certificate of CN=leaf names the issuer CN=ROOT, not CN=root");
  recipe.subject = testing::der_name({{"2.5.4.6", "X"}, {"2.5.4.10", "a,b"}, {"1.2.3", "y"}});
  EXPECT_EQ(made(recipe)->subject(), "1.2.3=y,O=a\\,b,C=X");
}

TEST_F(Strict, EveryTruncationIsRefused) {
  const Bytes der = made(good())->der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(Certificate::from_der(ByteView(der).first(size)).error().code, Errc::malformed);
  }
}

}  // namespace
}  // namespace sp::crypto
