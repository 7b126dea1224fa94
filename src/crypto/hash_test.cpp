#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

// FIPS 180-4's examples (NIST CSRC): one block, two blocks, nothing.
TEST(Hash, Sha256KnownAnswers) {
  EXPECT_EQ(sha256(as_bytes("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(ByteView()).hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hash, Sha384AndSha512KnownAnswers) {
  EXPECT_EQ(sha384(as_bytes("abc")).hex(),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(md5({}).hex(), "d41d8cd98f00b204e9800998ecf8427e");  // RFC 1321 A.5
  EXPECT_EQ(md5(as_bytes("abc")).hex(), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(sha512(as_bytes("abc")).hex(),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// The two most quoted values of Ethereum's hash; SHA3-256 gives others.
TEST(Hash, Keccak256KnownAnswers) {
  EXPECT_EQ(keccak256(ByteView()).hex(),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(keccak256(as_bytes("abc")).hex(),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

TEST(Hash, PartsAndStreamEqualOneShot) {
  SystemRandom random;
  Bytes data(100'000);
  random.fill(data);
  const ByteView view(data);
  Hasher hasher256(Hasher::Kind::sha256);
  Hasher hasher384(Hasher::Kind::sha384);
  for (std::size_t at = 0, step = 1; at < data.size(); at += step, step = step * 3 + 1) {
    const ByteView part = view.subspan(at, std::min(step, data.size() - at));
    hasher256.update(part);
    hasher384.update(part);
  }
  EXPECT_EQ(hasher256.finish(), to_bytes(sha256(data).view()));
  EXPECT_EQ(hasher384.finish(), to_bytes(sha384(data).view()));
  EXPECT_EQ(sha256({view.first(7), {}, view.subspan(7)}), sha256(data));
}

TEST(HashDeathTest, AFinishedHasherIsOver) {
  Hasher hasher(Hasher::Kind::sha256);
  EXPECT_EQ(hasher.finish().size(), 32U);
  EXPECT_DEATH(hasher.update({}), "state_");
}

// RFC 4231 test cases 1, 2 and 6 (a key longer than a block).
TEST(Hash, HmacSha256KnownAnswers) {
  EXPECT_EQ(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There")).hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_sha256(Bytes(131, 0xaa),
                        as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))
                .hex(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, HmacOfAnEmptyKeyAndEmptyData) {
  EXPECT_EQ(hmac_sha256({}, {}).hex(),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  // RFC 2104 pads a short key with zeros.
  EXPECT_EQ(hmac_sha256({}, as_bytes("x")), hmac_sha256(Bytes(32, 0), as_bytes("x")));
}

// RFC 5869 appendix A.1 and A.3.
TEST(Hash, HkdfKnownAnswers) {
  const Bytes input_key(22, 0x0b);
  const Secret32 extracted = hkdf_extract(hex("000102030405060708090a0b0c"), input_key);
  EXPECT_EQ(to_hex(extracted.reveal()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  Bytes out(42);
  hkdf_expand(extracted.reveal(), hex("f0f1f2f3f4f5f6f7f8f9"), out);
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf(input_key, {}, {}, out);
  EXPECT_EQ(to_hex(out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HashDeathTest, HkdfGivesAtMost255Blocks) {
  Bytes out(255 * 32 + 1);
  EXPECT_DEATH(hkdf_expand(Bytes(32), {}, out), "kHkdfBlocksMax");
  hkdf_expand(Bytes(32), {}, MutableByteView(out).first(255 * 32));
}

TEST(Hash, EqualConstantTime) {
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abcd")));
  EXPECT_FALSE(equal_constant_time({}, as_bytes("a")));
}

TEST(Random, FillsEveryByteAndDiffers) {
  SystemRandom random;
  Bytes big(3 << 20);
  random.fill(big);
  // 64 zeros in a row at the end or at a border of pieces would mean bytes that nobody filled.
  for (const std::size_t at : {std::size_t{0}, (std::size_t{1} << 20) - 32, big.size() - 64}) {
    EXPECT_NE(to_bytes(ByteView(big).subspan(at, 64)), Bytes(64));
  }
  EXPECT_NE(random_fixed<Digest32>(random), random_fixed<Digest32>(random));
  EXPECT_FALSE(
      equal_constant_time(random_secret<32>(random).reveal(), random_secret<32>(random).reveal()));
  random.fill({});
}

}  // namespace
}  // namespace sp::crypto
