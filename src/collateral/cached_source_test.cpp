#include "collateral/cached_source.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "collateral/testing/test_support.hpp"

namespace sp::collateral {
namespace {

using std::chrono::seconds;
using testing::FunctionUpstream;
using testing::ManualClock;
using testing::published;
using testing::TemporaryFolder;

const Wanted kCrl = IntelRootCrl{};
const Wanted kOther = IntelPckCrl{};

Fetched fetched(std::string_view body, std::optional<seconds> lifetime = seconds(600)) {
  Fetched result;
  result.published = published(body);
  result.validator = {"origin", "tag of " + std::string(body)};
  result.lifetime = lifetime;
  return result;
}

// A disk that fails where a test says so.
class FailingFiles final : public Files {
 public:
  bool full = false;

  Result<Bytes> read(const Path& path, std::size_t size_max) const override {
    return disk_.read(path, size_max);
  }
  Result<Bytes> read_range(const Path& path, std::uint64_t offset,
                           std::size_t size) const override {
    return disk_.read_range(path, offset, size);
  }
  Result<std::uint64_t> size(const Path& path) const override { return disk_.size(path); }
  Status write_atomic(const Path& path, ByteView bytes, FileMode mode) override {
    if (full) return Error{Errc::io, "no space left"};
    return disk_.write_atomic(path, bytes, mode);
  }
  Status make_folder(const Path& path) override { return disk_.make_folder(path); }
  Status remove(const Path& path) override { return disk_.remove(path); }
  Result<std::vector<std::string>> list(const Path& folder) const override {
    return disk_.list(folder);
  }

 private:
  PosixFiles disk_;
};

// A cache over an upstream that a test scripts.
class Cache : public ::testing::Test {
 protected:
  std::unique_ptr<CachedSource> open(CachedSource::Options options = {}) {
    options.folder = folder_.path();
    return CachedSource::open(std::move(options), files_, clock_, upstream_).value();
  }
  std::string body(CachedSource& cache, const Wanted& wanted = kCrl) {
    const auto got = cache.get(wanted);
    return got ? std::string(as_text(got->body)) : got.error().message;
  }
  [[nodiscard]] Path file(const Wanted& wanted = kCrl) const {
    return folder_.path() / key_of(wanted).hex();
  }

  TemporaryFolder folder_;
  FailingFiles files_;
  ManualClock clock_;
  Result<Fetched> next_ = fetched("one");
  Validator seen_;
  FunctionUpstream upstream_{[this](const Wanted&, const Validator& kept) {
    seen_ = kept;
    return next_;
  }};
};

TEST_F(Cache, KeepsUntilItExpires) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(upstream_.calls, 1);
  EXPECT_EQ(body(*open()), "one") << "what is kept outlives the program";
  EXPECT_EQ(upstream_.calls, 1);
  clock_.advance(seconds(600));
  next_ = fetched("two");
  EXPECT_EQ(body(*cache), "two");
  EXPECT_EQ(seen_.etag, "tag of one");
  EXPECT_EQ(seen_.origin, "origin");
  EXPECT_EQ(upstream_.calls, 2);
}

TEST_F(Cache, WhatHasntChangedIsKeptOn) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  clock_.advance(seconds(600));
  Fetched unchanged;
  unchanged.unchanged = true;
  unchanged.lifetime = seconds(1000);
  next_ = unchanged;
  EXPECT_EQ(body(*cache), "one");
  clock_.advance(seconds(999));
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(upstream_.calls, 2);
  clock_.advance(seconds(1));
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(upstream_.calls, 3);
  EXPECT_EQ(seen_.etag, "tag of one");
}

TEST_F(Cache, UnchangedFromWhatIsNotKeptIsNoAnswer) {
  Fetched unchanged;
  unchanged.unchanged = true;
  next_ = unchanged;
  EXPECT_EQ(body(*open()), "the source says that nothing has changed");
}

TEST_F(Cache, LifetimesHaveLimits) {
  const auto lifetime = [&](std::optional<seconds> stated, std::optional<std::int64_t> next) {
    CachedSource::Options options;
    options.next_update = [&](const Wanted&, const Published&) { return next; };
    std::filesystem::remove(file());
    next_ = fetched("x", stated);
    const auto cache = open(options);
    EXPECT_EQ(body(*cache), "x");
    const Entry entry = decode_file(files_.read(file(), kEntryFileSizeMax).value()).value();
    EXPECT_EQ(entry.fetched_at, clock_.unix_seconds());
    return seconds(entry.expires_at - entry.fetched_at);
  };
  const std::int64_t now = clock_.unix_seconds();
  EXPECT_EQ(lifetime(seconds(600), {}), seconds(600));
  EXPECT_EQ(lifetime({}, {}), kLifetimeDefault);
  EXPECT_EQ(lifetime(seconds(0), {}), kLifetimeMin);
  EXPECT_EQ(lifetime(std::chrono::hours(24 * 300), {}), kLifetimeMax);
  EXPECT_EQ(lifetime({}, now + 7000), seconds(7000)) << "the vendor's next one comes before";
  EXPECT_EQ(lifetime(seconds(600), now + 7000), seconds(600));
  EXPECT_EQ(lifetime({}, now - 7000), kLifetimeMin) << "it has been due for long";
}

TEST_F(Cache, OfflineItNeverAsks) {
  EXPECT_EQ(body(*open()), "one");
  CachedSource::Options options;
  options.offline = true;
  const auto offline = open(options);
  clock_.advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(body(*offline), "one");
  const auto missing = offline->get(kOther);
  EXPECT_EQ(missing.error(),
            (Error{Errc::not_found, "the cache is offline and has no PCK CRL of CA platform"}));
  EXPECT_EQ(upstream_.calls, 1);
}

TEST_F(Cache, ServesWhatHasExpiredWhereTheSourceFails) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  clock_.advance(seconds(600));
  next_ = Error{Errc::unavailable, "nobody answers"};
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(upstream_.calls, 2) << "a failure isn't tried again at once";
  clock_.advance(kFailurePause);
  next_ = fetched("two");
  EXPECT_EQ(body(*cache), "two");
  clock_.advance(seconds(600));
  next_ = Error{Errc::not_found, "it is gone"};
  EXPECT_EQ(body(*cache), "it is gone");
}

TEST_F(Cache, FailuresAreRememberedForAWhile) {
  const auto cache = open();
  next_ = Error{Errc::not_found, "no such thing"};
  EXPECT_EQ(cache->get(kCrl).error(), (Error{Errc::not_found, "no such thing"}));
  EXPECT_EQ(cache->get(kCrl).error(), (Error{Errc::not_found, "no such thing"}));
  EXPECT_EQ(upstream_.calls, 1);
  clock_.advance(kFailurePause);
  next_ = fetched("there");
  EXPECT_EQ(body(*cache), "there");
}

TEST_F(Cache, ManyWaitersShareOneRequest) {
  std::atomic<int> waiting = 0;
  FunctionUpstream slow([&](const Wanted&, const Validator&) -> Result<Fetched> {
    while (waiting < 16) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return fetched("shared");
  });
  CachedSource::Options options;
  options.folder = folder_.path();
  const auto cache = CachedSource::open(options, files_, clock_, slow).value();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      ++waiting;
      const auto got = cache->get(kCrl);
      if (got && as_text(got->body) == "shared") ++right;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 16);
  EXPECT_EQ(slow.calls, 1);
}

TEST_F(Cache, OnlySoManyFetchAtOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  FunctionUpstream busy([&](const Wanted&, const Validator&) -> Result<Fetched> {
    const int now = ++running;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    --running;
    return fetched("x");
  });
  CachedSource::Options options;
  options.folder = folder_.path();
  const auto cache = CachedSource::open(options, files_, clock_, busy).value();
  std::vector<std::thread> threads;
  for (std::uint8_t i = 0; i < 24; ++i) {
    threads.emplace_back([&, i] {
      IntelTcbInfo info;
      info.fmspc.data[0] = i;
      EXPECT_TRUE(cache->get(info).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(busy.calls, 24);
  EXPECT_LE(most, static_cast<int>(kFetchesMax));
}

TEST_F(Cache, DamagedFilesAreFetchedAgain) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  const Bytes whole = files_.read(file(), kEntryFileSizeMax).value();
  next_ = fetched("again");
  for (const Bytes& damaged : {Bytes(), Bytes(whole.begin(), whole.end() - 1), Bytes(100, 'x'),
                               Bytes(kEntryFileSizeMax + 1, 'x')}) {
    const int before = upstream_.calls;
    ASSERT_TRUE(files_.write_atomic(file(), damaged, FileMode::owner_only).ok());
    EXPECT_EQ(body(*cache), "again");
    EXPECT_EQ(seen_.etag, "");
    EXPECT_EQ(upstream_.calls, before + 1);
    EXPECT_EQ(body(*cache), "again");
    EXPECT_EQ(upstream_.calls, before + 1);
  }
  // Another thing's file under this one's name.
  ASSERT_TRUE(files_
                  .write_atomic(file(), encode_file({kOther, {}, 1, 2, published("other")}),
                                FileMode::owner_only)
                  .ok());
  EXPECT_EQ(body(*cache), "again");
}

TEST_F(Cache, AWriteThatFailsLosesNothing) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  clock_.advance(seconds(600));
  files_.full = true;
  next_ = fetched("two");
  EXPECT_EQ(body(*cache), "two");
  const Entry kept = decode_file(files_.read(file(), kEntryFileSizeMax).value()).value();
  EXPECT_EQ(as_text(kept.published.body), "one");
}

TEST_F(Cache, WhatAKilledWriterLeftIsNoEntry) {
  EXPECT_EQ(body(*open()), "one");
  // write_atomic's own temporary file, cut off in the middle, beside the whole one.
  PosixFiles disk;
  const Bytes whole = disk.read(file(), kEntryFileSizeMax).value();
  const Path half = folder_.path() / (key_of(kCrl).hex() + ".tmp");
  ASSERT_TRUE(
      disk.write_atomic(half, ByteView(whole).first(whole.size() / 2), FileMode::owner_only).ok());
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  EXPECT_EQ(cache->export_bundle().value().entries.size(), 1U);
  EXPECT_EQ(upstream_.calls, 1);
}

TEST_F(Cache, OthersMakeRoom) {
  CachedSource::Options options;
  options.files_max = 4;
  const auto cache = open(options);
  for (std::uint8_t i = 0; i < 20; ++i) {
    IntelTcbInfo info;
    info.fmspc.data[0] = i;
    EXPECT_EQ(body(*cache, info), "one");
    EXPECT_LE(files_.list(folder_.path()).value().size(), 4U);
    const int before = upstream_.calls;
    EXPECT_EQ(body(*cache, info), "one");
    EXPECT_EQ(upstream_.calls, before) << "the newest is kept";
  }
  const auto again = open(options);
  EXPECT_EQ(body(*again, kCrl), "one");
  EXPECT_EQ(files_.list(folder_.path()).value().size(), 4U);
}

TEST_F(Cache, AClockThatWentWrongIsNoReasonToRest) {
  const auto cache = open();
  const std::int64_t future = clock_.unix_seconds() + 1000;
  const Entry entry{kCrl, {"origin", "x"}, future, future + 1000, published("future")};
  ASSERT_TRUE(files_.write_atomic(file(), encode_file(entry), FileMode::owner_only).ok());
  EXPECT_EQ(body(*cache), "one");
}

TEST_F(Cache, BundlesTravel) {
  const auto cache = open();
  EXPECT_EQ(body(*cache), "one");
  next_ = fetched("two");
  EXPECT_EQ(body(*cache, kOther), "two");
  const Bytes bytes = cache->export_bundle().value().encode().value();
  const Bundle bundle = Bundle::decode(bytes).value();
  EXPECT_EQ(bundle.made_at, clock_.unix_seconds());

  const TemporaryFolder elsewhere;
  CachedSource::Options options;
  options.folder = elsewhere.path();
  options.offline = true;
  const auto offline = CachedSource::open(options, files_, clock_, upstream_).value();
  EXPECT_EQ(offline->import_bundle(bundle).value(), 2U);
  EXPECT_EQ(body(*offline, kOther), "two");
  EXPECT_EQ(offline->import_bundle(bundle).value(), 0U) << "nothing in it is newer";
  EXPECT_EQ(upstream_.calls, 2);
}

TEST_F(Cache, ABundleCantSayThatItLastsForever) {
  const auto cache = open();
  const std::int64_t now = clock_.unix_seconds();
  const Bundle bundle{now, {{kCrl, {}, now, 253'402'300'799, published("for ever")}}};
  EXPECT_EQ(cache->import_bundle(bundle).value(), 1U);
  EXPECT_EQ(body(*cache), "for ever");
  clock_.advance(kLifetimeMax);
  EXPECT_EQ(body(*cache), "one");
}

}  // namespace
}  // namespace sp::collateral
