#include "crypto/der.hpp"

#include <gtest/gtest.h>

#include "crypto/test_support.hpp"

namespace sp::crypto {
namespace {

Errc next_error(std::string_view text) {
  const Bytes bytes = hex(text);
  return DerReader(bytes).next().error().code;
}

TEST(Der, LengthsHaveOneForm) {
  EXPECT_EQ(next_error(""), Errc::malformed);
  EXPECT_EQ(next_error("04"), Errc::malformed);
  EXPECT_EQ(next_error("0401"), Errc::malformed);            // ends too early
  EXPECT_EQ(next_error("048000"), Errc::malformed);          // indefinite
  EXPECT_EQ(next_error("04810100"), Errc::malformed);        // fits the short form
  EXPECT_EQ(next_error("0482"), Errc::malformed);            // ends inside the length
  EXPECT_EQ(next_error("048500000000ff"), Errc::malformed);  // five bytes of length
  EXPECT_EQ(next_error("0484ffffffff"), Errc::malformed);    // 4 GiB that aren't there
  EXPECT_EQ(next_error("04820080" + std::string(256, '0')), Errc::malformed);  // leading zero
  EXPECT_EQ(next_error("1f8101"), Errc::unsupported);                          // tag number 129

  const Bytes long_form = hex("048180" + std::string(256, 'a'));
  DerReader reader(long_form);
  const auto element = reader.next();
  ASSERT_TRUE(element.ok());
  EXPECT_EQ(element->tag, DerTag::octet_string);
  EXPECT_EQ(element->content.size(), 128U);
  EXPECT_EQ(element->whole.size(), long_form.size());
  EXPECT_TRUE(reader.at_end());
  EXPECT_TRUE(reader.finish().ok());
}

TEST(Der, EntersAndFinishes) {
  const Bytes bytes = hex("30060201050101ff0400");  // SEQUENCE {5, TRUE}, then an OCTET STRING
  DerReader outer(bytes);
  EXPECT_TRUE(outer.next_is(DerTag::sequence));
  auto inner = outer.enter(DerTag::sequence);
  ASSERT_TRUE(inner.ok());
  EXPECT_EQ(inner->number().value(), 5U);
  EXPECT_EQ(inner->finish().error().code, Errc::malformed);
  EXPECT_TRUE(inner->boolean().value());
  EXPECT_TRUE(inner->finish().ok());
  EXPECT_EQ(outer.finish().error().code, Errc::malformed);
  EXPECT_FALSE(outer.next_is(DerTag::sequence));
  EXPECT_EQ(outer.read(DerTag::integer).error().code, Errc::malformed);
  EXPECT_FALSE(DerReader(ByteView()).next_is(DerTag::octet_string));
}

TEST(Der, NumbersHaveOneForm) {
  const auto number = [](std::string_view text) {
    const Bytes bytes = hex(text);
    return DerReader(bytes).number();
  };
  EXPECT_EQ(number("020100").value(), 0U);
  EXPECT_EQ(number("02017f").value(), 127U);
  EXPECT_EQ(number("02020080").value(), 128U);
  EXPECT_EQ(number("020900ffffffffffffffff").value(), UINT64_MAX);
  EXPECT_EQ(number("0200").error().code, Errc::malformed);
  EXPECT_EQ(number("0201ff").error().code, Errc::malformed);    // negative
  EXPECT_EQ(number("0202007f").error().code, Errc::malformed);  // needless zero
  EXPECT_EQ(number("02020000").error().code, Errc::malformed);
  EXPECT_EQ(number("0209010000000000000000").error().code, Errc::too_large);
  EXPECT_EQ(number("040105").error().code, Errc::malformed);  // another tag
}

TEST(Der, BooleansHaveOneForm) {
  const auto boolean = [](std::string_view text) {
    const Bytes bytes = hex(text);
    return DerReader(bytes).boolean();
  };
  EXPECT_FALSE(boolean("010100").value());
  EXPECT_TRUE(boolean("0101ff").value());
  EXPECT_EQ(boolean("010101").error().code, Errc::malformed);
  EXPECT_EQ(boolean("0100").error().code, Errc::malformed);
  EXPECT_EQ(boolean("01020000").error().code, Errc::malformed);
}

TEST(Der, ObjectIdentifiers) {
  const auto oid = [](std::string_view text) {
    const Bytes bytes = hex(text);
    return DerReader(bytes).oid();
  };
  EXPECT_EQ(oid("06072a8648ce3d0201").value(), "1.2.840.10045.2.1");
  EXPECT_EQ(oid("060a2b060104019c78010301").value(), "1.3.6.1.4.1.3704.1.3.1");
  EXPECT_EQ(oid("0603883703").value(), "2.999.3");
  EXPECT_EQ(oid("060100").value(), "0.0");
  EXPECT_EQ(oid("060127").value(), "0.39");
  EXPECT_EQ(oid("0600").error().code, Errc::malformed);
  EXPECT_EQ(oid("06022a80").error().code, Errc::malformed);  // starts with a needless byte
  EXPECT_EQ(oid("06022a86").error().code, Errc::malformed);  // ends inside an arc
  EXPECT_EQ(oid("06072a908080808000").error().code, Errc::too_large);
  EXPECT_EQ(oid("0641" + std::string(130, '1')).error().code, Errc::too_large);
}

TEST(Der, NestingIsBounded) {
  Bytes nested;
  for (std::size_t i = 0; i < kDerDepthMax + 1; ++i) {
    nested.insert(nested.begin(), {0x30, static_cast<std::uint8_t>(nested.size())});
  }
  DerReader reader(nested);
  for (std::size_t i = 0; i < kDerDepthMax; ++i) {
    auto inner = reader.enter(DerTag::sequence);
    ASSERT_TRUE(inner.ok()) << i;
    reader = *inner;
  }
  EXPECT_EQ(reader.enter(DerTag::sequence).error().code, Errc::too_large);
}

TEST(Der, ContextTags) {
  EXPECT_EQ(static_cast<int>(der_context(0, true)), 0xa0);
  EXPECT_EQ(static_cast<int>(der_context(3, false)), 0x83);
}

TEST(Der, SignaturesBothWays) {
  for (const std::size_t size : {32U, 48U, 66U}) {
    for (const std::uint8_t first : Bytes{0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes raw(2 * size, 0x33);
      raw[0] = first;
      raw[size] = first < 0x80 ? 0x80 : 0x01;
      const Bytes der = ecdsa_der_from_raw(raw);
      EXPECT_EQ(ecdsa_raw_from_der(der, size).value(), raw);
      EXPECT_FALSE(ecdsa_raw_from_der(der, size - 1).ok());
    }
  }
  EXPECT_EQ(to_hex(ecdsa_der_from_raw(Bytes(64))), "3006020100020100");
}

TEST(Der, SignaturesInAnotherFormAreRefused) {
  for (const std::string_view text :
       {"", "30", "3000", "3003020101", "300602010102010100", "3007020101020101",
        "3009020101020101020101", "3106020101020101", "3006020101040101", "308106020101020101",
        "300702020001020101", "30060201ff020101", "30050200020101"}) {
    EXPECT_EQ(ecdsa_raw_from_der(hex(text), 32).error().code, Errc::malformed) << text;
  }
  EXPECT_EQ(ecdsa_raw_from_der(hex("3006020101020101"), 32)->size(), 64U);
}

}  // namespace
}  // namespace sp::crypto
