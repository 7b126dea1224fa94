#include "store/remote/receipt_turns.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace sp::store {
namespace {

using std::chrono::milliseconds;

class SteppedClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now; }
  void sleep_for(std::chrono::nanoseconds time) const override { now += time; }

  mutable std::chrono::nanoseconds now{};
};

Address account_of(std::uint8_t byte) {
  Address address;
  address.data.fill(byte);
  return address;
}

class ReceiptTurnsTest : public ::testing::Test {
 protected:
  SteppedClock clock_;
  ReceiptTurns turns_{clock_};
  const Address ann_ = account_of(1), bob_ = account_of(2), cid_ = account_of(3),
                dan_ = account_of(4);
};

TEST_F(ReceiptTurnsTest, AnAccountHasOneTurnAndSomeHaveTurnsAtOnce) {
  EXPECT_TRUE(turns_.begin(ann_));
  EXPECT_FALSE(turns_.begin(ann_));
  EXPECT_TRUE(turns_.begin(bob_));
  EXPECT_FALSE(turns_.begin(cid_));
  turns_.end(ann_);
  EXPECT_TRUE(turns_.begin(cid_));
}

TEST_F(ReceiptTurnsTest, WhoRepeatsTakesTurnsWithWhoWaits) {
  ASSERT_TRUE(turns_.begin(ann_));
  ASSERT_TRUE(turns_.begin(bob_));
  EXPECT_FALSE(turns_.begin(cid_));
  // Both end and are back before Cid, who comes again in a second.
  turns_.end(ann_);
  turns_.end(bob_);
  EXPECT_TRUE(turns_.begin(ann_)) << "there is a turn beside Cid's";
  EXPECT_FALSE(turns_.begin(bob_)) << "Cid came before";
  clock_.sleep_for(milliseconds(1500));
  EXPECT_TRUE(turns_.begin(cid_));
  EXPECT_FALSE(turns_.begin(bob_));
  turns_.end(cid_);
  EXPECT_FALSE(turns_.begin(cid_)) << "Bob came before";
  EXPECT_TRUE(turns_.begin(bob_));
}

TEST_F(ReceiptTurnsTest, WhoCameFirstIsFirst) {
  ASSERT_TRUE(turns_.begin(ann_));
  ASSERT_TRUE(turns_.begin(bob_));
  EXPECT_FALSE(turns_.begin(cid_));
  EXPECT_FALSE(turns_.begin(dan_));
  turns_.end(ann_);
  EXPECT_FALSE(turns_.begin(dan_));
  EXPECT_TRUE(turns_.begin(cid_));
  turns_.end(bob_);
  EXPECT_TRUE(turns_.begin(dan_));
}

TEST_F(ReceiptTurnsTest, APlaceIsKeptForWhoComesAgain) {
  ASSERT_TRUE(turns_.begin(ann_));
  ASSERT_TRUE(turns_.begin(bob_));
  EXPECT_FALSE(turns_.begin(cid_));
  for (int i = 0; i < 5; ++i) {
    clock_.sleep_for(kReceiptPlaceKept);
    EXPECT_FALSE(turns_.begin(cid_));
  }
  turns_.end(ann_);
  clock_.sleep_for(kReceiptPlaceKept);
  EXPECT_FALSE(turns_.begin(dan_)) << "it is Cid's turn";
  clock_.sleep_for(milliseconds(1));
  EXPECT_TRUE(turns_.begin(dan_)) << "Cid is gone";
}

TEST_F(ReceiptTurnsTest, NotMoreThanSoManyWait) {
  ASSERT_TRUE(turns_.begin(account_of(254)));
  ASSERT_TRUE(turns_.begin(account_of(255)));
  Address other;
  for (std::size_t i = 0; i < kLargeReceiptsWaiting; ++i) {
    other.data[0] = static_cast<std::uint8_t>(i);
    EXPECT_FALSE(turns_.begin(other));
  }
  EXPECT_FALSE(turns_.begin(ann_)) << "it has no place";
  turns_.end(account_of(254));
  turns_.end(account_of(255));
  other.data[0] = 1;
  EXPECT_TRUE(turns_.begin(other));
  EXPECT_FALSE(turns_.begin(ann_));
}

}  // namespace
}  // namespace sp::store
