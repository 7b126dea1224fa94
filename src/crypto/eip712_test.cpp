#include "crypto/eip712.hpp"

#include <gtest/gtest.h>

#include "crypto/secp256k1.hpp"
#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

constexpr std::string_view kPersonType = "Person(string name,address wallet)";

Digest32 person(std::string_view name, std::string_view wallet) {
  return Eip712Struct(kPersonType).dynamic(as_bytes(name)).address(hex_as<Address>(wallet)).hash();
}

// The example of the EIP itself (EIP-712, "Ether Mail"): separator, struct hash, digest, and the
// signature by the key keccak256("cow").
TEST(Eip712, TheMailOfTheSpecification) {
  const Digest32 separator = eip712_separator(
      "Ether Mail", "1", {1, hex_as<Address>("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC")});
  EXPECT_EQ(separator.hex(), "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");

  const Digest32 mail =
      Eip712Struct("Mail(Person from,Person to,string contents)Person(string name,address wallet)")
          .word(person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826").view())
          .word(person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB").view())
          .dynamic(as_bytes("Hello, Bob!"))
          .hash();
  EXPECT_EQ(mail.hex(), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");

  const Digest32 digest = eip712_digest(separator, mail);
  EXPECT_EQ(digest.hex(), "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");

  const EthKey cow =
      EthKey::from_secret(Secret32::from(keccak256(as_bytes("cow")).view()).value()).value();
  EXPECT_EQ(cow.address().hex(), "cd2a3d9f938e13cd947ec05abc7fe734df8dd826");
  EXPECT_EQ(cow.sign(digest).hex(),
            "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
            "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c");
}

// The hash of a struct T(x) with one word: `tail` behind as many `filler` bytes as it needs.
Digest32 with_word(std::uint8_t filler, std::string_view tail) {
  Bytes words = to_bytes(keccak256(as_bytes("T(x)")).view());
  words.resize(64 - tail.size() / 2, filler);
  append(words, hex(tail));
  return keccak256(words);
}

TEST(Eip712, WordsOfNumbers) {
  EXPECT_EQ(Eip712Struct("T(x)").number(0).hash(), with_word(0, ""));
  EXPECT_EQ(Eip712Struct("T(x)").number(0x0102030405060708).hash(),
            with_word(0, "0102030405060708"));
  EXPECT_EQ(Eip712Struct("T(x)").number(UINT64_MAX).hash(), with_word(0, "ffffffffffffffff"));
  EXPECT_EQ(Eip712Struct("T(x)").signed_number(5).hash(), with_word(0, "05"));
  EXPECT_EQ(Eip712Struct("T(x)").signed_number(-2).hash(), with_word(0xff, "fe"));
  EXPECT_EQ(Eip712Struct("T(x)").signed_number(INT64_MIN).hash(),
            with_word(0xff, "8000000000000000"));
  const std::string_view address = "7e5f4552091a69125d5dfcb7b8c2659029395bdf";
  EXPECT_EQ(Eip712Struct("T(x)").address(hex_as<Address>(address)).hash(), with_word(0, address));
}

TEST(Eip712, WordsStandInOrder) {
  Bytes word(32);
  word[31] = 2;
  EXPECT_EQ(Eip712Struct("T(x)").number(1).word(word).hash(),
            Eip712Struct("T(x)").number(1).number(2).hash());
  EXPECT_NE(Eip712Struct("T(x)").number(2).number(1).hash(),
            Eip712Struct("T(x)").number(1).number(2).hash());
  EXPECT_NE(Eip712Struct("T(x)").number(1).hash(), Eip712Struct("U(x)").number(1).hash());
}

TEST(Eip712, ListsAndBytesAreHashed) {
  const Bytes words(64, 0x11);
  EXPECT_EQ(Eip712Struct("T(x)").list(words).hash(),
            Eip712Struct("T(x)").word(keccak256(words).view()).hash());
  EXPECT_EQ(Eip712Struct("T(x)").list({}).hash(),
            Eip712Struct("T(x)").word(keccak256(ByteView()).view()).hash());
  EXPECT_EQ(Eip712Struct("T(x)").dynamic({}).hash(), Eip712Struct("T(x)").list({}).hash());
}

TEST(Eip712, SeparatorsDifferByEveryField) {
  const Eip712Domain domain{31337, hex_as<Address>("5fbdb2315678afecb367f032d93f642f64180aa3")};
  EXPECT_EQ(domain.separator(), eip712_separator("Super Protocol", "1", domain));
  Eip712Domain other_chain = domain;
  other_chain.chain_id = 1;
  Eip712Domain other_contract = domain;
  other_contract.contract.data[0] ^= 1;
  EXPECT_NE(domain.separator(), other_chain.separator());
  EXPECT_NE(domain.separator(), other_contract.separator());
  EXPECT_NE(domain.separator(), eip712_separator("Super Protocol", "2", domain));
  EXPECT_NE(domain.separator(), eip712_separator_without_chain("Super Protocol", "1"));
  EXPECT_NE(eip712_separator_without_chain("a", "1"), eip712_separator_without_chain("b", "1"));
  // keccak256(keccak256(type) || keccak256("Super Protocol") || keccak256("1"))
  Bytes words = to_bytes(keccak256(as_bytes("EIP712Domain(string name,string version)")).view());
  append(words, keccak256(as_bytes("Super Protocol")).view());
  append(words, keccak256(as_bytes("1")).view());
  EXPECT_EQ(eip712_separator_without_chain("Super Protocol", "1"), keccak256(words));
}

TEST(Eip712DeathTest, AWordHas32Bytes) {
  EXPECT_DEATH(Eip712Struct("T(x)").word(Bytes(31)), "kWordSize");
  EXPECT_DEATH(Eip712Struct("T(x)").list(Bytes(33)), "kWordSize");
}

}  // namespace
}  // namespace sp::crypto
