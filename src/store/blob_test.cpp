#include "store/blob.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using testing::pattern;
using testing::TemporaryFolder;

/// Files that count writes, and may leave them out.
class CountingFiles final : public Files {
 public:
  int writes = 0;
  bool writes_nothing = false;
  mutable std::vector<Path> left_cache;
  Result<Bytes> read(const Path& path, std::size_t size_max) const override {
    return files_.read(path, size_max);
  }
  Result<Bytes> read_range(const Path& path, std::uint64_t offset,
                           std::size_t size) const override {
    return files_.read_range(path, offset, size);
  }
  Result<std::uint64_t> size(const Path& path) const override { return files_.size(path); }
  Status write_atomic(const Path& path, ByteView bytes, FileMode mode) override {
    ++writes;
    if (writes_nothing) return {};
    return files_.write_atomic(path, bytes, mode);
  }
  Status make_folder(const Path& path) override { return files_.make_folder(path); }
  Status remove(const Path& path) override { return files_.remove(path); }
  void leave_cache(const Path& path) const override { left_cache.push_back(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override {
    return files_.list(folder);
  }

 private:
  PosixFiles files_;
};

class DirectoryStoreTest : public ::testing::Test {
 protected:
  Path file_of(const BlobId& id) const { return folder_.path() / id.hex().substr(0, 2) / id.hex(); }

  TemporaryFolder folder_;
  CountingFiles files_;
  DirectoryStore store_{files_, folder_.path()};
  Bytes bytes_ = pattern(10'000);
  BlobId id_ = blob_id(bytes_);
};

TEST_F(DirectoryStoreTest, KeepsAndGives) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  EXPECT_EQ(*store_.get(id_, 10'000), bytes_);
  EXPECT_EQ(*store_.size(id_), 10'000U);
  EXPECT_EQ(*store_.get_range_unverified(id_, 9'990, 10), Bytes(bytes_.end() - 10, bytes_.end()));
  EXPECT_EQ(store_.get_range_unverified(id_, 9'991, 10).error().code, Errc::malformed);
  EXPECT_TRUE(std::filesystem::is_regular_file(file_of(id_)));
}

TEST_F(DirectoryStoreTest, RemovesWhatIsThere) {
  const Bytes bytes = to_bytes(as_bytes("gone soon"));
  EXPECT_TRUE(store_.remove(blob_id(bytes)).ok());
  ASSERT_TRUE(store_.put(blob_id(bytes), bytes).ok());
  ASSERT_TRUE(store_.remove(blob_id(bytes)).ok());
  EXPECT_EQ(store_.size(blob_id(bytes)).error().code, Errc::not_found);
}

TEST_F(DirectoryStoreTest, EmptyBlob) {
  const BlobId empty = blob_id({});
  ASSERT_TRUE(store_.put(empty, {}).ok());
  EXPECT_TRUE(store_.get(empty, 0)->empty());
}

TEST_F(DirectoryStoreTest, RefusesWhatIsNotItsDigest) {
  EXPECT_EQ(store_.put(id_, pattern(10'000, 2)).error().code, Errc::mismatch);
  EXPECT_EQ(store_.get(id_, 10'000).error().code, Errc::not_found);
  EXPECT_EQ(store_.size(id_).error().code, Errc::not_found);
}

TEST_F(DirectoryStoreTest, Limits) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  EXPECT_EQ(store_.get(id_, 9'999).error().code, Errc::too_large);
  const Bytes large(kBlobSizeMax + 1);
  EXPECT_EQ(store_.put(blob_id(large), large).error().code, Errc::too_large);
}

TEST_F(DirectoryStoreTest, WritesABlobOnce) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  const int writes = files_.writes;
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  EXPECT_EQ(files_.writes, writes);
}

TEST_F(DirectoryStoreTest, MendsABlobOfTheWrongSize) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  std::filesystem::resize_file(file_of(id_), 5'000);
  EXPECT_EQ(store_.get(id_, 10'000).error().code, Errc::mismatch);
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  EXPECT_EQ(*store_.get(id_, 10'000), bytes_);
}

TEST_F(DirectoryStoreTest, TellsADamagedBlobAndTakesItAnew) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  Bytes damaged = bytes_;
  damaged[5'000] ^= 1;
  ASSERT_TRUE(files_.write_atomic(file_of(id_), damaged, FileMode::owner_only).ok());
  EXPECT_EQ(store_.get(id_, 10'000).error().code, Errc::mismatch);
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  EXPECT_EQ(*store_.get(id_, 10'000), bytes_) << "whoever has it mends it";
}

TEST_F(DirectoryStoreTest, CountsItsBytes) {
  EXPECT_EQ(*store_.total_size(), 0U);
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  const Bytes more = pattern(77, 5);
  ASSERT_TRUE(store_.put(blob_id(more), more).ok());
  EXPECT_EQ(*store_.total_size(), 10'077U);
  DirectoryStore missing(files_, folder_ / "missing");
  EXPECT_EQ(*missing.total_size(), 0U);
}

TEST_F(DirectoryStoreTest, HoldsOnlyTheNewestInTheSystemsMemory) {
  files_.writes_nothing = true;
  const auto id_of = [](unsigned number) {
    BlobId id;
    std::memcpy(id.data.data(), &number, sizeof(number));
    return id;
  };
  const Bytes big(kBlobSizeMax);
  constexpr unsigned kHeld = kPutLatelyBytesMax / kBlobSizeMax;
  for (unsigned i = 0; i < kHeld; ++i) ASSERT_TRUE(store_.put_checked(id_of(i), big).ok());
  EXPECT_TRUE(files_.left_cache.empty());
  for (unsigned i = kHeld; i < kHeld + 2; ++i) ASSERT_TRUE(store_.put_checked(id_of(i), big).ok());
  EXPECT_EQ(files_.left_cache, (std::vector<Path>{file_of(id_of(0)), file_of(id_of(1))}));
  // Small ones by their number.
  for (unsigned i = 0; i < kPutLatelyMax; ++i)
    ASSERT_TRUE(store_.put_checked(id_of(100 + i), {}).ok());
  EXPECT_EQ(files_.left_cache.size(), 2U + kHeld);
  EXPECT_EQ(files_.left_cache.back(), file_of(id_of(kHeld + 1)));
}

TEST_F(DirectoryStoreTest, WhatLeftTheSystemsMemoryIsReadAsBefore) {
  ASSERT_TRUE(store_.put(id_, bytes_).ok());
  PosixFiles().leave_cache(file_of(id_));
  PosixFiles().leave_cache(folder_ / "none");
  EXPECT_EQ(*store_.get(id_, 10'000), bytes_);
}

TEST(DirectoryStoreThreads, SameBlobFromManyThreads) {
  const TemporaryFolder folder;
  PosixFiles files;
  DirectoryStore store(files, folder.path());
  const Bytes bytes = pattern(100'000);
  const BlobId id = blob_id(bytes);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(store.put(id, bytes).ok());
        EXPECT_EQ(*store.get(id, bytes.size()), bytes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace sp::store
