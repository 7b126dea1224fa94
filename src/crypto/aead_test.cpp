#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

GcmNonce nonce_of(std::uint8_t last) {
  GcmNonce nonce{};
  nonce.back() = last;
  return nonce;
}

class Aead : public testing::Test {
 protected:
  Bytes seal(std::uint8_t nonce, ByteView aad, ByteView plaintext) {
    Bytes sealed(plaintext.size() + kGcmTagSize);
    cipher_.seal(nonce_of(nonce), aad, plaintext, sealed);
    return sealed;
  }
  Result<Bytes> open(std::uint8_t nonce, ByteView aad, ByteView sealed) {
    Bytes plaintext(sealed.size() < kGcmTagSize ? 0 : sealed.size() - kGcmTagSize, 0xee);
    const Status status = cipher_.open(nonce_of(nonce), aad, sealed, plaintext);
    if (status) return plaintext;
    EXPECT_TRUE(std::all_of(plaintext.begin(), plaintext.end(), [&](std::uint8_t byte) {
      return byte == (status.error().code == Errc::bad_signature ? 0 : 0xee);
    }));
    return status.error();
  }

  SystemRandom random_;
  Aes256Gcm cipher_{random_secret<32>(random_)};
};

// Test cases 13 and 14 of the GCM specification (McGrew and Viega, appendix B).
TEST_F(Aead, KnownAnswers) {
  Aes256Gcm cipher{Secret32()};
  Bytes sealed(16);
  cipher.seal(GcmNonce{}, {}, {}, sealed);
  EXPECT_EQ(to_hex(sealed), "530f8afbc74536b9a963b4f1c4cb738b");
  sealed.resize(32);
  cipher.seal(GcmNonce{}, {}, Bytes(16), sealed);
  EXPECT_EQ(to_hex(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_F(Aead, RoundTripsOfManySizes) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 255U, 4096U, 100'000U}) {
    Bytes plaintext(size);
    random_.fill(plaintext);
    const Bytes sealed = seal(1, as_bytes("aad"), plaintext);
    // Sealing and opening take turns on one context.
    const auto opened = open(1, as_bytes("aad"), sealed);
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_EQ(*opened, plaintext);
    EXPECT_EQ(seal(1, as_bytes("aad"), plaintext), sealed);
  }
}

TEST_F(Aead, AnyChangeIsRefusedAndWiped) {
  const Bytes sealed = seal(1, as_bytes("aad"), as_bytes("a plaintext of some size"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto opened = open(1, as_bytes("aad"), changed);
    ASSERT_FALSE(opened.ok()) << bit;
    EXPECT_EQ(opened.error().code, Errc::bad_signature);
  }
  EXPECT_EQ(open(2, as_bytes("aad"), sealed).error().code, Errc::bad_signature);
  EXPECT_EQ(open(1, as_bytes("aae"), sealed).error().code, Errc::bad_signature);
  EXPECT_EQ(open(1, {}, sealed).error().code, Errc::bad_signature);
  EXPECT_EQ(open(1, as_bytes("aad"), ByteView(sealed).first(sealed.size() - 1)).error().code,
            Errc::bad_signature);
  EXPECT_EQ(open(1, as_bytes("aad"), ByteView(sealed).first(15)).error().code, Errc::malformed);
  Aes256Gcm other(random_secret<32>(random_));
  Bytes out(sealed.size() - kGcmTagSize);
  EXPECT_EQ(other.open(nonce_of(1), as_bytes("aad"), sealed, out).error().code,
            Errc::bad_signature);
  EXPECT_TRUE(open(1, as_bytes("aad"), sealed).ok());
}

TEST_F(Aead, WorksInPlace) {
  const Bytes plaintext = to_bytes(as_bytes("sealed where it lies"));
  Bytes buffer = plaintext;
  buffer.resize(plaintext.size() + kGcmTagSize);
  cipher_.seal(nonce_of(1), {}, ByteView(buffer).first(plaintext.size()), buffer);
  EXPECT_EQ(buffer, seal(1, {}, plaintext));
  ASSERT_TRUE(
      cipher_.open(nonce_of(1), {}, buffer, MutableByteView(buffer).first(plaintext.size())).ok());
  buffer.resize(plaintext.size());
  EXPECT_EQ(buffer, plaintext);
}

TEST_F(Aead, MovesKeepTheKey) {
  const Bytes sealed = seal(1, {}, as_bytes("x"));
  Aes256Gcm moved = std::move(cipher_);
  Bytes out(1);
  EXPECT_TRUE(moved.open(nonce_of(1), {}, sealed, out).ok());
}

TEST_F(Aead, WrongSizesOfOutputAreBugs) {
  Bytes out(16);
  EXPECT_DEATH(cipher_.seal(nonce_of(1), {}, as_bytes("x"), out), "out.size");
  EXPECT_DEATH(static_cast<void>(cipher_.open(nonce_of(1), {}, out, out)), "out.size");
}

}  // namespace
}  // namespace sp::crypto
