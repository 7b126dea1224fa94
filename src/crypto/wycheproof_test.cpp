// Project Wycheproof's vectors, from the evidence beside the project: every "invalid" is refused,
// every "valid" accepted.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/aead.hpp"
#include "crypto/der.hpp"
#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"
#include "crypto/hpke.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

constexpr std::size_t kFileSizeMax = std::size_t{1} << 20;

class Wycheproof : public testing::Test {
 protected:
  // Takes the groups of a file. Where it is absent, the test is skipped and there are none.
  void read(const std::string& file) {
    const auto text = evidence("crypto/" + file);
    if (!text) GTEST_SKIP() << "evidence/crypto/" << file << " is absent";
    groups_ = parse_json(*text, kFileSizeMax).value()["testGroups"];
  }

  static Bytes bytes(const Json& test, const char* key) {
    return hex(test[key].get<std::string>());
  }
  static bool is_valid(const Json& test) { return test["result"] == "valid"; }
  static std::string name(const Json& test) {
    return "tcId " + test["tcId"].dump() + " " + test["comment"].get<std::string>();
  }

  Json groups_;
};

TEST_F(Wycheproof, AesGcm) {
  read("aes_gcm_test.json");
  if (IsSkipped()) return;
  int checked = 0;
  int outside = 0;
  for (const Json& group : groups_) {
    if (group["keySize"] != 256 || group["ivSize"] != 96 || group["tagSize"] != 128) {
      outside += static_cast<int>(group["tests"].size());
      continue;
    }
    for (const Json& test : group["tests"]) {
      Aes256Gcm cipher(Secret32::from(bytes(test, "key")).value());
      GcmNonce nonce;
      const Bytes iv = bytes(test, "iv");
      std::copy(iv.begin(), iv.end(), nonce.begin());
      const Bytes plaintext = bytes(test, "msg");
      Bytes sealed = bytes(test, "ct");
      append(sealed, bytes(test, "tag"));
      Bytes opened(sealed.size() - kGcmTagSize);
      const Status status = cipher.open(nonce, bytes(test, "aad"), sealed, opened);
      EXPECT_EQ(status.ok(), is_valid(test)) << name(test);
      Bytes made(plaintext.size() + kGcmTagSize);
      cipher.seal(nonce, bytes(test, "aad"), plaintext, made);
      EXPECT_EQ(made == sealed, is_valid(test)) << name(test);
      if (status.ok()) {
        EXPECT_EQ(opened, plaintext) << name(test);
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
  std::printf("AES-GCM: %d checked; %d with other key, nonce or tag sizes are out of the API\n",
              checked, outside);
}

TEST_F(Wycheproof, ChaCha20Poly1305IsOutOfTheApi) {
  GTEST_SKIP() << "chacha20_poly1305_test.json: the crypto room has no ChaCha20-Poly1305";
}

// "Acceptable" here are public keys on the twist, of low order or not reduced. RFC 7748 computes
// with all of them; the all-zero result of low order is what section 6.1 lets us refuse.
TEST_F(Wycheproof, X25519) {
  read("x25519_test.json");
  if (IsSkipped()) return;
  int refused = 0;
  int checked = 0;
  for (const Json& group : groups_) {
    for (const Json& test : group["tests"]) {
      const Bytes expected = bytes(test, "shared");
      const auto shared = x25519(Secret32::from(bytes(test, "private")).value(),
                                 X25519Public::from(bytes(test, "public")).value());
      const bool is_zero = expected == Bytes(32);
      ASSERT_EQ(shared.ok(), !is_zero) << name(test);
      if (is_zero) {
        EXPECT_EQ(shared.error().code, Errc::refused) << name(test);
        EXPECT_FALSE(is_valid(test)) << name(test);
        ++refused;
      } else {
        EXPECT_EQ(to_bytes(shared->reveal()), expected) << name(test);
      }
      ++checked;
    }
  }
  std::printf("X25519: %d checked, of which %d \"acceptable\" of low order refused\n", checked,
              refused);
  EXPECT_GT(refused, 0);
}

TEST_F(Wycheproof, HkdfSha256) {
  read("hkdf_sha256_test.json");
  if (IsSkipped()) return;
  constexpr std::size_t kOutputSizeMax = 255 * 32;
  for (const Json& group : groups_) {
    for (const Json& test : group["tests"]) {
      const auto size = test["size"].get<std::size_t>();
      Bytes out(size);
      const auto derive = [&] {
        hkdf(bytes(test, "ikm"), bytes(test, "salt"), bytes(test, "info"), out);
      };
      if (is_valid(test)) {
        derive();
        EXPECT_EQ(out, bytes(test, "okm")) << name(test);
      } else {
        // All are outputs that are too long; a caller's bug, so CHECK ends the program.
        EXPECT_GT(size, kOutputSizeMax) << name(test);
        EXPECT_DEATH(derive(), "kHkdfBlocksMax") << name(test);
      }
    }
  }
}

class WycheproofEcdsa : public Wycheproof {
 protected:
  void check(Curve curve, const std::string& file) {
    read(file);
    if (IsSkipped()) return;
    for (const Json& group : groups_) {
      const Bytes point = bytes(group["publicKey"], "uncompressed");
      const auto key = EcPublic::from_point(curve, ByteView(point).subspan(1));
      ASSERT_TRUE(key.ok());
      for (const Json& test : group["tests"]) {
        const Status status = key->verify_der(bytes(test, "msg"), bytes(test, "sig"));
        EXPECT_EQ(status.ok(), is_valid(test)) << name(test);
        if (!status) {
          EXPECT_EQ(status.error().code, Errc::bad_signature) << name(test);
        }
        const auto raw = ecdsa_raw_from_der(bytes(test, "sig"), point.size() / 2);
        if (raw) {
          EXPECT_EQ(key->verify_raw(bytes(test, "msg"), *raw).ok(), is_valid(test));
        }
      }
    }
  }
};

TEST_F(WycheproofEcdsa, P256) { check(Curve::p256, "ecdsa_secp256r1_sha256_test.json"); }
TEST_F(WycheproofEcdsa, P384) { check(Curve::p384, "ecdsa_secp384r1_sha384_test.json"); }

class WycheproofSecp256k1 : public Wycheproof {
 protected:
  // The same signature as 65 bytes: accepted for its signer only with a low s.
  void check_65_bytes(const Json& test, const Digest32& digest, const Address& signer) {
    const auto raw = ecdsa_raw_from_der(bytes(test, "sig"), 32).value();
    const Bytes half = hex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
    const bool high =
        std::lexicographical_compare(half.begin(), half.end(), raw.begin() + 32, raw.end());
    int accepted = 0;
    for (const std::uint8_t v : Bytes{27, 28}) {
      EthSignature signature;
      std::copy(raw.begin(), raw.end(), signature.data.begin());
      signature.data[64] = v;
      const Status status = verify_eth(digest, signature, signer);
      accepted += status.ok() ? 1 : 0;
      if (!high) continue;
      EXPECT_EQ(status.error().code, Errc::bad_signature) << name(test);
      EXPECT_EQ(recover(digest, signature).error().code, Errc::bad_signature) << name(test);
    }
    EXPECT_EQ(accepted, high ? 0 : 1) << name(test);
    (high ? high_ : low_) += 1;
  }

  int high_ = 0;
  int low_ = 0;
};

TEST_F(WycheproofSecp256k1, DerAndEthereumForm) {
  read("ecdsa_secp256k1_sha256_test.json");
  if (IsSkipped()) return;
  for (const Json& group : groups_) {
    const Bytes point = bytes(group["publicKey"], "uncompressed");
    const Address signer = address_of(EthPublic::from(ByteView(point).subspan(1)).value());
    for (const Json& test : group["tests"]) {
      const Digest32 digest = sha256(bytes(test, "msg"));
      const Status status = verify_secp256k1_der(point, digest, bytes(test, "sig"));
      EXPECT_EQ(status.ok(), is_valid(test)) << name(test);
      if (status.ok()) check_65_bytes(test, digest, signer);
      if (!status) {
        EXPECT_EQ(status.error().code, Errc::bad_signature) << name(test);
      }
    }
  }
  EXPECT_GT(high_, 0);
  EXPECT_GT(low_, 0);
  std::printf("secp256k1: valid: %d with high s (65-byte form refused), %d with low s (accepted)\n",
              high_, low_);
}

}  // namespace
}  // namespace sp::crypto
