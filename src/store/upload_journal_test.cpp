#include "store/upload_journal.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using testing::CountingRandom;
using testing::pattern;
using testing::TemporaryFolder;

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<UploadJournal> open() { return *UploadJournal::open(file_, random_); }
  Result<SealedPackage> seal(UploadJournal& journal, const Bytes& content,
                             std::uint64_t stop_after = UINT64_MAX) {
    MemorySource source(content);
    SealOptions options;
    journal.use(options);
    options.progress = [&](std::uint64_t done) { return done < stop_after; };
    return seal_package(source, journal.content_key(), store_, random_, options);
  }

  TemporaryFolder folder_;
  Path file_ = folder_.path() / "journal";
  PosixFiles files_;
  DirectoryStore store_{files_, folder_.path() / "blobs"};
  CountingRandom random_;
  Bytes content_ = pattern(3 * kChunkSize + 100);
};

TEST_F(JournalTest, TheSameContentSealsToTheSameBlobs) {
  auto journal = open();
  EXPECT_EQ(seal(*journal, content_, 1).error().code, Errc::cancelled);
  const Secret32 key = *Secret32::from(journal->content_key().reveal());
  journal.reset();
  journal = open();
  EXPECT_GT(journal->resumed(), 0U);
  EXPECT_TRUE(std::ranges::equal(journal->content_key().reveal(), key.reveal()));
  const auto sealed = seal(*journal, content_);
  ASSERT_TRUE(sealed.ok()) << sealed.error().message;
  journal.reset();
  journal = open();
  EXPECT_EQ(journal->resumed(), 4U);
  EXPECT_EQ(seal(*journal, content_)->id, sealed->id);
  MemorySink sink(content_.size());
  ASSERT_TRUE(Package::fetch(store_, sealed->id)->open(key, sink).ok());
  EXPECT_EQ(sink.bytes(), content_);
  journal->forget();
  journal = open();
  EXPECT_EQ(journal->resumed(), 0U);
  EXPECT_NE(seal(*journal, content_)->id, sealed->id);
}

TEST_F(JournalTest, OneNonceNeverSealsTwoPlaintexts) {
  auto journal = open();
  ASSERT_TRUE(seal(*journal, content_).ok());
  Bytes other = content_;
  other[kChunkSize + 5] ^= 1;
  const auto refused = seal(*journal, other);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_EQ(refused.error().message, "the content has changed since its upload began");
  // Cut at a chunk's end, the chunk has become the last: another nonce, and refused all the same.
  EXPECT_EQ(seal(*journal, Bytes(content_.begin(), content_.begin() + kChunkSize)).error().code,
            Errc::conflict);
  EXPECT_EQ(seal(*journal, Bytes(content_.begin(), content_.end() - 1)).error().code,
            Errc::conflict);
}

TEST_F(JournalTest, ARecordThatWasCutOffIsWrittenAgain) {
  auto journal = open();
  ASSERT_TRUE(journal->record(0, false, as_bytes("a")).ok());
  ASSERT_TRUE(journal->record(1, false, as_bytes("b")).ok());
  journal.reset();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
  journal = open();
  EXPECT_EQ(journal->resumed(), 1U);
  EXPECT_EQ(journal->record(0, false, as_bytes("x")).error().code, Errc::conflict);
  EXPECT_TRUE(journal->record(1, false, as_bytes("c")).ok());
  journal.reset();
  journal = open();
  EXPECT_EQ(journal->record(1, false, as_bytes("b")).error().code, Errc::conflict);
  EXPECT_EQ(std::filesystem::file_size(file_), 70U + 2 * 36);
}

TEST_F(JournalTest, OneProcessAtATime) {
  const auto journal = open();
  EXPECT_EQ(UploadJournal::open(file_, random_).error().code, Errc::conflict);
  EXPECT_EQ(std::filesystem::status(file_).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(JournalTest, WhatIsNoJournalIsBegunAnew) {
  std::ofstream(file_) << "SPUJ and something else";
  EXPECT_EQ(open()->resumed(), 0U);
  EXPECT_EQ(std::filesystem::file_size(file_), 70U);
}

TEST_F(JournalTest, ARecordInTheMiddleThatIsDamagedBeginsAnew) {
  // No chunk's number, and the number of another record. What is recorded over the one would bring
  // back what stands behind it, whose nonces may have sealed something else meanwhile.
  for (const auto& [at, byte] : {std::pair(70, '\xff'), std::pair(70 + 36 + 3, '\0')}) {
    auto journal = open();
    ASSERT_TRUE(journal->record(0, false, as_bytes("a")).ok());
    ASSERT_TRUE(journal->record(1, false, as_bytes("b")).ok());
    const Secret32 key = journal->content_key().clone();
    journal.reset();
    std::fstream(file_, std::ios::binary | std::ios::in | std::ios::out).seekp(at).put(byte);
    journal = open();
    EXPECT_EQ(journal->resumed(), 0U);
    EXPECT_FALSE(std::ranges::equal(journal->content_key().reveal(), key.reveal()));
  }
}

}  // namespace
}  // namespace sp::store
