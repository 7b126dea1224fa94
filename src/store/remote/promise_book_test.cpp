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
    ASSERT_TRUE(book_->recall(blobs_).ok());
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

// As a bucket's manifests come: one at a time, and not always.
TEST_F(PromiseBookTest, DeletesNothingBeforeAllIsRecalled) {
  open(kNow, 100);
  crypto::SystemRandom random;
  std::vector<PackageId> packages;
  for (unsigned i = 0; i < 3; ++i) {
    const Bytes content = pattern(10, i);
    MemorySource source(content);
    packages.push_back(seal_package(source, Secret32(), blobs_, random, {})->id);
    ASSERT_TRUE(book_->keep(packages[i], account(0), kNow + 10, kNow).ok());
  }
  // What is gone, and what is no package, binds nothing.
  ASSERT_TRUE(keep(0, 7, kNow + 10, kNow).ok() && keep(0, 8, kNow + 10, kNow).ok());
  ASSERT_TRUE(blobs_.put(blob_id(pattern(10, 8)), pattern(10, 8)).ok());
  book_ = *PromiseBook::open(files_, file_, kNow, 100);
  const auto delete_of = [&](const BlobId& id) {
    const Status done = book_->unless_promised(id, account(0), kNow, [](auto) { return Status{}; });
    return done ? std::string("deleted") : std::string(errc_name(done.error().code));
  };
  testing::WatchedStore bucket(blobs_);
  EXPECT_EQ(delete_of(packages[0]), "unavailable");
  int asked = 0;
  EXPECT_EQ(book_->recall(bucket, [&] { return ++asked == 2; }).error().code, Errc::cancelled);
  for (const Errc why : {Errc::unavailable, Errc::timed_out, Errc::io, Errc::unauthorised,
                         Errc::refused, Errc::malformed, Errc::usage}) {
    bucket.away = Error{why, "the bucket says nothing about it"};
    EXPECT_EQ(book_->recall(bucket).error().code, why);
  }
  EXPECT_EQ(delete_of(blob_id({})), "unavailable") << "what isn't promised can't be told apart";
  bucket.away = {};
  asked = 0;
  EXPECT_TRUE(book_->recall(bucket, [&] { return ++asked == 5; }).ok()) << "four were left";
  for (const PackageId& package : packages) EXPECT_EQ(delete_of(package), "refused");
  EXPECT_EQ(delete_of(blob_id({})), "deleted");
}

}  // namespace
}  // namespace sp::store
