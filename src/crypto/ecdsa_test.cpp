#include "crypto/ecdsa.hpp"

#include <gtest/gtest.h>

#include <openssl/rsa.h>

#include "crypto/der.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

constexpr std::string_view kOrderP256 =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
constexpr std::string_view kOrderP384 =
    "ffffffffffffffffffffffffffffffffffffffffffffffff"
    "c7634d81f4372ddf581a0db248b0a77aecec196accc52973";

std::size_t size_of(Curve curve) { return curve == Curve::p256 ? 32 : 48; }
std::string_view order_of(Curve curve) { return curve == Curve::p256 ? kOrderP256 : kOrderP384; }

class Ecdsa : public testing::TestWithParam<Curve> {
 protected:
  SystemRandom random_;
  EcKey key_ = EcKey::generate(GetParam(), random_);
};

INSTANTIATE_TEST_SUITE_P(Curves, Ecdsa, testing::Values(Curve::p256, Curve::p384),
                         [](const auto& curve) {
                           return curve.param == Curve::p256 ? std::string("P256")
                                                             : std::string("P384");
                         });

// RFC 6979 appendix A.2.5 and A.2.6: a published key, its point, and a signature of "sample".
TEST(EcdsaKnown, VerifiesPublishedSignatures) {
  const auto p256 = EcKey::from_secret(
      Curve::p256, SecretBytes(ByteView(
                       hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))));
  ASSERT_TRUE(p256.ok());
  EXPECT_EQ(to_hex(p256->public_key().point()),
            "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
  EXPECT_TRUE(
      p256->public_key()
          .verify_raw(as_bytes("sample"),
                      hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                          "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"))
          .ok());
  const auto p384 = EcKey::from_secret(
      Curve::p384,
      SecretBytes(ByteView(hex("6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
                               "96d5724e4c70a825f872c9ea60d2edf5"))));
  ASSERT_TRUE(p384.ok());
  EXPECT_TRUE(p384->public_key()
                  .verify_raw(as_bytes("sample"),
                              hex("94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
                                  "81a648152e44acf96e36dd1e80fabe46"
                                  "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
                                  "a329c145786e679e7b82c71a38628ac8"))
                  .ok());
}

TEST_P(Ecdsa, SignsAndVerifies) {
  const Bytes signature = key_.sign_raw(as_bytes("message"));
  EXPECT_EQ(signature.size(), 2 * size_of(GetParam()));
  EXPECT_TRUE(key_.public_key().verify_raw(as_bytes("message"), signature).ok());
  EXPECT_TRUE(
      key_.public_key().verify_der(as_bytes("message"), ecdsa_der_from_raw(signature)).ok());
  const auto code = [&](std::string_view message, ByteView bytes) {
    return key_.public_key().verify_raw(as_bytes(message), bytes).error().code;
  };
  EXPECT_EQ(code("massage", signature), Errc::bad_signature);
  EXPECT_EQ(code("message", ByteView(signature).first(signature.size() - 1)), Errc::bad_signature);
  EXPECT_EQ(code("message", {}), Errc::bad_signature);
  EXPECT_EQ(code("message", Bytes(signature.size())), Errc::bad_signature);
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    Bytes changed = signature;
    changed[i] ^= 0x10;
    EXPECT_EQ(code("message", changed), Errc::bad_signature);
  }
  const EcKey other = EcKey::generate(GetParam(), random_);
  EXPECT_EQ(other.public_key().verify_raw(as_bytes("message"), signature).error().code,
            Errc::bad_signature);
}

TEST_P(Ecdsa, PublicKeysAreCopiedAndRead) {
  const auto again = EcPublic::from_point(GetParam(), key_.public_key().point());
  ASSERT_TRUE(again.ok());
  const EcPublic copy = *again;
  EXPECT_EQ(copy.curve(), GetParam());
  EXPECT_EQ(copy.point(), key_.public_key().point());
  EXPECT_TRUE(copy.verify_raw(as_bytes("m"), key_.sign_raw(as_bytes("m"))).ok());
}

TEST_P(Ecdsa, PointsOffTheCurveAreRefused) {
  Bytes point = key_.public_key().point();
  point.back() ^= 1;
  EXPECT_EQ(EcPublic::from_point(GetParam(), point).error().code, Errc::malformed);
  EXPECT_EQ(EcPublic::from_point(GetParam(), Bytes(point.size())).error().code, Errc::malformed);
  EXPECT_EQ(EcPublic::from_point(GetParam(), Bytes(point.size(), 0xff)).error().code,
            Errc::malformed);
  point.push_back(0);
  EXPECT_EQ(EcPublic::from_point(GetParam(), point).error().code, Errc::malformed);
  EXPECT_EQ(EcPublic::from_point(GetParam(), {}).error().code, Errc::malformed);
  const Curve other = GetParam() == Curve::p256 ? Curve::p384 : Curve::p256;
  EXPECT_EQ(EcPublic::from_point(other, key_.public_key().point()).error().code, Errc::malformed);
}

TEST_P(Ecdsa, SecretsOutsideTheGroupAreRefused) {
  const auto code = [&](const Bytes& secret) {
    return EcKey::from_secret(GetParam(), SecretBytes(ByteView(secret))).error().code;
  };
  Bytes order = hex(order_of(GetParam()));
  EXPECT_EQ(code(Bytes(size_of(GetParam()))), Errc::malformed);
  EXPECT_EQ(code(order), Errc::malformed);
  EXPECT_EQ(code(Bytes(size_of(GetParam()), 0xff)), Errc::malformed);
  EXPECT_EQ(code(Bytes(size_of(GetParam()) - 1, 1)), Errc::malformed);
  EXPECT_EQ(code(Bytes()), Errc::malformed);
  order.back() -= 1;
  EXPECT_TRUE(EcKey::from_secret(GetParam(), SecretBytes(ByteView(order))).ok());
}

TEST_P(Ecdsa, ASecretMakesTheSameKeyAgain) {
  const auto again = EcKey::from_secret(GetParam(), SecretBytes(key_.secret().reveal()));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->public_key().point(), key_.public_key().point());
  EXPECT_TRUE(key_.public_key().verify_raw(as_bytes("m"), again->sign_raw(as_bytes("m"))).ok());
}

class RsaPss : public testing::Test {
 protected:
  static Bytes number(EVP_PKEY* key, const char* name) {
    BIGNUM* value = nullptr;
    SP_CHECK(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    const Number owner(value);
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(value)));
    BN_bn2bin(value, bytes.data());
    return bytes;
  }

  static Bytes sign(EVP_PKEY* key, ByteView message, const char* digest, int salt) {
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    SP_CHECK(EVP_DigestSignInit_ex(context.get(), &parameters, digest, nullptr, nullptr, key,
                                   nullptr) == 1);
    SP_CHECK(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    SP_CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) == 1);
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t size = signature.size();
    SP_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                            message.size()) == 1);
    return signature;
  }

  const ByteView message_ = as_bytes("report");
  Key key_{EVP_RSA_gen(2048)};
  Bytes modulus_ = number(key_.get(), "n");
  Bytes exponent_ = number(key_.get(), "e");
};

TEST_F(RsaPss, VerifiesOnlyAmdsForm) {
  const Bytes good = sign(key_.get(), message_, "SHA384", 48);
  EXPECT_TRUE(verify_rsa_pss_sha384(modulus_, exponent_, message_, good).ok());
  const auto code = [&](ByteView message, ByteView signature) {
    return verify_rsa_pss_sha384(modulus_, exponent_, message, signature).error().code;
  };
  EXPECT_EQ(code(as_bytes("resort"), good), Errc::bad_signature);
  EXPECT_EQ(code(message_, sign(key_.get(), message_, "SHA384", 32)), Errc::bad_signature);
  EXPECT_EQ(code(message_, sign(key_.get(), message_, "SHA256", 48)), Errc::bad_signature);
  EXPECT_EQ(code(message_, ByteView(good).first(good.size() - 1)), Errc::bad_signature);
  EXPECT_EQ(code(message_, {}), Errc::bad_signature);
  Bytes changed = good;
  changed[100] ^= 1;
  EXPECT_EQ(code(message_, changed), Errc::bad_signature);
}

TEST_F(RsaPss, KeysOutsideTheLimitsAreRefused) {
  const Bytes good = sign(key_.get(), message_, "SHA384", 48);
  const auto code = [&](const Bytes& modulus, const Bytes& exponent) {
    return verify_rsa_pss_sha384(modulus, exponent, message_, good).error().code;
  };
  EXPECT_EQ(code({}, exponent_), Errc::malformed);
  EXPECT_EQ(code(Bytes(255, 0xff), exponent_), Errc::malformed);
  EXPECT_EQ(code(Bytes(513, 0xff), exponent_), Errc::malformed);
  EXPECT_EQ(code(Bytes(256, 0xfe), exponent_), Errc::malformed);  // even
  EXPECT_EQ(code(modulus_, {}), Errc::malformed);
  EXPECT_EQ(code(modulus_, {1}), Errc::malformed);
  EXPECT_EQ(code(modulus_, {4}), Errc::malformed);
  EXPECT_EQ(code(modulus_, Bytes(9, 0xff)), Errc::malformed);
  EXPECT_EQ(code(modulus_, {3}), Errc::bad_signature);
}

}  // namespace
}  // namespace sp::crypto
