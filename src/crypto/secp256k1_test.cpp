#include "crypto/secp256k1.hpp"

#include <gtest/gtest.h>

#include "crypto/der.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

constexpr std::string_view kOrder =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

constexpr std::string_view kOne =
    "0000000000000000000000000000000000000000000000000000000000000001";

Result<EthKey> key_of(std::string_view secret) {
  return EthKey::from_secret(Secret32::from(hex(secret)).value());
}

EthKey key_one() { return key_of(kOne).value(); }

// n - s, big-endian.
Bytes negated(ByteView s) {
  Bytes result = hex(kOrder);
  int borrow = 0;
  for (std::size_t i = result.size(); i-- > 0;) {
    const int difference = result[i] - s[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    result[i] = static_cast<std::uint8_t>(difference & 0xff);
  }
  return result;
}

TEST(Secp256k1, TheAddressOfPrivateKeyOne) {
  const EthKey key = key_one();
  EXPECT_EQ(key.address().hex(), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  // The generator's x (SEC2 section 2.4.1).
  EXPECT_EQ(to_hex(key.public_key().view().first(32)),
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
  EXPECT_EQ(address_of(key.public_key()), key.address());
}

TEST(Secp256k1, SecretsOutsideTheGroupAreRefused) {
  EXPECT_EQ(key_of(std::string(64, '0')).error().code, Errc::malformed);
  EXPECT_EQ(key_of(kOrder).error().code, Errc::malformed);
  EXPECT_EQ(key_of(std::string(64, 'f')).error().code, Errc::malformed);
  EXPECT_TRUE(key_of("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140").ok());
}

TEST(Secp256k1, GenerateTriesAgainAfterAValueOutsideTheGroup) {
  Bytes bytes(32, 0xff);
  append(bytes, hex(kOne));
  FixedRandom random(bytes);
  EXPECT_EQ(EthKey::generate(random).address(), key_one().address());
}

// RFC 6979 with key 1 and "Satoshi Nakamoto": the value that bitcoin libraries quote.
TEST(Secp256k1, SignsDeterministically) {
  const EthKey key = key_one();
  const Digest32 digest = sha256(as_bytes("Satoshi Nakamoto"));
  const EthSignature signature = key.sign(digest);
  EXPECT_EQ(to_hex(signature.view().first(64)),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
  EXPECT_EQ(key.sign(digest), signature);
}

TEST(Secp256k1, SignsAndRecovers) {
  SystemRandom random;
  int seen_v27 = 0;
  for (int i = 0; i < 64; ++i) {
    const EthKey key = EthKey::generate(random);
    const auto digest = random_fixed<Digest32>(random);
    const EthSignature signature = key.sign(digest);
    const auto recovered = recover(digest, signature);
    ASSERT_TRUE(recovered.ok());
    EXPECT_EQ(*recovered, key.address());
    EXPECT_TRUE(verify_eth(digest, signature, key.address()).ok());
    seen_v27 += signature.data[64] == 27 ? 1 : 0;
  }
  EXPECT_GT(seen_v27, 0);
  EXPECT_LT(seen_v27, 64);
}

TEST(Secp256k1, OtherDigestOrSignerIsRefused) {
  SystemRandom random;
  const EthKey key = EthKey::generate(random);
  const auto digest = random_fixed<Digest32>(random);
  const EthSignature signature = key.sign(digest);
  EXPECT_EQ(verify_eth(random_fixed<Digest32>(random), signature, key.address()).error().code,
            Errc::bad_signature);
  EXPECT_EQ(verify_eth(digest, signature, key_one().address()).error().code, Errc::bad_signature);
  EXPECT_EQ(verify_eth(digest, signature, Address()).error().code, Errc::bad_signature);
}

TEST(Secp256k1, OneFormOfASignatureOnly) {
  const EthKey key = key_one();
  const Digest32 digest = sha256(as_bytes("one form"));
  const EthSignature good = key.sign(digest);

  EthSignature high = good;
  const Bytes high_s = negated(good.view().subspan(32, 32));
  std::copy(high_s.begin(), high_s.end(), high.data.begin() + 32);
  high.data[64] = good.data[64] == 27 ? 28 : 27;  // recovers to the same key, were it allowed
  EXPECT_EQ(recover(digest, high).error().code, Errc::bad_signature);
  EXPECT_NE(recover(digest, high).error().message.find("upper half"), std::string::npos);
  EXPECT_EQ(verify_eth(digest, high, key.address()).error().code, Errc::bad_signature);

  for (int v = 0; v < 256; ++v) {
    EthSignature changed = good;
    changed.data[64] = static_cast<std::uint8_t>(v);
    const auto recovered = recover(digest, changed);
    if (v == good.data[64]) continue;
    if (v == 27 || v == 28) {
      EXPECT_TRUE(!recovered || *recovered != key.address());
    } else {
      EXPECT_EQ(recovered.error().code, Errc::bad_signature) << v;
    }
  }
}

TEST(Secp256k1, NumbersOutsideTheGroupAreRefused) {
  const Digest32 digest = sha256(as_bytes("outside"));
  const EthSignature good = key_one().sign(digest);
  for (const std::ptrdiff_t at : {0, 32}) {
    for (const Bytes& number : {Bytes(32, 0), hex(kOrder), Bytes(32, 0xff)}) {
      EthSignature bad = good;
      std::copy(number.begin(), number.end(), bad.data.begin() + at);
      EXPECT_EQ(recover(digest, bad).error().code, Errc::bad_signature);
    }
  }
  // r = 5: no point of the curve has this x.
  EthSignature nowhere = good;
  std::fill_n(nowhere.data.begin(), 32, std::uint8_t{0});
  nowhere.data[31] = 5;
  EXPECT_EQ(recover(digest, nowhere).error().code, Errc::bad_signature);
}

TEST(Secp256k1, DerVerificationTakesEitherS) {
  const EthKey key = key_one();
  const Digest32 digest = sha256(as_bytes("der"));
  const EthSignature good = key.sign(digest);
  Bytes uncompressed{0x04};
  append(uncompressed, key.public_key().view());
  Bytes compressed{static_cast<std::uint8_t>(2 + (key.public_key().data[63] & 1))};
  append(compressed, key.public_key().view().first(32));
  const Bytes low = ecdsa_der_from_raw(good.view().first(64));
  Bytes raw = to_bytes(good.view().first(32));
  append(raw, negated(good.view().subspan(32, 32)));
  const Bytes high = ecdsa_der_from_raw(raw);

  for (const Bytes& point : {uncompressed, compressed}) {
    EXPECT_TRUE(verify_secp256k1_der(point, digest, low).ok());
    EXPECT_TRUE(verify_secp256k1_der(point, digest, high).ok());
    EXPECT_EQ(verify_secp256k1_der(point, sha256(as_bytes("red")), low).error().code,
              Errc::bad_signature);
  }
  Bytes trailing = low;
  trailing.push_back(0);
  EXPECT_EQ(verify_secp256k1_der(compressed, digest, trailing).error().code, Errc::bad_signature);

  Bytes hybrid = uncompressed;
  hybrid[0] = static_cast<std::uint8_t>(6 + (key.public_key().data[63] & 1));
  EXPECT_EQ(verify_secp256k1_der(hybrid, digest, low).error().code, Errc::malformed);
  Bytes off_curve = uncompressed;
  off_curve[64] ^= 1;
  EXPECT_EQ(verify_secp256k1_der(off_curve, digest, low).error().code, Errc::malformed);
  EXPECT_EQ(verify_secp256k1_der({}, digest, low).error().code, Errc::malformed);
  EXPECT_EQ(verify_secp256k1_der(Bytes{0x00}, digest, low).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::crypto
