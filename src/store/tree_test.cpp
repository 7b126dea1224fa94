#include "store/tree.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "crypto/hash.hpp"
#include "store/tar_format.hpp"
#include "store/testing/hostile_tar.hpp"
#include "store/testing/test_support.hpp"
#include "store/testing/unpacking.hpp"
#include "store/tree_path.hpp"

namespace sp::store {
namespace {

using testing::HostileTar;
using testing::names_in;
using testing::pattern;
using testing::read_all;
using testing::read_file;
using testing::TemporaryFolder;
using testing::unpack_to;

void write_file(const Path& path, std::string_view text, bool executable = false) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  ASSERT_EQ(::chmod(path.c_str(), executable ? 0755 : 0644), 0);
}

TEST(TarFormat, HeaderOfAFile) {
  const Bytes header = tar_header({"a/b.txt", false, false, 1234});
  ASSERT_EQ(header.size(), kTarBlock);
  const auto field = [&](std::size_t at, std::size_t size) {
    return std::string(as_text(ByteView(header).subspan(at, size)));
  };
  using namespace std::string_literals;
  EXPECT_EQ(field(0, 8), "a/b.txt\0"s);
  EXPECT_EQ(field(100, 8), "0000644\0"s);
  EXPECT_EQ(field(108, 16), "0000000\0000000000\0"s);
  EXPECT_EQ(field(124, 12), "00000002322\0"s);
  EXPECT_EQ(field(136, 12), "00000000000\0"s);
  EXPECT_EQ(field(154, 2), "\0 "s);
  EXPECT_EQ(field(156, 1), "0");
  EXPECT_EQ(field(257, 8), "ustar\00000"s);
  EXPECT_EQ(field(329, 16), "0000000\0000000000\0"s);
  EXPECT_EQ(field(345, 167), std::string(167, '\0'));
}

TEST(TarFormat, PaxWhereUstarIsShort) {
  EXPECT_EQ(tar_header({std::string(100, 'n'), false, false, 0}).size(), kTarBlock);
  EXPECT_EQ(tar_header({std::string(100, 'n'), true, false, 0}).size(), 3 * kTarBlock);
  const Bytes named = tar_header({std::string(101, 'n'), false, false, 0});
  ASSERT_EQ(named.size(), 3 * kTarBlock);
  EXPECT_EQ(as_text(ByteView(named).subspan(kTarBlock, 111)),
            "111 path=" + std::string(101, 'n') + "\n");
  EXPECT_EQ(tar_header({"n", false, false, (1ULL << 33) - 1}).size(), kTarBlock);
  const Bytes sized = tar_header({"n", false, false, 1ULL << 33});
  ASSERT_EQ(sized.size(), 3 * kTarBlock);
  EXPECT_EQ(as_text(ByteView(sized).subspan(kTarBlock, 19)), "19 size=8589934592\n");
}

TEST(TreePath, Cleaned) {
  EXPECT_EQ(*clean_tree_path("a"), "a");
  EXPECT_EQ(*clean_tree_path("./a//b/./c/"), "a/b/c");
  EXPECT_EQ(*clean_tree_path("./"), "");
  EXPECT_EQ(*clean_tree_path(""), "");
  EXPECT_EQ(*clean_tree_path("..."), "...");
  EXPECT_EQ(clean_tree_path("..").error().code, Errc::refused);
  EXPECT_EQ(clean_tree_path("a/../b").error().code, Errc::refused);
  EXPECT_EQ(clean_tree_path("/a").error().code, Errc::refused);
  EXPECT_EQ(clean_tree_path(std::string_view("a\0b", 3)).error().code, Errc::refused);
  EXPECT_TRUE(clean_tree_path(std::string(255, 'n')).ok());
  EXPECT_EQ(clean_tree_path(std::string(256, 'n')).error().code, Errc::too_large);
  std::string deep;
  while (deep.size() < kTreePathMax) deep += "d/";
  EXPECT_TRUE(clean_tree_path(deep).ok());
  EXPECT_EQ(clean_tree_path(deep + "dd").error().code, Errc::too_large);
}

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(from_);
    std::filesystem::create_directory(to_);
  }
  Result<Bytes> tar_of(const std::vector<TreeMember>& members,
                       OddEntries odd = OddEntries::refuse) {
    SP_ASSIGN(const std::unique_ptr<ByteSource> source, read_tree(members, odd));
    return read_all(*source);
  }

  TemporaryFolder folder_;
  Path from_ = folder_ / "from";
  Path to_ = folder_ / "to";
};

TEST_F(TreeTest, RoundTrip) {
  const std::string large(as_text(pattern(700'000)));
  write_file(from_ / "a", "one");
  write_file(from_ / "a-b", "two");
  write_file(from_ / "d/x", "run me", true);
  write_file(from_ / "d/empty", "");
  write_file(from_ / "d-e", large);
  write_file(from_ / "\xc3\xbc \n\xff", "any bytes");
  std::filesystem::create_directories(from_ / "hollow/inner");
  const std::string long_name(200, 'n');
  write_file(from_ / long_name / long_name / long_name, "deep");
  const Bytes tar = *tar_of({{"", from_}});
  EXPECT_EQ(tar.size() % kTarBlock, 0U);

  ASSERT_TRUE(unpack_to(to_, tar).ok());
  EXPECT_EQ(names_in(to_), names_in(from_));
  EXPECT_EQ(read_file(to_ / "d-e"), large);
  EXPECT_EQ(read_file(to_ / "\xc3\xbc \n\xff"), "any bytes");
  EXPECT_EQ(read_file(to_ / long_name / long_name / long_name), "deep");
  struct stat info {};
  ASSERT_EQ(::stat((to_ / "d/x").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);
  ASSERT_EQ(::stat((to_ / "d/empty").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0644U);
  ASSERT_EQ(::stat((to_ / "d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U);

  EXPECT_EQ(*tar_of({{"", to_}}), tar);
  EXPECT_EQ(*tree_digest(to_, OddEntries::refuse), crypto::sha256(tar));
}

TEST_F(TreeTest, OrderIsOfPathBytes) {
  write_file(from_ / "a/x", "");
  write_file(from_ / "a-b", "");
  write_file(from_ / "B", "");
  const Bytes tar = *tar_of({{"", from_}});
  std::vector<std::string> names;
  for (std::size_t at = 0; at + kTarEndSize < tar.size(); at += kTarBlock) {
    names.emplace_back(reinterpret_cast<const char*>(&tar[at]));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"B", "a/", "a-b", "a/x"}));
}

TEST_F(TreeTest, TimesOwnersAndModesDoNotCount) {
  write_file(from_ / "f", "same");
  const Digest32 before = *tree_digest(from_, OddEntries::refuse);
  ASSERT_EQ(::chmod((from_ / "f").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(from_.c_str(), 0700), 0);
  std::filesystem::last_write_time(from_ / "f", std::filesystem::file_time_type{});
  EXPECT_EQ(*tree_digest(from_, OddEntries::refuse), before);
  ASSERT_EQ(::chmod((from_ / "f").c_str(), 0700), 0);
  EXPECT_NE(*tree_digest(from_, OddEntries::refuse), before);
}

TEST_F(TreeTest, EmptyFolderIsTwoBlocks) {
  EXPECT_EQ(*tar_of({{"", from_}}), Bytes(kTarEndSize));
  EXPECT_TRUE(unpack_to(to_, Bytes(kTarEndSize)).ok());
}

TEST_F(TreeTest, Members) {
  write_file(from_ / "in/f", "1");
  write_file(folder_ / "log.txt", "2");
  const Bytes tar = *tar_of({{"out/log", folder_ / "log.txt"}, {"out/tree", from_}, {"n", from_}});
  ASSERT_TRUE(unpack_to(to_, tar).ok());
  EXPECT_EQ(names_in(to_), (std::vector<std::string>{"n", "n/in", "n/in/f", "out", "out/log",
                                                     "out/tree", "out/tree/in", "out/tree/in/f"}));
  EXPECT_EQ(*tar_of({{"", to_}}), tar);
  // A passed folder and a real one are the same.
  EXPECT_TRUE(tar_of({{"", from_}, {"in/g", folder_ / "log.txt"}}).ok());
}

TEST_F(TreeTest, MembersThatCannotBe) {
  write_file(from_ / "f", "1");
  EXPECT_EQ(tar_of({{"a", from_}, {"a", from_}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"", from_}, {"f", from_ / "f"}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"", from_}, {"f/g", from_ / "f"}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"f/g", from_ / "f"}, {"", from_}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"", from_ / "f"}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"../a", from_}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"/a", from_}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of({{"a", from_ / "missing"}}).error().code, Errc::not_found);
  EXPECT_EQ(tar_of({{"a", "/dev/null"}}).error().code, Errc::refused);
  EXPECT_EQ(tar_of(std::vector<TreeMember>(kTreeMembersMax + 1)).error().code, Errc::too_large);
}

TEST_F(TreeTest, OddEntriesAreRefusedOrLeftOut) {
  write_file(from_ / "f", "1");
  const Digest32 plain = *tree_digest(from_, OddEntries::refuse);
  std::filesystem::create_symlink("/etc/passwd", from_ / "link");
  ASSERT_EQ(::mkfifo((from_ / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory_symlink("/", from_ / "root");
  EXPECT_EQ(tree_digest(from_, OddEntries::refuse).error().code, Errc::refused);
  EXPECT_EQ(*tree_digest(from_, OddEntries::leave_out), plain);
  LeftOut left_out;
  ASSERT_TRUE(read_tree({{"m", from_}}, OddEntries::leave_out, kAnySize, &left_out).ok());
  std::sort(left_out.named.begin(), left_out.named.end());
  EXPECT_EQ(left_out.named, (std::vector<std::string>{"m/link", "m/pipe", "m/root"}));
  EXPECT_EQ(left_out.count, 3U);
}

TEST_F(TreeTest, OddEntriesBeyondTheNamedOnesAreCounted) {
  for (std::size_t i = 0; i < kLeftOutNamedMax + 5; ++i) {
    std::filesystem::create_symlink("/", from_ / std::to_string(i));
  }
  LeftOut left_out;
  ASSERT_TRUE(read_tree({{"", from_}}, OddEntries::leave_out, kAnySize, &left_out).ok());
  EXPECT_EQ(left_out.count, kLeftOutNamedMax + 5);
  EXPECT_EQ(left_out.named.size(), kLeftOutNamedMax);
}

// Holes and hard links make files larger than what holds them: no byte is read to find that.
TEST_F(TreeTest, FilesOfMoreBytesThanAllowed) {
  constexpr std::uint64_t kLarge = std::uint64_t{1} << 42;
  write_file(from_ / "d/f", "12345");
  std::filesystem::create_hard_link(from_ / "d/f", from_ / "g");
  write_file(folder_ / "large", "1");
  std::filesystem::resize_file(folder_ / "large", kLarge);
  const auto listed = [&](const TreeMember& member, std::uint64_t bytes_max) {
    return read_tree({{"m", from_}, member}, OddEntries::refuse, bytes_max).ok();
  };
  const TreeMember small{"log", from_ / "g"};
  EXPECT_TRUE(listed(small, 15));
  EXPECT_FALSE(listed(small, 14));
  const TreeMember large{"large", folder_ / "large"};
  EXPECT_TRUE(listed(large, kLarge + 10));
  EXPECT_FALSE(listed(large, kLarge + 9));
  std::filesystem::rename(folder_ / "large", from_ / "large");
  EXPECT_FALSE(listed(small, kLarge));
}

// Long names of many entries would fill the memory of who lists them.
TEST_F(TreeTest, NamesOfMoreBytesThanMemoryHasRoomFor) {
  constexpr std::size_t kFiles = 200;
  const std::string name(kTreeNameMax, 'n');
  const Path deep = Path(name) / name / name;
  for (std::size_t i = 0; i < kFiles; ++i) {
    write_file(from_ / deep / (std::string(200, 'f') + std::to_string(i)), "");
  }
  // The same folder as so many members that their paths alone are too much.
  std::vector<TreeMember> members(kTreeNamesMax / (kFiles * 3 * kTreeNameMax));
  for (std::size_t i = 0; i < members.size(); ++i) members[i] = {std::to_string(i), from_};
  ASSERT_LT(members.size(), kTreeMembersMax);
  const auto listed = read_tree(members, OddEntries::refuse);
  ASSERT_FALSE(listed.ok());
  EXPECT_EQ(listed.error().code, Errc::too_large);
  EXPECT_EQ(listed.error().message, "names of more than 134217728 bytes");
  members.resize(members.size() / 2);
  EXPECT_TRUE(read_tree(members, OddEntries::refuse).ok());
}

TEST_F(TreeTest, ChangesWhileReading) {
  const auto begin = [&] {
    write_file(from_ / "d/f", "12345");
    auto source = *read_tree({{"", from_}}, OddEntries::refuse);
    return source;
  };
  auto gone = begin();
  std::filesystem::remove(from_ / "d/f");
  EXPECT_EQ(read_all(*gone).error().code, Errc::conflict);
  auto linked = begin();
  std::filesystem::remove(from_ / "d/f");
  std::filesystem::create_symlink("/etc/passwd", from_ / "d/f");
  EXPECT_EQ(read_all(*linked).error().code, Errc::conflict);
  std::filesystem::remove_all(from_ / "d");
  auto moved = begin();
  std::filesystem::rename(from_ / "d", folder_ / "elsewhere");
  std::filesystem::create_directory_symlink(folder_ / "elsewhere", from_ / "d");
  EXPECT_EQ(read_all(*moved).error().code, Errc::conflict);
  std::filesystem::remove(from_ / "d");
  auto pipe = begin();
  std::filesystem::remove(from_ / "d/f");
  ASSERT_EQ(::mkfifo((from_ / "d/f").c_str(), 0600), 0);
  EXPECT_EQ(read_all(*pipe).error().code, Errc::conflict);
  std::filesystem::remove_all(from_ / "d");

  for (const std::string_view text : {"123", "1234567"}) {
    auto resized = begin();
    Bytes first(kTarBlock * 2 + 2);  // both headers and the first bytes of the content
    ASSERT_EQ(*read_full(*resized, first), first.size());
    write_file(from_ / "d/f", text);
    EXPECT_EQ(read_all(*resized).error().code, Errc::conflict);
  }
}

TEST_F(TreeTest, UnpacksOthersArchives) {
  HostileTar tar;
  tar.folder("./").file("./deep/er/f").folder("./deep/").pax("path", "renamed/by/pax").file("x");
  tar.entry("v7", '\0', "old");
  Bytes bytes = tar.bytes();
  bytes.resize(bytes.size() + 9 * kTarBlock);  // blocking
  ASSERT_TRUE(unpack_to(to_, bytes).ok());
  EXPECT_EQ(names_in(to_), (std::vector<std::string>{"deep", "deep/er", "deep/er/f", "renamed",
                                                     "renamed/by", "renamed/by/pax", "v7"}));
  EXPECT_EQ(read_file(to_ / "deep/er/f"), "hello");
}

TEST_F(TreeTest, Archives) {
  write_file(from_ / "b", "bee", true);
  write_file(from_ / "a/\xc3\xa4", "umlaut");
  const Bytes canonical = *tar_of({{"", from_}});
  const std::string folder = from_.string();
  const std::string out = folder_.path().string();
  const auto command = [](const std::string& line) { ASSERT_EQ(std::system(line.c_str()), 0); };
  command("tar -C " + folder + " -cf " + out + "/plain.tar .");
  command("tar -C " + folder + " --format=pax -czf " + out + "/pax.tar.gz b a");
  command("tar -C " + folder + " --format=gnu -cf - a b | gzip > " + out + "/gnu.tar.gz");
  for (const char* name : {"plain.tar", "pax.tar.gz", "gnu.tar.gz"}) {
    const TemporaryFolder scratch;
    const auto source = read_archive(folder_ / name, scratch.path());
    ASSERT_TRUE(source.ok()) << source.error().message;
    EXPECT_EQ(*read_all(**source), canonical) << name;
  }
  const TemporaryFolder scratch;
  EXPECT_EQ(read_archive(folder_ / "none.tar", scratch.path()).error().code, Errc::not_found);
  write_file(folder_ / "text.tar", "not a tar");
  EXPECT_EQ(read_archive(folder_ / "text.tar", scratch.path()).error().code, Errc::malformed);
  std::filesystem::create_symlink("b", from_ / "link");
  command("tar -C " + folder + " -cf " + out + "/link.tar link");
  EXPECT_EQ(read_archive(folder_ / "link.tar", scratch.path()).error().code, Errc::refused);
  std::filesystem::resize_file(folder_ / "pax.tar.gz",
                               std::filesystem::file_size(folder_ / "pax.tar.gz") / 2);
  const TemporaryFolder other;
  EXPECT_EQ(read_archive(folder_ / "pax.tar.gz", other.path()).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::store
