#include "store/receipt.hpp"

#include <gtest/gtest.h>

#include "crypto/testing/fixed_keys.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using crypto::testing::eth_key;
using testing::CountingRandom;
using testing::MemoryStore;
using testing::pattern;

class ReceiptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Bytes content = pattern(2 * kChunkSize + 10);
    MemorySource source(content);
    sealed_ = *seal_package(source, Secret32{}, store_, random_, {});
  }
  Result<StorageReceipt> issue() { return issue_storage_receipt(store_, sealed_.id, 1000, key_); }

  MemoryStore store_;
  CountingRandom random_;
  crypto::EthKey key_ = eth_key(9);
  SealedPackage sealed_;
};

TEST_F(ReceiptTest, IssuedForAWholePackage) {
  const StorageReceipt receipt = *issue();
  EXPECT_EQ(receipt.package, sealed_.id);
  EXPECT_EQ(receipt.size, sealed_.sealed_size);
  EXPECT_EQ(receipt.until, 1000);
  EXPECT_TRUE(receipt.verify(key_.address()).ok());
  EXPECT_EQ(receipt.verify(eth_key(8).address()).error().code, Errc::bad_signature);
  EXPECT_EQ(*StorageReceipt::decode(receipt.encode()), receipt);
}

TEST_F(ReceiptTest, RefusedWhereSomethingIsMissing) {
  const Manifest manifest = *Manifest::decode(store_.at(sealed_.id));
  const Bytes chunk = store_.at(manifest.chunks[1]);
  store_.erase(manifest.chunks[1]);
  const auto missing = issue();
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_NE(missing.error().message.find(manifest.chunks[1].hex()), std::string::npos);
  store_.add(chunk);
  EXPECT_TRUE(issue().ok());
  store_.at(manifest.chunks[1]).pop_back();
  EXPECT_EQ(issue().error().code, Errc::mismatch);
  store_.erase(sealed_.id);
  EXPECT_EQ(issue().error().code, Errc::not_found);
}

TEST_F(ReceiptTest, EveryBitCounts) {
  const StorageReceipt receipt = *issue();
  const Bytes encoded = receipt.encode();
  for (std::size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    Bytes flipped = encoded;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto decoded = StorageReceipt::decode(flipped);
    if (decoded) {
      EXPECT_EQ(decoded->verify(key_.address()).error().code, Errc::bad_signature);
    }
  }
}

TEST_F(ReceiptTest, DecodesNothingElse) {
  const Bytes encoded = issue()->encode();
  ASSERT_EQ(encoded.size(), 119U);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(StorageReceipt::decode(ByteView(encoded).first(size)).error().code, Errc::malformed);
  }
  Bytes longer = encoded;
  longer.push_back(0);
  EXPECT_EQ(StorageReceipt::decode(longer).error().code, Errc::malformed);
  Bytes newer = encoded;
  newer[5] = 2;
  EXPECT_EQ(StorageReceipt::decode(newer).error().code, Errc::unsupported);
  Bytes late = encoded;
  late[46] = 0x80;  // the top bit of until
  EXPECT_EQ(StorageReceipt::decode(late).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::store
