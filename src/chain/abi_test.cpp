#include "chain/abi.hpp"

#include <gtest/gtest.h>

namespace sp::chain {
namespace {

AbiType type_of(std::string_view text) {
  auto type = AbiType::parse(text);
  SP_CHECK(type.ok());
  return std::move(*type);
}

Bytes words(std::initializer_list<const char*> list) {
  Bytes bytes;
  for (const char* word : list) {
    const std::string text(word);
    append(bytes, *from_hex(std::string(64 - text.size(), '0') + text));
  }
  return bytes;
}

Errc decode_error(std::string_view type, const Bytes& data) {
  const auto values = abi_decode(type_of(type), data);
  SP_CHECK(!values.ok());
  return values.error().code;
}

TEST(AbiType, TextIsCanonical) {
  EXPECT_EQ(type_of("(uint,int,address,bool,bytes,string,bytes32)").text(),
            "(uint256,int256,address,bool,bytes,string,bytes32)");
  EXPECT_EQ(type_of("(uint8[],(bool[2][],string)[3])").text(), "(uint8[],(bool[2][],string)[3])");
  EXPECT_EQ(type_of("()").text(), "()");
  EXPECT_TRUE(type_of("(string)[2]").is_dynamic());
  EXPECT_FALSE(type_of("(bool,uint8[3])[2]").is_dynamic());
}

TEST(AbiType, RefusesOtherTexts) {
  for (const char* bad :
       {"",         "(",        ")",        "uint7", "uint0",     "uint264", "uint08",
        "int-8",    "bytes0",   "bytes33",  "bool8", "address20", "fixed",   "tuple",
        "uint256 ", "(bool,)",  "(,bool)",  "(bool", "bool)",     "bool[",   "bool[]]",
        "bool[0]",  "bool[01]", "bool[-1]", "()[]",  "(())",      "Uint8",   "string[a]"}) {
    const auto type = AbiType::parse(bad);
    ASSERT_FALSE(type) << bad;
    EXPECT_EQ(type.error().code, Errc::malformed) << bad;
  }
  const auto code = [](const std::string& text) { return AbiType::parse(text).error().code; };
  EXPECT_EQ(code("bool[100001]"), Errc::too_large);
  EXPECT_EQ(code("bool[9999999]"), Errc::too_large);
  EXPECT_EQ(code("bool[1000][1000]"), Errc::too_large);
  std::string tuples = "bool";
  for (std::size_t i = 0; i <= kAbiDepthMax; ++i) tuples = "(" + tuples + ")";
  EXPECT_EQ(code(tuples), Errc::too_large);
  std::string deep = "bool";
  for (std::size_t i = 0; i <= kAbiDepthMax; ++i) deep += "[]";
  EXPECT_EQ(code(deep), Errc::too_large);
  EXPECT_EQ(code(std::string(kAbiTypeTextMax + 1, 'a')), Errc::too_large);
}

TEST(Abi, ValuesReadBack) {
  EXPECT_EQ(*AbiValue::number(77).as_number(77), 77U);
  EXPECT_EQ(AbiValue::number(78).as_number(77).error().code, Errc::too_large);
  for (const std::int64_t number : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    EXPECT_EQ(*AbiValue::signed_number(number).as_signed(), number);
  }
  EXPECT_EQ(AbiValue::number(~std::uint64_t{0}).as_signed().error().code, Errc::too_large);
  const auto address = *Address::from_hex("00000000000000000000000000000000000000ff");
  EXPECT_EQ(*AbiValue::address(address).as_address(), address);
  const Bytes ones(32, 0xff);
  EXPECT_EQ(AbiValue::word(ones).as_address().error().code, Errc::mismatch);
  EXPECT_EQ(AbiValue::word(ones).as_amount().error().code, Errc::too_large);
  EXPECT_EQ(AbiValue::string("x").as_word().error().code, Errc::mismatch);
  EXPECT_EQ(AbiValue::number(1).as_bytes_value().error().code, Errc::mismatch);
  EXPECT_EQ(AbiValue::number(1).as_list().error().code, Errc::mismatch);
  EXPECT_EQ(AbiValue::list({AbiValue::number(1)}).as_list()->size(), 1U);
}

TEST(Abi, EncodesCalls) {
  // The selector and layout of ERC-20's transfer are known everywhere.
  const auto to = *Address::from_hex("1111111111111111111111111111111111111111");
  const auto call =
      abi_call("transfer(address,uint256)", {AbiValue::address(to), AbiValue::amount(Amount(5))});
  ASSERT_TRUE(call);
  EXPECT_EQ(to_hex(*call),
            "a9059cbb0000000000000000000000001111111111111111111111111111111111111111" +
                std::string(63, '0') + "5");
  EXPECT_EQ(abi_selector("transfer(address,uint256)").hex(), "a9059cbb");
  EXPECT_EQ(abi_call("f(uint8)", {AbiValue::number(256)}).error().code, Errc::mismatch);
  EXPECT_EQ(abi_call("f(uint8)", {}).error().code, Errc::mismatch);
  EXPECT_EQ(abi_call("f(bool)", {AbiValue::number(2)}).error().code, Errc::mismatch);
  EXPECT_EQ(abi_call("f(int8)", {AbiValue::signed_number(-129)}).error().code, Errc::mismatch);
  EXPECT_EQ(abi_call("f(string)", {AbiValue::number(2)}).error().code, Errc::mismatch);
  EXPECT_EQ(abi_call("f(bool[2])", {AbiValue::list({AbiValue::boolean(true)})}).error().code,
            Errc::mismatch);
}

TEST(Abi, DecodingIsStrict) {
  const std::string ones(64, 'f');
  EXPECT_EQ(decode_error("(uint8)", words({"100"})), Errc::malformed);
  EXPECT_EQ(decode_error("(int8)", words({"ff"})), Errc::malformed);
  EXPECT_EQ(decode_error("(bool)", words({"2"})), Errc::malformed);
  EXPECT_EQ(decode_error("(address)", words({ones.c_str()})), Errc::malformed);
  EXPECT_EQ(decode_error("(bytes4)", words({"1"})), Errc::malformed);
  EXPECT_EQ(decode_error("(uint8)", Bytes(31)), Errc::malformed);
  EXPECT_EQ(decode_error("(string)", words({"20"})), Errc::malformed);
  EXPECT_EQ(decode_error("(string)", words({"20", "1"})), Errc::malformed);
  EXPECT_EQ(decode_error("(string)", words({"20", "1", "1"})), Errc::malformed);  // padding
  EXPECT_EQ(decode_error("(string)", words({"40", "0", "0"})), Errc::malformed);  // a gap
  EXPECT_EQ(decode_error("(string)", words({"0", "0"})), Errc::malformed);        // backwards
  EXPECT_EQ(decode_error("(string)", words({ones.c_str(), "0"})), Errc::malformed);
  EXPECT_EQ(decode_error("(string,string)", words({"40", "40", "0"})), Errc::malformed);  // shared
  EXPECT_EQ(decode_error("(bool[])", words({"20", ones.c_str()})), Errc::malformed);
  EXPECT_EQ(decode_error("(bool[])", words({"20", "2", "1"})), Errc::malformed);
  EXPECT_EQ(decode_error("(uint256[2][])", words({"20", "40"})), Errc::malformed);
  // What follows the values is allowed, as Solidity allows it.
  const auto values = abi_decode(type_of("(bool)"), words({"1", "7"}));
  ASSERT_TRUE(values);
  EXPECT_EQ(*values, std::vector{AbiValue::boolean(true)});
  EXPECT_TRUE(abi_decode(type_of("()"), {})->empty());
}

TEST(Abi, TheNumberOfValuesIsLimited) {
  Bytes data = words({"20"});
  append(data, AbiValue::number(kAbiElementsMax + 1).as_word()->view());
  data.resize(64 + 32 * (kAbiElementsMax + 1));
  EXPECT_EQ(decode_error("(uint8[])", data), Errc::too_large);
}

}  // namespace
}  // namespace sp::chain
