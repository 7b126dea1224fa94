#include "store/mirror_store.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/spool_store.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using testing::pattern;
using testing::TemporaryFolder;

/// A store in memory that fails as it is told.
class OddStore final : public BlobStore {
 public:
  Status put(const BlobId& id, ByteView bytes) override {
    if (down) return Error{Errc::unavailable, "down"};
    held[id] = to_bytes(bytes);
    return {};
  }
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override {
    return get_unverified(id, size_max);
  }
  Result<Bytes> get_unverified(const BlobId& id, std::size_t) override {
    if (gone_for_whole) return Error{Errc::unavailable, "gone"};
    return look(id);
  }
  Result<Bytes> look(const BlobId& id) {
    ++asked;
    if (down) return Error{Errc::unavailable, "down"};
    const auto found = held.find(id);
    if (found == held.end()) return Error{Errc::not_found, "no blob"};
    Bytes bytes = found->second;
    if (lies) bytes[0] ^= 1;
    return bytes;
  }
  Status stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t,
                           ByteSink& sink) override {
    SP_ASSIGN(const Bytes bytes, look(id));
    if (denies && offset > 0) SP_TRY(sink.write(before_denial));
    if (offset > bytes.size() || (denies && offset > 0)) return Error{Errc::mismatch, "shorter"};
    ByteView rest = ByteView(bytes).subspan(offset);
    offsets.push_back(offset);
    const bool breaks = (cut != 0 && rest.size() > cut) || breaks_at_end;
    if (!breaks) return sink.write(rest);
    const std::size_t given = cut == 0 ? rest.size() : std::min(cut, rest.size());
    if (cut_once) cut = 0;
    SP_TRY(sink.write(rest.first(given)));
    return Error{Errc::unavailable, "broke off"};
  }
  Result<std::uint64_t> size(const BlobId& id) override {
    SP_ASSIGN(const Bytes bytes, get_unverified(id, 0));
    return std::uint64_t{bytes.size()};
  }

  std::map<BlobId, Bytes> held;
  std::vector<std::uint64_t> offsets;
  std::size_t cut = 0;    // bytes after which a stream breaks off
  bool cut_once = false;  // and is whole from then on
  bool breaks_at_end = false;
  bool denies = false;          // that the blob has more than a reader has
  Bytes before_denial;          // which it has the reader have
  bool gone_for_whole = false;  // answers for a part alone
  bool down = false;
  bool lies = false;
  int asked = 0;
};

class MirrorTest : public ::testing::Test {
 protected:
  OddStore a_, b_, c_;
  MirrorStore mirror_{{&a_, &b_, &c_}, 1};
  TemporaryFolder folder_;
  PosixFiles files_;
  Bytes bytes_ = pattern(1000);
  BlobId id_ = blob_id(bytes_);
};

TEST_F(MirrorTest, ReadsFromWhicheverHasIt) {
  EXPECT_EQ(mirror_.get(id_, 1000).error().code, Errc::not_found);
  EXPECT_EQ(mirror_.size(id_).error().code, Errc::not_found);
  c_.held[id_] = bytes_;
  EXPECT_EQ(*mirror_.get(id_, 1000), bytes_);
  EXPECT_EQ(*mirror_.size(id_), 1000U);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::good);
  a_.down = true;
  EXPECT_EQ(*mirror_.get(id_, 1000), bytes_);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::failing);
  c_.held.clear();
  // Where one couldn't be asked nobody can say that it isn't there.
  EXPECT_EQ(mirror_.get(id_, 1000).error().code, Errc::unavailable);
  a_.down = false;
  a_.held[id_] = bytes_;
  EXPECT_EQ(*mirror_.get(id_, 1000), bytes_);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::good);
}

TEST_F(MirrorTest, ALiarIsAskedLast) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.lies = true;
  EXPECT_EQ(*mirror_.get_unverified(id_, 1000), bytes_);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
  const int asked = a_.asked;
  EXPECT_EQ(*mirror_.get(id_, 1000), bytes_);
  EXPECT_EQ(a_.asked, asked);
  b_.lies = true;
  EXPECT_EQ(mirror_.get(id_, 1000).error().code, Errc::mismatch);
  EXPECT_EQ(a_.asked, asked + 1);
}

// Who asks again gets it from the one that is back; a lie is no reason to ask again.
TEST_F(MirrorTest, WhoIsAwayWeighsMoreThanALiar) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  b_.lies = true;
  a_.down = true;
  EXPECT_EQ(mirror_.get(id_, 1000).error().code, Errc::unavailable);
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::lying);
  a_.down = false;
  EXPECT_EQ(*mirror_.get(id_, 1000), bytes_);
}

TEST_F(MirrorTest, AnotherGoesOnWhereOneBrokeOff) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.cut = 300;
  MemorySink sink(1000);
  EXPECT_TRUE(mirror_.stream_unverified(id_, 0, 1000, sink).ok());
  EXPECT_EQ(sink.bytes(), bytes_);
  EXPECT_EQ(b_.offsets, std::vector<std::uint64_t>{300});
  MemorySink little(500);  // the reader's own fault is nobody else's
  EXPECT_EQ(mirror_.stream_unverified(id_, 0, 1000, little).error().code, Errc::too_large);
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::good);
}

// Whoever lies and breaks off leaves the end to another, who is not to blame for the whole.
TEST_F(MirrorTest, LiarsThatBreakOffDontKeepABlobFromAnybody) {
  for (OddStore* store : {&a_, &b_, &c_}) {
    store->held[id_] = bytes_;
    if (store != &c_) store->lies = true;
  }
  a_.cut = b_.cut = 300;
  b_.held[id_][400] ^= 1;
  const auto get = [&](std::uint64_t offset = 0) -> Result<Bytes> {
    MemorySink sink(2000);
    SP_TRY(mirror_.stream_unverified(id_, offset, 2000, sink));
    return std::move(sink.bytes());
  };
  EXPECT_EQ(get().error().code, Errc::mismatch);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::lying);
  EXPECT_EQ(mirror_.state(2), MirrorStore::State::good);
  EXPECT_EQ(*get(), bytes_);
  SpoolStore spool(files_, folder_.path() / "spool", mirror_, 3);
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
}

TEST_F(MirrorTest, WhoWasBlamedOftenIsAskedLastOfAll) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  // The honest one broke off once, and the liar gave the end.
  a_.cut = 300;
  b_.held[id_][999] ^= 1;
  SpoolStore spool(files_, folder_.path() / "spool", mirror_, 3);
  const auto whole = [&] {
    MemorySink sink(1000);
    const Status done = mirror_.stream_unverified(id_, 0, 1000, sink);
    return done ? sink.bytes() : Bytes();
  };
  EXPECT_EQ(whole(), Bytes());
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
  a_.cut = 0;
  EXPECT_EQ(whole(), Bytes());  // of the other, alone
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::lying);
  EXPECT_EQ(whole(), bytes_);
  b_.cut = 300;
  EXPECT_EQ(whole(), bytes_);
}

// Longer than the blob, and cut off behind its end: an honest one says that it ends before.
TEST_F(MirrorTest, WhoSaysThatABlobEndsBeforeIsNotToBlame) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.held[id_].resize(3000);
  a_.cut = 1500;
  MemorySink sink(3000);
  EXPECT_EQ(mirror_.stream_unverified(id_, 0, 3000, sink).error().code, Errc::mismatch);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::good);
  MemorySink again(3000);
  EXPECT_TRUE(mirror_.stream_unverified(id_, 0, 3000, again).ok());
  EXPECT_EQ(again.bytes(), bytes_);
}

// It has other bytes, fewer: its word doesn't take from anybody what others gave.
TEST_F(MirrorTest, ALiarThatSaysThatABlobEndsBeforeIsPassedOver) {
  a_.held[id_] = pattern(100);
  b_.held[id_] = bytes_;
  b_.cut = 300;
  SpoolStore spool(files_, folder_.path() / "spool", mirror_, 3);
  const Path part = folder_.path() / "spool" / (id_.hex() + ".part");
  std::filesystem::create_directories(part.parent_path());
  std::ofstream(part) << std::string(as_text(ByteView(bytes_).first(300)));
  for (const std::uint64_t has : {600U, 900U}) {
    EXPECT_EQ(spool.get(id_, 1000).error().code, Errc::unavailable);
    EXPECT_EQ(*files_.size(part), has) << "what others gave is kept";
    EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
    EXPECT_EQ(mirror_.state(1), MirrorStore::State::failing);
  }
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
}

// It has the very bytes, which say that its word is wrong: they are taken, and nobody else blamed.
TEST_F(MirrorTest, ALiarThatHasWhatItDeniesGivesIt) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.cut = 300;
  b_.denies = true;
  MemorySink sink(1000);
  EXPECT_TRUE(mirror_.stream_unverified(id_, 0, 1000, sink).ok());
  EXPECT_EQ(sink.bytes(), bytes_);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::failing);
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::lying);
  // Neither is a part of before thrown away, be it at the blob's end.
  for (const std::uint64_t had : {400U, 1000U}) {
    MemorySink rest(1000);
    EXPECT_TRUE(MirrorStore({&b_}, 1).stream_unverified(id_, had, 1000, rest).ok());
    EXPECT_EQ(rest.bytes(), Bytes(bytes_.begin() + static_cast<std::ptrdiff_t>(had), bytes_.end()));
  }
  MemorySink little(500);
  EXPECT_EQ(mirror_.stream_unverified(id_, 0, 1000, little).error().code, Errc::too_large);
}

// It shows that what it gave itself is no part of the blob.
TEST_F(MirrorTest, WhoDisprovesItselfIsBlamedAsWell) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.cut = 300;
  b_.denies = true;
  b_.before_denial.resize(2000);
  MemorySink sink(3000);
  EXPECT_EQ(mirror_.stream_unverified(id_, 0, 3000, sink).error().code, Errc::mismatch);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying) << "nobody knows";
  EXPECT_EQ(mirror_.state(1), MirrorStore::State::lying);
}

// Nothing is said against it where it couldn't be asked for the proof.
TEST_F(MirrorTest, WhoCantProveItJustNowIsNoLiar) {
  a_.held[id_] = bytes_;
  a_.gone_for_whole = true;
  MemorySink sink(3000);
  EXPECT_EQ(mirror_.stream_unverified(id_, 1500, 3000, sink).error().code, Errc::unavailable);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::failing);
}

TEST_F(MirrorTest, WhatIsWholeIsTakenThoughItBrokeOffAtItsEnd) {
  a_.held[id_] = pattern(100);
  b_.held[id_] = bytes_;
  b_.breaks_at_end = true;
  MemorySink sink(1000);
  a_.down = true;
  EXPECT_TRUE(mirror_.stream_unverified(id_, 0, 1000, sink).ok());
  EXPECT_EQ(sink.bytes(), bytes_);
}

// The liar gave the end of what the honest one began, so that both were blamed.
TEST_F(MirrorTest, AHiccupBesideALiarEndsNoDownload) {
  for (OddStore* store : {&a_, &b_}) store->held[id_] = bytes_;
  a_.cut = 300;
  a_.cut_once = true;
  b_.lies = true;
  b_.held[id_][999] ^= 1;
  MirrorStore two({&a_, &b_}, 1);
  SpoolStore spool(files_, folder_.path() / "spool", two, 2);
  const auto blob = spool.get(id_, 1000);
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(*blob, bytes_);
}

// Whoever was blamed before: other threads may have met the same hiccup, and what a part held may
// have been wrong.
TEST_F(MirrorTest, AsManyLiarsAsThereMayBeEndNoDownload) {
  std::deque<OddStore> stores(kMirrorsMax);
  std::vector<BlobStore*> all;
  for (OddStore& store : stores) {
    store.held[id_] = bytes_;
    if (&store != &stores.back()) store.held[id_][999] ^= 1;
    all.push_back(&store);
  }
  MirrorStore mirror(all, 1);
  SpoolStore spool(files_, folder_.path() / "spool", mirror, kMirrorsMax);
  const Path part = folder_.path() / "spool" / (id_.hex() + ".part");
  std::filesystem::create_directories(part.parent_path());
  std::ofstream(part) << "something else";
  stores.back().cut = 300;
  const auto blob = spool.get(id_, 1000);
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(*blob, bytes_);
}

TEST_F(MirrorTest, WritesAsManyCopiesAsWereAsked) {
  MirrorStore two({&a_, &b_, &c_}, 2);
  a_.down = true;
  EXPECT_TRUE(two.put(id_, bytes_).ok());
  EXPECT_TRUE(b_.held.contains(id_) && c_.held.contains(id_));
  b_.down = true;
  const auto failed = two.put(id_, bytes_);
  EXPECT_EQ(failed.error().code, Errc::unavailable);
  EXPECT_EQ(failed.error().message, "only 1 of 2 copies were kept: down");
  EXPECT_TRUE(mirror_.put(id_, bytes_).ok());
}

TEST_F(MirrorTest, ASpoolGoesOnAtTheByte) {
  a_.held[id_] = bytes_;
  a_.cut = 400;
  for (int i = 0; i < 2; ++i) {
    SpoolStore spool(files_, folder_.path() / "spool", a_);
    EXPECT_EQ(spool.get(id_, 1000).error().code, Errc::unavailable);
  }
  const Path part = folder_.path() / "spool" / (id_.hex() + ".part");
  EXPECT_EQ(*files_.size(part), 800U);
  SpoolStore spool(files_, folder_.path() / "spool", a_);
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
  EXPECT_EQ(a_.offsets, (std::vector<std::uint64_t>{0, 400, 800}));
  EXPECT_EQ(files_.size(part).error().code, Errc::not_found);
  a_.down = true;
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
  EXPECT_EQ(*spool.size(id_), 1000U);
  EXPECT_EQ(spool.get(id_, 999).error().code, Errc::too_large);
}

TEST(Mirror, DeletesFromEveryPlaceAndSaysWhichCouldNot) {
  testing::TemporaryFolder folder;
  PosixFiles files;
  DirectoryStore first(files, folder.path() / "1");
  DirectoryStore last(files, folder.path() / "2");
  OddStore stays;
  const Bytes bytes = testing::pattern(10);
  const BlobId id = blob_id(bytes);
  ASSERT_TRUE(first.put(id, bytes).ok() && last.put(id, bytes).ok());
  MirrorStore mirror({&first, &stays, &last}, 1);
  EXPECT_EQ(mirror.remove(id).error().code, Errc::unsupported);
  EXPECT_FALSE(first.size(id).ok() || last.size(id).ok());
  MirrorStore able({&first, &last}, 1);
  EXPECT_TRUE(able.remove(id).ok());
}

TEST_F(MirrorTest, ASpoolBelievesNothing) {
  const Path folder = folder_.path() / "spool";
  a_.held[id_] = bytes_;
  // A part that isn't the blob's beginning, one that is longer, and a kept blob that was altered.
  SpoolStore spool(files_, folder, a_);
  ASSERT_TRUE(files_.make_folder(folder).ok());
  const Path part = folder / (id_.hex() + ".part");
  std::ofstream(part) << "something else";
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
  EXPECT_EQ(a_.offsets, (std::vector<std::uint64_t>{14, 0}));
  const Path kept = folder / id_.hex().substr(0, 2) / id_.hex();
  std::ofstream(kept) << "altered";
  std::ofstream(part) << std::string(2000, 'x');
  EXPECT_EQ(*spool.get(id_, 1000), bytes_);
  // A liar leaves nothing behind.
  std::filesystem::remove(kept);
  a_.lies = true;
  const int asked = a_.asked;
  EXPECT_EQ(spool.get(id_, 1000).error().code, Errc::mismatch);
  EXPECT_EQ(a_.asked, asked + 1) << "nobody else could be honest";
  EXPECT_EQ(files_.size(part).error().code, Errc::not_found);
  EXPECT_EQ(files_.size(kept).error().code, Errc::not_found);
  // Beside another it is found out, and the other asked.
  b_.held[id_] = bytes_;
  SpoolStore several(files_, folder, mirror_, 3);
  EXPECT_EQ(*several.get(id_, 1000), bytes_);
  EXPECT_EQ(mirror_.state(0), MirrorStore::State::lying);
}

}  // namespace
}  // namespace sp::store
