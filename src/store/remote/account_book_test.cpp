// The book of a store's owners: its file, what it remembers, and what it forgets.
#include "store/remote/account_book.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/remote/testing/signed_store.hpp"

namespace sp::store {
namespace {

using crypto::testing::eth_key;
using testing::kNow;
using testing::pattern;
using testing::TemporaryFolder;

class AccountBookTest : public ::testing::Test {
 protected:
  static bool all(const BlobId&, std::uint64_t) { return true; }
  /// As after a restart.
  auto open(const AccountBook::Holds& holds = all, std::size_t records_max = kOwnedBlobsMax) {
    return AccountBook::open(files_, file_, accounts_, now_, holds, records_max);
  }

  TemporaryFolder folder_;
  PosixFiles files_;
  const Path file_ = folder_.path() / "owners.log";
  const Address account_ = eth_key(6).address();
  StoreAccounts accounts_{.open = true};
  std::int64_t now_ = kNow;
};

TEST_F(AccountBookTest, EachOwnershipEndsWhereTheFileIsFull) {
  auto book = *open(all, 9);
  std::vector<BlobId> owned;
  for (unsigned i = 0; i < 5; ++i) {
    const BlobId id = blob_id(pattern(10, i));
    const auto charged = book->charge(account_, id, 10, kNow);
    EXPECT_EQ(charged.ok(), i < 4);
    if (charged) owned.push_back(id);
  }
  for (const BlobId& id : owned) EXPECT_TRUE(book->disown(account_, id, kNow + 1).ok());
  EXPECT_EQ(book->usage(account_), AccountBook::Usage{});
  EXPECT_TRUE(book->charge(account_, owned[0], 10, kNow + 2).ok()) << "there is room again";
}

TEST_F(AccountBookTest, OnlySoManyAccountsOwnSomething) {
  accounts_.accounts_max = 2;
  auto book = *open();
  const BlobId id = blob_id({});
  for (std::uint8_t key = 6; key < 8; ++key) {
    EXPECT_TRUE(book->charge(eth_key(key).address(), id, 10, kNow).ok());
  }
  EXPECT_EQ(book->charge(eth_key(8).address(), id, 10, kNow).error(),
            (Error{Errc::refused, "this store has its 2 accounts already; take another store"}));
  ASSERT_TRUE(book->disown(eth_key(7).address(), id, kNow + 1).ok());
  EXPECT_TRUE(book->charge(eth_key(8).address(), id, 10, kNow).ok());
}

TEST_F(AccountBookTest, AFullFileIsWrittenAnewWithoutWhatIsOver) {
  auto book = *open(all, 20);
  ASSERT_TRUE(book->charge(account_, blob_id({}), 10, kNow).ok());
  for (unsigned i = 0; i < 100; ++i) {
    const BlobId id = blob_id(pattern(10, i));
    ASSERT_TRUE(book->charge(account_, id, 10, kNow).ok());
    ASSERT_TRUE(book->sync().ok());
    if (i == 99) break;
    ASSERT_TRUE(book->disown(account_, id, kNow + 1).ok());
  }
  EXPECT_LE(*files_.size(file_), 20U * 64);
  book = *open(all, 20);
  EXPECT_EQ(book->usage(account_), (AccountBook::Usage{20, 2}));
}

TEST_F(AccountBookTest, WritesTheFileAnewWhereMuchIsVoid) {
  auto book = *open();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(book->charge(account_, blob_id({}), 10, kNow).ok());
    if (i != 4999) book->refund(account_, blob_id({}));
  }
  EXPECT_EQ(*files_.size(file_), 9999U * 64);
  book.reset();
  book = *open();
  EXPECT_EQ(book->usage(account_), (AccountBook::Usage{10, 1}));
  EXPECT_EQ(*files_.size(file_), 64U);
  ASSERT_TRUE(book->charge(account_, blob_id(as_bytes("x")), 5, kNow).ok());
  book = *open();
  EXPECT_EQ(book->usage(account_), (AccountBook::Usage{15, 2}));
}

TEST_F(AccountBookTest, DeletionsOfManyAccountsAreRememberedTogether) {
  const BlobId id = blob_id({});
  const auto account = [](std::uint8_t number) {
    Address made;
    made.data[0] = number;
    return made;
  };
  accounts_.accounts_max = 2;
  now_ = kNow - 1000;
  auto book = *open();
  const auto bring_and_delete = [&](std::uint8_t number, std::int64_t at) {
    ASSERT_TRUE(book->charge(account(number), id, 10, at).ok());
    ASSERT_TRUE(book->disown(account(number), id, at + 1).ok());
  };
  // Brought again, within the second of its deletion: what deleted it then doesn't now.
  const auto replays = [&](std::uint8_t number, std::int64_t at) {
    EXPECT_TRUE(book->charge(account(number), id, 10, at).ok());
    const bool counts = book->may_delete(account(number), id, at + 1).ok();
    book->refund(account(number), id);
    return counts;
  };
  bring_and_delete(1, kNow - 700);
  bring_and_delete(2, kNow);
  EXPECT_FALSE(replays(1, kNow - 700));
  bring_and_delete(3, kNow);  // the first one's signature is out of date: it is forgotten
  EXPECT_TRUE(replays(1, kNow - 700));
  EXPECT_FALSE(replays(2, kNow));
  EXPECT_FALSE(replays(3, kNow));
  bring_and_delete(4, kNow + 5);  // more than are told apart
  for (std::uint8_t number = 2; number < 6; ++number) EXPECT_FALSE(replays(number, kNow));
  EXPECT_FALSE(replays(5, kNow + 5));
  EXPECT_TRUE(replays(5, kNow + 6));
  bring_and_delete(2, kNow + 1);  // told apart again, by no less than what stands for all
  EXPECT_FALSE(replays(2, kNow + 5));
}

TEST(AccountBook, ADiskThatDoesntAnswerTakesNothing) {
  class Answer final : public BlobStore {
   public:
    Status put(const BlobId&, ByteView) override { return {}; }
    Result<Bytes> get(const BlobId&, std::size_t) override { return Error{Errc::io, "broken"}; }
    Result<std::uint64_t> size(const BlobId&) override { return says; }
    Result<std::uint64_t> says = Error{Errc::io, "broken"};
  };
  Answer blobs;
  const AccountBook::Holds holds = AccountBook::held_in(blobs);
  EXPECT_TRUE(holds(blob_id({}), 10));
  blobs.says = Error{Errc::not_found, "none"};
  EXPECT_FALSE(holds(blob_id({}), 10));
  blobs.says = std::uint64_t{9};
  EXPECT_FALSE(holds(blob_id({}), 10));
  blobs.says = std::uint64_t{10};
  EXPECT_TRUE(holds(blob_id({}), 10));
}

TEST_F(AccountBookTest, WhatABlobsAbsenceEndedStaysEnded) {
  const auto none = [](const BlobId&, std::uint64_t) { return false; };
  auto book = *open();
  ASSERT_TRUE(book->charge(account_, blob_id({}), 10, kNow).ok());
  // A crash kept the blob from its place. Then another account brings it.
  for (const AccountBook::Holds& holds : {AccountBook::Holds(none), AccountBook::Holds(all)}) {
    book = *open(holds);
    EXPECT_EQ(book->usage(account_), AccountBook::Usage{});
  }
}

TEST_F(AccountBookTest, IsntOpenedWhereItsFileIsDamaged) {
  auto book = *open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        book->charge(account_, blob_id(pattern(10, static_cast<unsigned>(i))), 10, kNow).ok());
    ASSERT_TRUE(book->sync().ok());
  }
  book.reset();
  Bytes bytes = *files_.read(file_, 3 * 64);
  bytes[64] ^= 1;
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << as_text(bytes);
  const auto refused = open();
  EXPECT_EQ(refused.error().code, Errc::mismatch);
  EXPECT_EQ(*files_.read(file_, 3 * 64), bytes);
}

}  // namespace
}  // namespace sp::store
