// What is compressed takes no more memory than what isn't, whatever its few bytes say.
#include "store/archive_compression.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "store/testing/compressed.hpp"
#include "store/testing/hostile_tar.hpp"
#include "store/testing/test_support.hpp"
#include "store/testing/unpacking.hpp"
#include "store/tree.hpp"

namespace sp::store {
namespace {

using testing::compressed;
using testing::HostileTar;
using testing::pattern;
using testing::read_all;
using testing::tar_of_long_map;
using testing::TemporaryFolder;

constexpr int kGzip = ARCHIVE_FILTER_GZIP;
constexpr int kZstd = ARCHIVE_FILTER_ZSTD;

Result<Bytes> undone(ByteView stored, std::uint64_t plain_max = 1 << 30) {
  SP_ASSIGN(const auto source, undo_compression(std::make_unique<MemorySource>(stored), plain_max));
  return read_all(*source);
}

// What read_archive says of it: nothing, or the code of its error.
std::optional<Errc> read_of(ByteView archive) {
  const TemporaryFolder folder;
  std::ofstream(folder / "archive", std::ios::binary) << as_text(archive);
  std::filesystem::create_directory(folder / "scratch");
  const auto tree = read_archive(folder / "archive", folder / "scratch");
  return tree ? std::nullopt : std::optional(tree.error().code);
}

TEST(ArchiveCompression, GzipAndZstdAreUndoneOnceAndAllElseIsGivenAsItIs) {
  const Bytes plain = pattern(700'000);
  EXPECT_EQ(*undone(plain), plain);
  for (const std::size_t size : {0U, 1U, 3U, 4U}) {
    EXPECT_EQ(*undone(ByteView(plain).first(size)), to_bytes(ByteView(plain).first(size)));
  }
  for (const int filter : {kGzip, kZstd}) {
    const Bytes stored = compressed(plain, filter);
    ASSERT_NE(stored, plain);
    EXPECT_EQ(*undone(stored), plain) << filter;
    EXPECT_EQ(*undone(compressed({}, filter)), Bytes{}) << filter;
    // Members of gzip, and frames of zstd, in a row.
    Bytes twice = stored;
    append(twice, stored);
    Bytes whole = plain;
    append(whole, plain);
    EXPECT_EQ(*undone(twice), whole) << filter;
    EXPECT_EQ(*undone(compressed(stored, kGzip)), stored) << filter;
    EXPECT_EQ(undone(ByteView(stored).first(stored.size() / 2)).error().code, Errc::malformed);
    EXPECT_EQ(undone(stored, plain.size() - 1).error().code, Errc::too_large) << filter;
    EXPECT_TRUE(undone(stored, plain.size()).ok()) << filter;
  }
}

TEST(ArchiveCompression, TheSourcesErrorIsTold) {
  class Broken final : public ByteSource {
   public:
    explicit Broken(ByteView bytes) : bytes_(bytes) {}
    Result<std::size_t> read(MutableByteView out) override {
      SP_ASSIGN(const std::size_t got, bytes_.read(out));
      if (got == 0) return Error{Errc::io, "the disk failed"};
      return got;
    }
    MemorySource bytes_;
  };
  for (const int filter : {kGzip, kZstd}) {
    const Bytes stored = compressed(pattern(100'000), filter);
    auto source = undo_compression(
        std::make_unique<Broken>(ByteView(stored).first(stored.size() / 2)), kArchiveBytesMax);
    ASSERT_TRUE(source.ok());
    EXPECT_EQ(read_all(**source).error().code, Errc::io) << filter;
  }
}

TEST(ArchiveCompression, GzipIsCheckedAndWhatIsBehindItIsLeftOut) {
  const Bytes plain = pattern(1'000);
  Bytes stored = compressed(plain, kGzip);
  stored.insert(stored.end(), 300'000, 0);
  EXPECT_EQ(*undone(stored), plain);
  stored = compressed(plain, kGzip);
  stored[stored.size() - 8] ^= 1;  // of the checksum
  EXPECT_EQ(undone(stored).error().code, Errc::malformed);
  // A header whose name has no end.
  Bytes named{0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3};
  named.resize(1 << 20, 'n');
  EXPECT_EQ(undone(named).error().code, Errc::malformed);
  named.push_back(0);
  append(named, ByteView(compressed(plain, kGzip)).subspan(10));
  EXPECT_EQ(*undone(named), plain);
}

TEST(ArchiveCompression, ACompressedArchiveIsReadAsAPlainOneIs) {
  const Bytes tar = HostileTar().folder("d").file("d/f", "some content").bytes();
  const ByteView endless = ByteView(tar).first(tar.size() - kTarEndSize);
  Bytes trailing = tar;
  trailing.resize(trailing.size() + kTarTrailerMax + (1 << 19));
  for (const int filter : {kGzip, kZstd}) {
    EXPECT_EQ(read_of(compressed(tar, filter)), std::nullopt) << filter;
    EXPECT_EQ(read_of(compressed(endless, filter)), Errc::malformed) << filter;
    EXPECT_EQ(read_of(compressed(trailing, filter)), Errc::too_large) << filter;
    EXPECT_EQ(read_of(compressed(compressed(tar, filter), kGzip)), Errc::malformed);
  }
}

// Ends this process: with 0 where reading is refused for the size, within this much memory.
[[noreturn]] void read_in_little_memory(const Bytes& archive) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t most = pages * 4096 + (std::size_t{512} << 20);
  const rlimit limit{most, most};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) std::exit(2);
#endif
  std::exit(read_of(archive) == Errc::too_large ? 0 : 1);
}

// A few KB of zstd say a map that libarchive would take more than a GiB for.
TEST(ArchiveCompression, AHeaderIsBoundedByWhatComesOut) {
  const Bytes tar = tar_of_long_map(64 << 20);
  for (const int filter : {kGzip, kZstd}) {
    const Bytes archive = compressed(tar, filter);
    EXPECT_LT(archive.size(), std::size_t{1} << 17) << filter;
    EXPECT_EXIT(read_in_little_memory(archive), ::testing::ExitedWithCode(0), "") << filter;
  }
}

}  // namespace
}  // namespace sp::store
