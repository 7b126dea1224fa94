// What a log of records makes of what crashes leave, and of damage.
#include "store/remote/record_log.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using Contents = std::vector<RecordLog::Content>;

constexpr std::size_t kMost = 1000;

RecordLog::Content content_of(std::size_t number) {
  RecordLog::Content content;
  content.fill(static_cast<std::uint8_t>(number + 1));
  content[kRecordOwnByte] = 0;
  return content;
}

class RecordLogTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<RecordLog>> open() {
    seen_.clear();
    return RecordLog::open(files_, file_, kMost,
                           [&](const RecordLog::Content& one) { seen_.push_back(one); });
  }
  std::unique_ptr<RecordLog> opened() {
    auto log = std::move(*open());
    if (log->needs_rewrite()) {
      EXPECT_TRUE(log->rewrite(files_, seen_).ok());
    }
    return log;
  }
  /// Appends groups of records, each of which is on the disk before the next begins but for the
  /// last; returns the file.
  Bytes written(const std::vector<std::size_t>& groups) {
    std::filesystem::remove(file_);
    const auto log = opened();
    std::size_t number = 0;
    for (std::size_t group = 0; group < groups.size(); ++group) {
      for (std::size_t i = 0; i < groups[group]; ++i) {
        EXPECT_TRUE(log->append(content_of(number++)).ok());
      }
      if (group + 1 < groups.size()) {
        EXPECT_TRUE(log->sync().ok());
      }
    }
    return *files_.read(file_, kMost * kRecordSize);
  }
  void put(const Bytes& bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << as_text(bytes);
  }
  /// Whether the first `count` records of written() and nothing else were seen.
  [[nodiscard]] bool saw(std::size_t count) const {
    for (std::size_t i = 0; i < seen_.size(); ++i) {
      if (seen_[i] != content_of(i)) return false;
    }
    return seen_.size() == count;
  }

  testing::TemporaryFolder folder_;
  PosixFiles files_;
  Path file_ = folder_ / "some.log";
  Contents seen_;
};

TEST_F(RecordLogTest, AnyDamagedByteIsRefusedAndTheFileLeft) {
  const Bytes good = written({1, 3, 2, 0});
  ASSERT_TRUE(open().ok());
  ASSERT_TRUE(saw(6));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      Bytes bytes = good;
      bytes[at] ^= static_cast<std::uint8_t>(flip);
      put(bytes);
      const auto log = open();
      ASSERT_FALSE(log.ok()) << at;
      EXPECT_EQ(log.error().code, Errc::mismatch);
      const std::size_t place = at / kRecordSize * kRecordSize;
      EXPECT_NE(log.error().message.find("some.log is damaged: bytes " + std::to_string(place) +
                                         " to " + std::to_string(place + kRecordSize - 1) + " "),
                std::string::npos)
          << log.error().message;
      EXPECT_EQ(*files_.read(file_, good.size()), bytes);
    }
  }
}

TEST_F(RecordLogTest, ZeroedRecordsThatWereAnsweredAreDamage) {
  const Bytes good = written({1, 3, 2, 0});
  // Behind a group stands a record that was appended when the group was on the disk; behind the
  // last there is none, and its zeros can't be told from a write that never came.
  for (std::size_t place = 0; place < 6; ++place) {
    Bytes bytes = good;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(place * kRecordSize), kRecordSize, 0);
    put(bytes);
    EXPECT_EQ(open().ok(), place >= 4) << place;
  }
}

TEST_F(RecordLogTest, WithoutADamagedRecordTheOthersAreRead) {
  Bytes bytes = written({1, 3, 2, 0});
  bytes.erase(bytes.begin() + kRecordSize, bytes.begin() + 2 * kRecordSize);
  put(bytes);
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(seen_,
            (Contents{content_of(0), content_of(2), content_of(3), content_of(4), content_of(5)}));
}

TEST_F(RecordLogTest, AKilledProcessLeavesPartOfARecordAtMost) {
  const Bytes good = written({2, 1, 0});
  for (std::size_t size = 0; size <= good.size(); ++size) {
    put({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    auto log = open();
    ASSERT_TRUE(log.ok()) << size;
    EXPECT_TRUE(saw(size / kRecordSize)) << size;
    EXPECT_EQ((*log)->needs_rewrite(), size % kRecordSize != 0);
  }
}

// A power failure: what no sync() covered may be there or not, in any order, the last of it in
// part, and the file as long as any of these appends made it.
TEST_F(RecordLogTest, APowerFailureLosesOnlyWhatWasntSynced) {
  constexpr std::size_t kKept = 3;
  constexpr std::size_t kUnsynced = 5;
  const Bytes good = written({1, 2, kUnsynced});
  for (unsigned there = 0; there < 1U << kUnsynced; ++there) {
    for (const std::size_t partly : {0U, 8U, 40U, 60U}) {
      Bytes bytes = good;
      std::size_t first_lost = kUnsynced;
      for (std::size_t i = 0; i < kUnsynced; ++i) {
        if ((there >> i & 1) != 0) continue;
        first_lost = std::min(first_lost, i);
        const std::size_t begin = (kKept + i) * kRecordSize;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin + partly),
                    kRecordSize - partly, 0);
      }
      put(bytes);
      auto log = open();
      ASSERT_TRUE(log.ok()) << there << ": " << log.error().message;
      EXPECT_TRUE(saw(kKept + first_lost)) << there;
      // It goes on behind what is left.
      ASSERT_TRUE((*log)->needs_rewrite() == (first_lost != kUnsynced));
      if ((*log)->needs_rewrite()) {
        ASSERT_TRUE((*log)->rewrite(files_, seen_).ok());
      }
      ASSERT_TRUE((*log)->append(content_of(kKept + first_lost)).ok());
      ASSERT_TRUE((*log)->sync().ok());
      ASSERT_TRUE(open().ok());
      EXPECT_TRUE(saw(kKept + first_lost + 1));
    }
  }
}

TEST_F(RecordLogTest, ManyThatNobodyWaitsForGoToTheDiskByThemselves) {
  const std::size_t many = 2 * kUnsyncedRecordsMax + 3;
  Bytes bytes = written({many});
  ASSERT_TRUE(open().ok());
  ASSERT_EQ(seen_.size(), many);
  // The first of them was on the disk when the last was appended.
  std::fill_n(bytes.begin(), kRecordSize, 0);
  put(bytes);
  EXPECT_EQ(open().error().code, Errc::mismatch);
}

TEST_F(RecordLogTest, SeveralThreadsAppend) {
  const auto log = opened();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 30; ++j) {
        EXPECT_TRUE(log->append(content_of(i)).ok());
        EXPECT_TRUE(log->sync().ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(seen_.size(), 120U);
}

}  // namespace
}  // namespace sp::store
