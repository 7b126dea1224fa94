#include "crypto/hpke.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/process.hpp"
#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

X25519KeyPair key_of(std::string_view secret) {
  return X25519KeyPair::from_secret(Secret32::from(hex(secret)).value());
}

// RFC 7748 section 6.1.
TEST(X25519, KnownAnswer) {
  const auto alice = key_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto bob = key_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(alice.public_key.hex(),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(bob.public_key.hex(),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(to_hex(x25519(alice.secret, bob.public_key).value().reveal()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(to_hex(x25519(bob.secret, alice.public_key).value().reveal()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

// The published vector of this suite in base mode (RFC 9180's test-vectors.json of CFRG at commit
// 5f503c5, kem_id 32, kdf_id 1, aead_id 2; the RFC's appendix prints other suites), sequence 0.
TEST(Hpke, PublishedVector) {
  const auto recipient = key_of("497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d");
  EXPECT_EQ(recipient.public_key.hex(),
            "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c");
  FixedRandom ephemeral(hex("179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11"));
  const Bytes info = hex("4f6465206f6e2061204772656369616e2055726e");
  const Bytes aad = hex("436f756e742d30");
  const Bytes plaintext = hex("4265617574792069732074727574682c20747275746820626561757479");
  const auto sealed = hpke_seal(ephemeral, recipient.public_key, info, aad, plaintext);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(to_hex(*sealed),
            "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"
            "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be99319"
            "80a41de125a925cdad859d5b7a");
  const auto opened = hpke_open(recipient, info, aad, *sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(to_bytes(opened->reveal()), plaintext);
}

class HpkeTamper : public testing::Test {
 protected:
  SystemRandom random_;
  X25519KeyPair recipient_ = X25519KeyPair::generate(random_);
  Bytes sealed_ = hpke_seal(random_, recipient_.public_key, as_bytes("info"), as_bytes("aad"),
                            as_bytes("a secret"))
                      .value();
};

TEST_F(HpkeTamper, EveryBitCounts) {
  for (std::size_t bit = 0; bit < sealed_.size() * 8; ++bit) {
    // X25519 ignores the top bit of a public key (RFC 7748 section 5), but HPKE hashes the key.
    Bytes changed = sealed_;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto opened = hpke_open(recipient_, as_bytes("info"), as_bytes("aad"), changed);
    ASSERT_FALSE(opened.ok()) << bit;
    EXPECT_EQ(opened.error().code, Errc::bad_signature);
  }
}

TEST_F(HpkeTamper, OtherContextKeyOrSizeIsRefused) {
  const auto code = [&](const X25519KeyPair& key, std::string_view info, std::string_view aad,
                        ByteView sealed) {
    return hpke_open(key, as_bytes(info), as_bytes(aad), sealed).error().code;
  };
  EXPECT_EQ(code(recipient_, "infO", "aad", sealed_), Errc::bad_signature);
  EXPECT_EQ(code(recipient_, "info", "", sealed_), Errc::bad_signature);
  EXPECT_EQ(code(X25519KeyPair::generate(random_), "info", "aad", sealed_), Errc::bad_signature);
  EXPECT_EQ(code(recipient_, "info", "aad", ByteView(sealed_).first(sealed_.size() - 1)),
            Errc::bad_signature);
  EXPECT_EQ(code(recipient_, "info", "aad", ByteView(sealed_).first(kHpkeOverhead - 1)),
            Errc::malformed);
  EXPECT_EQ(code(recipient_, "info", "aad", {}), Errc::malformed);
}

TEST_F(HpkeTamper, LowOrderKeysAreRefused) {
  // 0, 1 and p - 1 (RFC 7748 section 7; the points of order 1, 4 and 2 of curve and twist).
  for (const std::string_view low :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    const auto key = hex_as<X25519Public>(low);
    EXPECT_EQ(x25519(recipient_.secret, key).error().code, Errc::refused);
    EXPECT_EQ(hpke_seal(random_, key, {}, {}, as_bytes("x")).error().code, Errc::refused);
    Bytes message = to_bytes(key.view());
    message.resize(64);
    EXPECT_EQ(hpke_open(recipient_, {}, {}, message).error().code, Errc::bad_signature);
  }
}

TEST_F(HpkeTamper, EmptyAndLargePlaintexts) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20}) {
    Bytes plaintext(size);
    random_.fill(plaintext);
    // An info over OpenSSL's own limit for HKDF (2,048 bytes).
    const Bytes info(5000, 0x69);
    const auto sealed = hpke_seal(random_, recipient_.public_key, info, {}, plaintext);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->size(), size + kHpkeOverhead);
    const auto opened = hpke_open(recipient_, info, {}, *sealed);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(to_bytes(opened->reveal()), plaintext);
  }
}

// npm's @hpke/core through tests/interop/hpke/peer.mjs.
class HpkePeer : public testing::Test {
 protected:
  void SetUp() override {
    const Path root(SP_TEST_SOURCE_DIR);
    if (!std::filesystem::exists(root / "node_modules/@hpke/core")) {
      GTEST_SKIP() << "node_modules/@hpke/core is absent: no interoperation with npm's HPKE";
    }
    if (!peer({"key"})) GTEST_SKIP() << "node is absent: no interoperation with npm's HPKE";
  }

  // What the peer prints, without the line's end; empty where node can't be started.
  static std::optional<std::string> peer(const std::vector<std::string>& arguments) {
    ProcessOptions options;
    // Older versions of Node call X25519 experimental on what is read here.
    options.argv = {"node", "--no-warnings", SP_TEST_SOURCE_DIR "/tests/interop/hpke/peer.mjs"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.environment = basic_environment();
    const auto output = run_command(options, std::chrono::seconds(20), 1 << 16);
    if (!output && output.error().code == Errc::io) return std::nullopt;
    EXPECT_TRUE(output.ok() && output->end.exit_code == 0)
        << (output.ok() ? output->text : output.error().message);
    std::string text = output.ok() ? output->text : "";
    // Node 18 warns on standard error that X25519 is experimental; the answer is the last line.
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const std::size_t line = text.rfind('\n');
    return line == std::string::npos ? text : text.substr(line + 1);
  }

  SystemRandom random_;
};

TEST_F(HpkePeer, OpensWhatWeSeal) {
  const std::string pair = peer({"key"}).value();
  ASSERT_EQ(pair.size(), 129U) << pair;
  const std::string secret = pair.substr(0, 64);
  const std::string public_key = pair.substr(65);
  EXPECT_EQ(key_of(secret).public_key.hex(), public_key);
  const auto recipient = hex_as<X25519Public>(public_key);
  for (const std::string_view plaintext : {"", "sealed in C++"}) {
    const std::string sealed =
        to_hex(hpke_seal(random_, recipient, as_bytes("info"), as_bytes("aad"), as_bytes(plaintext))
                   .value());
    EXPECT_EQ(peer({"open", secret, public_key, to_hex(as_bytes("info")), to_hex(as_bytes("aad")),
                    sealed}),
              to_hex(as_bytes(plaintext)));
    EXPECT_EQ(peer({"open", secret, public_key, to_hex(as_bytes("other")), to_hex(as_bytes("aad")),
                    sealed}),
              "refused");
  }
}

TEST_F(HpkePeer, SealsWhatWeOpen) {
  const X25519KeyPair recipient = X25519KeyPair::generate(random_);
  for (const std::string_view plaintext : {"", "sealed in JavaScript"}) {
    const std::string sealed = peer({"seal", recipient.public_key.hex(), to_hex(as_bytes("info")),
                                     to_hex(as_bytes("aad")), to_hex(as_bytes(plaintext))})
                                   .value();
    const Bytes message = from_hex(sealed).value();
    const auto opened = hpke_open(recipient, as_bytes("info"), as_bytes("aad"), message);
    ASSERT_TRUE(opened.ok()) << sealed;
    EXPECT_EQ(as_text(opened->reveal()), plaintext);
    EXPECT_EQ(hpke_open(recipient, {}, as_bytes("aad"), message).error().code, Errc::bad_signature);
  }
}

}  // namespace
}  // namespace sp::crypto
