#include "collateral/entry.hpp"

#include <gtest/gtest.h>

#include "collateral/testing/test_support.hpp"

namespace sp::collateral {
namespace {

using testing::published;

Entry entry(const Wanted& wanted) {
  return {wanted,
          {"https://origin", "\"tag\""},
          1'700'000'000,
          1'700'000'060,
          published("body", "chain")};
}

// The same bytes with one bit of byte `at` changed.
Bytes flipped(Bytes bytes, std::size_t at) {
  bytes[at] ^= 1;
  return bytes;
}

TEST(CacheFile, ReadsWhatItWrites) {
  const Entry original = entry(IntelRootCrl{});
  EXPECT_EQ(decode_file(encode_file(original)).value(), original);
}

TEST(CacheFile, AnyDamageIsSeen) {
  const Bytes bytes = encode_file(entry(IntelQeIdentity{IntelTee::sgx}));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto damaged = decode_file(flipped(bytes, at));
    ASSERT_FALSE(damaged.ok()) << at;
    const Errc expected = at < 4 ? Errc::malformed : at < 6 ? Errc::unsupported : Errc::mismatch;
    EXPECT_EQ(damaged.error().code, expected) << at;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_file(ByteView(bytes).first(size)).ok()) << size;
  }
  EXPECT_EQ(decode_file(Bytes(kEntryFileSizeMax + 1)).error().code, Errc::too_large);
}

TEST(CacheFile, TheLargestAnswerFits) {
  Entry largest = entry(IntelRootCrl{});
  largest.validator = {std::string(kOriginSizeMax, 'o'), std::string(kEtagSizeMax, 'e')};
  largest.published = {Bytes(kBodySizeMax, 'b'), std::string(kIssuerChainSizeMax, 'c')};
  const Bytes bytes = encode_file(largest);
  EXPECT_LE(bytes.size(), kEntryFileSizeMax);
  EXPECT_EQ(decode_file(bytes).value(), largest);
}

TEST(Bundle, ReadsWhatItWrites) {
  Bundle bundle{1'700'000'000, {entry(IntelPckCrl{}), entry(IntelRootCrl{})}};
  const Bytes bytes = bundle.encode().value();
  const Bundle read = Bundle::decode(bytes).value();
  EXPECT_EQ(read.made_at, bundle.made_at);
  EXPECT_EQ(read.entries, bundle.entries);
  EXPECT_TRUE(Bundle::decode(Bundle().encode().value()).value().entries.empty());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_FALSE(Bundle::decode(flipped(bytes, at)).ok()) << at;
  }
}

TEST(Bundle, RefusesOtherOrdersAndTwins) {
  for (const Bundle& bundle : {Bundle{0, {entry(IntelRootCrl{}), entry(IntelPckCrl{})}},
                               Bundle{0, {entry(IntelRootCrl{}), entry(IntelRootCrl{})}}}) {
    EXPECT_EQ(Bundle::decode(bundle.encode().value()).error().message,
              "entries of a bundle are out of order");
  }
}

TEST(Bundle, HasLimits) {
  Bundle many;
  many.entries.assign(kBundleEntriesMax + 1, entry(IntelRootCrl{}));
  EXPECT_EQ(many.encode().error().code, Errc::too_large);
  Bundle large;
  Entry big = entry(IntelRootCrl{});
  big.published.body.assign(kBodySizeMax, 1);
  large.entries.assign(kBundleSizeMax / kBodySizeMax + 1, big);
  EXPECT_EQ(large.encode().error().message, "the bundle is too large");
}

TEST(Entry, HostileContentsAreRefused) {
  Entry late = entry(IntelRootCrl{});
  late.expires_at = 253'402'300'800;
  EXPECT_EQ(decode_file(encode_file(late)).error().message, "a time after the year 9999");
  Entry before = entry(IntelRootCrl{});
  before.fetched_at = -1;
  EXPECT_EQ(decode_file(encode_file(before)).error().message, "a time after the year 9999");
  Entry long_tag = entry(IntelRootCrl{});
  long_tag.validator.etag.assign(kEtagSizeMax + 1, 'x');
  EXPECT_EQ(decode_file(encode_file(long_tag)).error().code, Errc::too_large);
}

}  // namespace
}  // namespace sp::collateral
