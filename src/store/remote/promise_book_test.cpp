#include "store/remote/promise_book.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "store/package.hpp"
#include "store/remote/testing/signed_store.hpp"

namespace sp::store {
namespace {

using testing::kNow;
using testing::pattern;
using testing::TemporaryFolder;

Address account(unsigned number) {
  Address address;
  address.data.fill(static_cast<std::uint8_t>(number + 1));
  return address;
}

class PromiseBookTest : public ::testing::Test {
 protected:
  // As after a restart.
  void open(std::int64_t now, std::size_t records_max) {
    book_ = *PromiseBook::open(files_, file_, now, records_max);
    static_cast<void>(book_->recall(blobs_, now).ok());  // of what is there
  }
  Status keep(unsigned number, unsigned package, std::int64_t until, std::int64_t now) {
    return book_->keep(blob_id(pattern(10, package)), account(number), until, now);
  }

  TemporaryFolder folder_;
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_.path()};
  const Path file_ = folder_.path() / "promises.log";
  std::unique_ptr<PromiseBook> book_;
};

TEST_F(PromiseBookTest, AFullFileIsWrittenAnewWithoutWhatIsOver) {
  open(kNow, 8);
  ASSERT_TRUE(keep(9, 1000, kNow + 1000, kNow).ok());
  for (unsigned i = 0; i < 100; ++i) {
    ASSERT_TRUE(keep(i % 4, i, kNow + i + 1, kNow + i).ok()) << i;
  }
  EXPECT_LE(*files_.size(file_), 8U * 64);
  for (unsigned i = 100; i < 108; ++i) {
    EXPECT_EQ(keep(i % 4, i, kNow + 1000, kNow + 100).ok(), i < 107)
        << "of what isn't over there are 8";
  }
  open(kNow + 100, 8);
  EXPECT_EQ(*files_.size(file_), 8U * 64);
}

TEST_F(PromiseBookTest, AnAccountHasAPartOfTheFile) {
  open(kNow, 16);
  for (const bool restarted : {false, true}) {
    if (restarted) open(kNow, 16);
    for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(keep(0, i, kNow + 10, kNow).ok(), i < 4);
    EXPECT_TRUE(keep(0, 0, kNow + 20, kNow).ok()) << "a longer promise of the same isn't another";
    EXPECT_TRUE(keep(1, 5, kNow + 10, kNow).ok());
  }
  EXPECT_EQ(keep(0, 5, kNow + 20, kNow).error().code, Errc::refused);
  EXPECT_TRUE(keep(0, 5, kNow + 20, kNow + 10).ok()) << "three are over";
}

TEST_F(PromiseBookTest, ForgetsAccountsWithoutPromises) {
  open(kNow, 8);
  for (unsigned i = 0; i < 200; ++i) {
    ASSERT_TRUE(keep(i, i, kNow + i + 1, kNow + i).ok()) << i;
    ASSERT_LE(book_->accounts(), 8U);
  }
  for (unsigned i = 0; i < 8; ++i) ASSERT_TRUE(keep(i, i, kNow + 1000, kNow + 200).ok());
  for (unsigned i = 8; i < 200; ++i) ASSERT_FALSE(keep(i, i, kNow + 1000, kNow + 200).ok());
  EXPECT_EQ(book_->accounts(), 8U) << "of those who were refused none is remembered";
}

// What was promised before a start.
class RecallTest : public PromiseBookTest {
 protected:
  RecallTest() {
    open(kNow, 100);
    crypto::SystemRandom random;
    for (unsigned i = 0; i < 3; ++i) {
      const Bytes content = pattern(10, i);
      MemorySource source(content);
      packages_.push_back(seal_package(source, Secret32(), blobs_, random, {})->id);
      EXPECT_TRUE(book_->keep(packages_[i], account(i), kNow + 10 + i, kNow).ok());
    }
    book_ = *PromiseBook::open(files_, file_, kNow, 100);
  }
  // What becomes of it.
  std::string delete_of(const BlobId& id, unsigned number, std::int64_t now = kNow) {
    std::string ended;
    const Status done = book_->unless_promised(id, account(number), now, [&](auto others) {
      ended = others == PromiseBook::Others::none ? "deleted" : "left";
      return Status{};
    });
    if (done) return ended;
    said_ = done.error().message;
    return std::string(errc_name(done.error().code));
  }
  void damage(const PackageId& package) {
    const Bytes manifest = *blobs_.get(package, kManifestSizeMax);
    const Bytes other(manifest.size(), 7);
    ASSERT_TRUE(files_.write_atomic(blobs_.path_of(package), other, FileMode::owner_only).ok());
  }

  testing::WatchedStore bucket_{blobs_};
  std::vector<PackageId> packages_;
  std::string said_;
};

// As a bucket's manifests come: one at a time, and not always.
TEST_F(RecallTest, NoAnswerButAManifestUnbinds) {
  EXPECT_EQ(delete_of(packages_[0], 0), "unavailable");
  EXPECT_EQ(delete_of(blob_id({}), 9), "unavailable") << "nothing has been looked at";
  int asked = 0;
  const auto stop = [&](auto) { return ++asked == 2; };
  EXPECT_EQ(book_->recall(bucket_, kNow, stop).error().code, Errc::cancelled);
  EXPECT_EQ(delete_of(blob_id({}), 9), "unavailable");
  for (const Errc why : {Errc::unavailable, Errc::timed_out, Errc::io, Errc::unauthorised,
                         Errc::refused, Errc::malformed, Errc::usage, Errc::not_found,
                         Errc::mismatch, Errc::too_large, Errc::unsupported}) {
    bucket_.away = Error{why, "the bucket says so"};
    const Status read = book_->recall(bucket_, kNow);
    // Nobody has so large a blob: other bytes.
    EXPECT_EQ(read.error().code, why == Errc::too_large ? Errc::mismatch : why);
    EXPECT_NE(read.error().message.find("2 promises can't be read"), std::string::npos);
    EXPECT_EQ(delete_of(packages_[1], 1), "unavailable") << errc_name(why);
  }
  bucket_.away = {};
  EXPECT_TRUE(book_->recall(bucket_, kNow).ok());
  for (unsigned i = 0; i < 3; ++i) EXPECT_EQ(delete_of(packages_[i], i), "refused");
  EXPECT_EQ(delete_of(blob_id({}), 1), "deleted");
}

TEST_F(RecallTest, WhatCantBeReadBindsItsAccountAndKeepsTheBytes) {
  const Bytes manifest = *blobs_.get(packages_[0], kManifestSizeMax);
  damage(packages_[0]);
  for (int round = 0; round < 2; ++round) {
    const Status read = book_->recall(bucket_, kNow);
    EXPECT_EQ(read.error().code, Errc::mismatch);
    EXPECT_NE(read.error().message.find(packages_[0].hex()), std::string::npos);
    EXPECT_EQ(delete_of(packages_[1], 1), "refused") << "those behind it have been read";
    EXPECT_EQ(delete_of(blob_id({}), 0), "unavailable");
    EXPECT_NE(said_.find("can't read package " + packages_[0].hex()), std::string::npos) << said_;
    EXPECT_NE(said_.find(std::to_string(kNow + 10)), std::string::npos) << said_;
    for (const unsigned other : {1U, 9U}) EXPECT_EQ(delete_of(blob_id({}), other), "left");
  }
  ASSERT_TRUE(blobs_.put(packages_[0], manifest).ok());
  EXPECT_TRUE(book_->recall(bucket_, kNow).ok());
  EXPECT_EQ(delete_of(packages_[0], 0), "refused");
  EXPECT_EQ(delete_of(blob_id({}), 0), "deleted");
}

TEST_F(RecallTest, WhatIsOverIsntSought) {
  for (const PackageId& package : packages_) damage(package);
  EXPECT_FALSE(book_->recall(bucket_, kNow).ok());
  EXPECT_EQ(delete_of(blob_id({}), 0, kNow + 10), "left") << "his is over, others' aren't";
  EXPECT_EQ(delete_of(blob_id({}), 1, kNow + 10), "unavailable");
  bool asked = false;
  EXPECT_TRUE(book_->recall(bucket_, kNow + 12, [&](auto) { return asked = true; }).ok());
  EXPECT_FALSE(asked);
  EXPECT_EQ(delete_of(blob_id({}), 1), "deleted");
}

TEST_F(RecallTest, ABusyBucketIsAskedSlowly) {
  std::vector<std::chrono::nanoseconds> pauses;
  const auto keep_pause = [&](auto pause) {
    pauses.push_back(pause);
    return false;
  };
  using std::chrono::seconds;
  bucket_.away = Error{Errc::unavailable, "slow down"};
  EXPECT_FALSE(book_->recall(bucket_, kNow, keep_pause).ok());
  EXPECT_EQ(pauses, (std::vector<std::chrono::nanoseconds>{seconds(0), seconds(1), seconds(1)}));
  pauses.clear();
  bucket_.away = Error{Errc::not_found, "none"};
  EXPECT_FALSE(book_->recall(bucket_, kNow, keep_pause).ok());
  EXPECT_EQ(pauses, std::vector<std::chrono::nanoseconds>(3));
}

}  // namespace
}  // namespace sp::store
