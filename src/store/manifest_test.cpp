#include <gtest/gtest.h>

#include "base/codec.hpp"
#include "store/package.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

// Offsets of FORMATS.md section 4.
constexpr std::size_t kVersionAt = 5;  // the low byte
constexpr std::size_t kCompressionAt = 6;
constexpr std::size_t kChunkSizeAt = 7;
constexpr std::size_t kStreamSizeAt = 43;
constexpr std::size_t kRecipientsAt = 51;

Manifest example() {
  Manifest manifest;
  manifest.stream_size = 2 * kChunkSize + 1;
  manifest.salt.fill(0x55);
  manifest.recipients.resize(2);
  manifest.recipients[0].sealed.fill(1);
  manifest.recipients[1].recipient.data.fill(2);
  manifest.chunks.resize(3);
  manifest.chunks[1].data.fill(3);
  return manifest;
}

Errc error_of(const Bytes& bytes) {
  const auto decoded = Manifest::decode(bytes);
  EXPECT_FALSE(decoded.ok());
  return decoded.ok() ? Errc::usage : decoded.error().code;
}

TEST(Manifest, RoundTrip) {
  const Manifest manifest = example();
  const Bytes encoded = manifest.encode();
  EXPECT_EQ(encoded.size(), kHeaderSize + 8 + 2 + 2 * (32 + 80) + 4 + 3 * 32);
  EXPECT_EQ(*Manifest::decode(encoded), manifest);
  EXPECT_EQ(manifest.header(), Bytes(encoded.begin(), encoded.begin() + kHeaderSize));
}

TEST(Manifest, ChunkSizes) {
  const Manifest manifest = example();
  EXPECT_EQ(manifest.plaintext_size(0), kChunkSize);
  EXPECT_EQ(manifest.plaintext_size(2), 1U);
  Manifest empty;
  empty.chunks.resize(1);
  EXPECT_EQ(empty.plaintext_size(0), 0U);
  empty.stream_size = kChunkSize;
  EXPECT_EQ(empty.plaintext_size(0), kChunkSize);
}

TEST(Manifest, CutOrContinued) {
  const Bytes encoded = example().encode();
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(error_of(Bytes(encoded.begin(), encoded.begin() + static_cast<long>(size))),
              Errc::malformed);
  }
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_EQ(error_of(longer), Errc::malformed);
}

TEST(Manifest, OneEncodingOfAValue) {
  const Bytes encoded = example().encode();
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    Bytes flipped = encoded;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto decoded = Manifest::decode(flipped);
    if (decoded) {
      EXPECT_EQ(decoded->encode(), flipped);
    }
  }
}

TEST(Manifest, FieldsOutOfRange) {
  const auto with = [](std::size_t at, const Bytes& bytes) {
    Bytes encoded = example().encode();
    std::copy(bytes.begin(), bytes.end(), encoded.begin() + static_cast<long>(at));
    return error_of(encoded);
  };
  EXPECT_EQ(with(0, {'X'}), Errc::malformed);
  EXPECT_EQ(with(kVersionAt, {2}), Errc::unsupported);
  EXPECT_EQ(with(kVersionAt, {0}), Errc::unsupported);
  EXPECT_EQ(with(kCompressionAt, {2}), Errc::unsupported);
  EXPECT_EQ(with(kChunkSizeAt, {0, 0, 0, 0}), Errc::malformed);
  EXPECT_EQ(with(kChunkSizeAt, {0, 0, 8, 0}), Errc::malformed);     // 2 KiB
  EXPECT_EQ(with(kChunkSizeAt, {0, 0x80, 0, 0}), Errc::malformed);  // 8 MiB
  EXPECT_EQ(with(kChunkSizeAt, {0, 0x10, 0, 1}), Errc::malformed);
  EXPECT_EQ(with(kStreamSizeAt, {0xff}), Errc::malformed);
  EXPECT_EQ(with(kRecipientsAt, {0, kRecipientsMax + 1}), Errc::too_large);
  EXPECT_EQ(with(kRecipientsAt, {0, 1}), Errc::too_large);  // a key is read as the count
  EXPECT_EQ(with(kRecipientsAt + 2 + 2 * 112, {0, 0, 0, 2}), Errc::malformed);
  EXPECT_EQ(with(kRecipientsAt + 2 + 2 * 112, {0, 0x10, 0, 0}), Errc::too_large);
  EXPECT_EQ(error_of(Bytes(kManifestSizeMax + 1)), Errc::too_large);
}

TEST(Manifest, SizesAndChunksMustAgree) {
  for (const auto& [size, chunks, fits] : {std::tuple{0ULL, 0U, false},
                                           {0ULL, 1U, true},
                                           {0ULL, 2U, false},
                                           {1ULL, 1U, true},
                                           {1ULL << 20, 1U, true},
                                           {(1ULL << 20) + 1, 1U, false},
                                           {(1ULL << 20) + 1, 2U, true},
                                           {UINT64_MAX, 1U, false}}) {
    Writer writer;
    writer.raw(example().header()).u64(size).u16(0).u32(chunks).raw(Bytes(32 * chunks));
    EXPECT_EQ(Manifest::decode(writer.bytes()).ok(), fits) << size << " " << chunks;
  }
}

}  // namespace
}  // namespace sp::store
