#include "crypto/rsa.hpp"

#include <gtest/gtest.h>

#include "crypto/testing/rsa_signer.hpp"

namespace sp::crypto {
namespace {

const testing::RsaSigner& signer() {
  static const testing::RsaSigner kSigner;
  return kSigner;
}

Bytes message() { return to_bytes(as_bytes("a message")); }

TEST(RsaPkcs1, VerifiesWhatTheKeySigned) {
  const auto& key = signer();
  EXPECT_TRUE(
      verify_rsa_pkcs1_sha256(key.modulus(), key.exponent(), message(), key.sign_sha256(message()))
          .ok());
  EXPECT_TRUE(
      verify_rsa_pkcs1_sha384(key.modulus(), key.exponent(), message(), key.sign_sha384(message()))
          .ok());
}

TEST(RsaPkcs1, RefusesOtherMessagesSignaturesAndDigests) {
  const auto& key = signer();
  const Bytes good = key.sign_sha256(message());
  const auto code = [&](ByteView text, const Bytes& signature) {
    const auto verified = verify_rsa_pkcs1_sha256(key.modulus(), key.exponent(), text, signature);
    EXPECT_FALSE(verified.ok());
    return verified.ok() ? Errc::usage : verified.error().code;
  };
  EXPECT_EQ(code(as_bytes("another"), good), Errc::bad_signature);
  EXPECT_EQ(code(message(), key.sign_sha384(message())), Errc::bad_signature);
  EXPECT_EQ(code(message(), {}), Errc::bad_signature);
  for (const std::size_t i : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
    Bytes changed = good;
    changed[i] ^= 1;
    EXPECT_EQ(code(message(), changed), Errc::bad_signature);
  }
  Bytes longer = good;
  longer.insert(longer.begin(), 0);
  EXPECT_EQ(code(message(), longer), Errc::bad_signature);
}

TEST(RsaPkcs1, RefusesKeysThatArentOfTheForm) {
  const auto& key = signer();
  const Bytes good = key.sign_sha256(message());
  const auto refused = [&](const Bytes& modulus, const Bytes& exponent) {
    const auto verified = verify_rsa_pkcs1_sha256(modulus, exponent, message(), good);
    return verified.ok() ? std::string() : verified.error().message;
  };
  Bytes even = key.modulus();
  even.back() &= 0xfe;
  Bytes padded = key.modulus();
  padded.insert(padded.begin(), 0);
  const Bytes small(key.modulus().begin(), key.modulus().begin() + 255);
  EXPECT_EQ(refused(even, key.exponent()), "RSA key: a modulus that is even or below 2048 bits");
  EXPECT_EQ(refused(small, key.exponent()), "RSA key: a modulus that is even or below 2048 bits");
  EXPECT_EQ(refused(padded, key.exponent()), "RSA key: a number with leading zeros");
  EXPECT_EQ(refused({}, key.exponent()), "RSA key: a number with leading zeros");
  EXPECT_EQ(refused(Bytes(513, 0xff), key.exponent()), "RSA key: a number over 4096 bits");
  EXPECT_EQ(refused(key.modulus(), {1}), "RSA key: an exponent that is even, 1 or over 64 bits");
  EXPECT_EQ(refused(key.modulus(), {4}), "RSA key: an exponent that is even, 1 or over 64 bits");
  EXPECT_EQ(refused(key.modulus(), Bytes(9, 0xff)),
            "RSA key: an exponent that is even, 1 or over 64 bits");
}

}  // namespace
}  // namespace sp::crypto
