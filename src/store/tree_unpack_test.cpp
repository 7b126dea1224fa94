// What others made is unpacked within bounds, or refused with nothing beside the destination.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "store/testing/hostile_tar.hpp"
#include "store/testing/unpacking.hpp"
#include "store/tree.hpp"

namespace sp::store {
namespace {

using testing::error_of;
using testing::HostileTar;
using testing::names_in;
using testing::pattern;
using testing::read_file;
using testing::tar_of_long_map;
using testing::TemporaryFolder;
using testing::unpack_to;

TEST(HostileTrees, NamesThatLeadOut) {
  EXPECT_EQ(error_of(HostileTar().file("../evil").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a/../../evil").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a/..").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().folder("..").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("/tmp/evil").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("//evil").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().pax("path", "../evil").file("good").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file(".").bytes()), Errc::refused);
}

TEST(HostileTrees, LinksAndDevices) {
  EXPECT_EQ(error_of(HostileTar().entry("l", '2', "", "/etc").file("l/evil").bytes()),
            Errc::refused);
  EXPECT_EQ(error_of(HostileTar().entry("l", '2', "", "a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a").entry("l", '1', "", "a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().entry("l", '1', "data", "/etc/passwd").bytes()), Errc::refused);
  for (const char type : {'3', '4', '6'}) {
    EXPECT_EQ(error_of(HostileTar().entry("odd", type).bytes()), Errc::refused) << type;
  }
  EXPECT_EQ(error_of(HostileTar().pax("linkpath", "/etc").entry("f", '2').bytes()), Errc::refused);
}

TEST(HostileTrees, FilesAsFoldersAndDoubles) {
  EXPECT_EQ(error_of(HostileTar().file("a").file("a/b").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a").file("a/b/c").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a").folder("a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().folder("a").file("a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a/b").file("a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a").file("./a").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().folder("a").folder("a/").bytes()), Errc::refused);
  EXPECT_EQ(error_of(HostileTar().file("a/b").folder("a").folder("a").bytes()), Errc::refused);
}

TEST(HostileTrees, NulInNames) {
  // In a name field a NUL ends the name; in a pax record libarchive ends it there as well.
  const TemporaryFolder folder;
  const Bytes tar = HostileTar().file(std::string_view("a\0/../b", 7)).bytes();
  ASSERT_TRUE(unpack_to(folder.path(), tar).ok());
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
  const Bytes pax = HostileTar().pax("path", std::string_view("b\0/../evil", 10)).file("x").bytes();
  const Status done = unpack_to(folder.path(), pax);
  if (done) {
    EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"a", "b"}));
  }
}

TEST(HostileTrees, Limits) {
  HostileTar many;
  for (int i = 0; i < 5; ++i) many.file("f" + std::to_string(i), "12345");
  const TemporaryFolder folder;
  EXPECT_TRUE(unpack_to(folder.path(), many.bytes(), {25, 5}).ok());
  EXPECT_EQ(error_of(many.bytes(), {24, 5}), Errc::too_large);
  EXPECT_EQ(error_of(many.bytes(), {25, 4}), Errc::too_large);
  EXPECT_EQ(error_of(HostileTar().file("a/b/c/d").bytes(), {25, 3}), Errc::too_large);
  EXPECT_EQ(error_of(HostileTar().file("f", "").bytes(), {0, 0}), Errc::too_large);
  EXPECT_EQ(error_of(HostileTar().file("n/f", "").bytes(), {0, 1}), Errc::too_large);
  // Sizes that lie: larger than the archive, than the limit, than any number.
  EXPECT_EQ(error_of(HostileTar().entry("f", '0', "hello", "", 100'000).bytes()), Errc::malformed);
  EXPECT_EQ(error_of(HostileTar().entry("f", '0', "hello", "", 1ULL << 32).bytes()),
            Errc::too_large);
  EXPECT_EQ(error_of(HostileTar().pax("size", "9223372036854775807").file("f").bytes()),
            Errc::malformed);
  Bytes trailing = HostileTar().file("f").bytes();
  trailing.resize(trailing.size() + kTarTrailerMax + (1 << 19), 1);
  EXPECT_EQ(error_of(trailing), Errc::too_large);
}

TEST(HostileTrees, LongComponentsAndPaths) {
  EXPECT_EQ(error_of(HostileTar().pax("path", std::string(256, 'n')).file("x").bytes()),
            Errc::too_large);
  std::string deep;
  for (int i = 0; i < 520; ++i) deep += "d/";
  EXPECT_EQ(error_of(HostileTar().pax("path", deep + "f").file("x").bytes()), Errc::too_large);
}

TEST(HostileTrees, CutAnywhere) {
  const Bytes whole = HostileTar().folder("d").file("d/f", "some content").bytes();
  for (std::size_t size = 0; size < whole.size(); size += 64) {
    EXPECT_EQ(error_of(ByteView(whole).first(size)), Errc::malformed) << size;
  }
  EXPECT_EQ(error_of(pattern(4096)), Errc::malformed);
}

TEST(HostileTrees, TheSourcesErrorIsTold) {
  class Broken final : public ByteSource {
   public:
    explicit Broken(Bytes bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read(MutableByteView out) override {
      if (given_) return Error{Errc::bad_signature, "chunk 1 doesn't open"};
      given_ = true;
      std::copy(bytes_.begin(), bytes_.end(), out.begin());
      return bytes_.size();
    }
    Bytes bytes_;
    bool given_ = false;
  };
  const Bytes whole = HostileTar().file("f", std::string(2000, 'x')).bytes();
  for (const std::size_t size : {std::size_t{512}, std::size_t{1024}, whole.size()}) {
    const TemporaryFolder folder;
    Broken source(Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
    EXPECT_EQ(write_tree(source, folder.path(), {1 << 20, 10}).error().code, Errc::bad_signature);
  }
}

TEST(HostileTrees, ASparseFileKeepsItsHoles) {
  const TemporaryFolder folder;
  const Path to = folder.path();
  const std::size_t hole = 1 << 18;
  const auto map = [](std::initializer_list<std::size_t> numbers) {
    std::string text;
    for (const std::size_t number : numbers) {
      text += (text.empty() ? "" : ",") + std::to_string(number);
    }
    return text;
  };
  const Bytes tar = HostileTar()
                        .sparse("begins", hole + 3, map({0, 2, hole, 3}), "abcde")
                        .sparse("ends", hole, map({5, 2, hole, 0}), "yz")
                        .file("next", "whole")
                        .bytes();
  const Status unpacked = unpack_to(to, tar);
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
  EXPECT_EQ(read_file(to / "begins"), "ab" + std::string(hole - 2, '\0') + "cde");
  EXPECT_EQ(read_file(to / "ends"), std::string(5, '\0') + "yz" + std::string(hole - 7, '\0'));
  EXPECT_EQ(read_file(to / "next"), "whole");
  struct stat info {};
  ASSERT_EQ(::stat((to / "begins").c_str(), &info), 0);
  EXPECT_LT(info.st_blocks * 512, static_cast<blkcnt_t>(hole));
  // Maps that overlap, go back, or go beyond the size.
  for (const std::string& lie :
       {map({0, 4, 2, 1}), map({9, 3, 0, 2}), map({0, 2, 98, 3}), map({200, 5})}) {
    EXPECT_EQ(error_of(HostileTar().sparse("f", 100, lie, "abcde").bytes()), Errc::malformed)
        << lie;
  }
  // Less than the map says, and a size without a map.
  EXPECT_EQ(error_of(HostileTar().sparse("f", 100, map({0, 3, 50, 50}), "abcde").bytes()),
            Errc::malformed);
  for (const char* key : {"GNU.sparse.size", "GNU.sparse.realsize", "SCHILY.realsize"}) {
    EXPECT_EQ(error_of(HostileTar().pax(key, "100").file("f").bytes()), Errc::malformed) << key;
  }
  // A hole counts as bytes: whoever limits them doesn't get files of any size.
  EXPECT_EQ(error_of(HostileTar().sparse("f", 2 << 20, map({0, 5, 2 << 20, 0}), "abcde").bytes()),
            Errc::too_large);
}

// The map of a sparse file takes memory before its size is known.
TEST(HostileTrees, AHeaderIsBounded) {
  EXPECT_EQ(error_of(tar_of_long_map(kTarHeaderMax + (1 << 20))), Errc::too_large);
  EXPECT_EQ(error_of(tar_of_long_map(kTarHeaderMax / 2)), Errc::malformed);
  EXPECT_EQ(error_of(HostileTar().pax("comment", std::string(5 << 20, 'x')).file("f").bytes()),
            Errc::malformed);
}

}  // namespace
}  // namespace sp::store
