#include "loader/rootfs.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/testing/temporary_folder.hpp"
#include "crypto/hash.hpp"
#include "store/testing/compressed.hpp"
#include "store/testing/hostile_tar.hpp"
#include "store/tree.hpp"

namespace sp::loader {
namespace {

struct Entry {
  std::string name;
  unsigned type = AE_IFREG;  // AE_IF..., or 0 = a hard link
  std::string content;       // or the link's target
  unsigned mode = 0644;
};

Entry folder(const std::string& name) { return {name, AE_IFDIR, "", 0755}; }
Entry file(const std::string& name, const std::string& content = "") {
  return {name, AE_IFREG, content, 0644};
}
Entry link(const std::string& name, const std::string& to) { return {name, AE_IFLNK, to, 0777}; }
Entry hard(const std::string& name, const std::string& to) { return {name, 0, to, 0644}; }

// Makes a tar one of the interchange format, whose links may have contents.
constexpr std::string_view kInterchange = "interchange";

class RootfsTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::filesystem::create_directories(root());
    std::filesystem::create_directories(base / "image");
    std::ofstream(base / "outside") << "untouched";
    rootfs = std::make_unique<Rootfs>(root(), std::nullopt, RootfsLimits{1 << 20, 100});
  }
  void TearDown() override { EXPECT_EQ(text(base / "outside"), "untouched"); }

  [[nodiscard]] Path root() const { return base / "root"; }

  Status apply(const std::vector<Entry>& entries, int filter = ARCHIVE_FILTER_NONE) {
    const Path layer = base / "image" / "layer.tar";
    archive* writer = archive_write_new();
    archive_write_set_format_pax_restricted(writer);
    archive_write_add_filter(writer, filter);
    SP_CHECK(archive_write_open_filename(writer, layer.c_str()) == ARCHIVE_OK);
    for (const Entry& wanted : entries) {
      archive_entry* entry = archive_entry_new();
      archive_entry_set_pathname(entry, wanted.name.c_str());
      archive_entry_set_perm(entry, wanted.mode);
      archive_entry_set_filetype(entry, wanted.type == 0 ? AE_IFREG : wanted.type);
      if (wanted.type == AE_IFLNK) archive_entry_set_symlink(entry, wanted.content.c_str());
      if (wanted.type == 0) archive_entry_set_hardlink(entry, wanted.content.c_str());
      const bool data = wanted.type == AE_IFREG;
      archive_entry_set_size(entry, data ? static_cast<la_int64_t>(wanted.content.size()) : 0);
      SP_CHECK(archive_write_header(writer, entry) >= ARCHIVE_WARN);
      if (data) archive_write_data(writer, wanted.content.data(), wanted.content.size());
      archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    return rootfs->apply(base / "image", {"layer.tar", std::nullopt});
  }
  // A layer of these bytes, and as many zeros.
  Status apply_bytes(ByteView bytes, int filter, std::size_t zeros = 0) {
    const Bytes stored = store::testing::compressed(bytes, filter, zeros);
    std::ofstream(base / "image" / "layer.tar", std::ios::binary) << as_text(stored);
    return rootfs->apply(base / "image", {"layer.tar", std::nullopt});
  }
  [[nodiscard]] static std::string text(const Path& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }
  [[nodiscard]] bool there(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(root() / name));
  }
  void expect_refused(const std::vector<Entry>& entries, const std::string& why) {
    const Status status = apply(entries);
    ASSERT_FALSE(status.ok()) << entries.back().name;
    EXPECT_EQ(status.error().code, Errc::refused) << status.error().message;
    EXPECT_THAT(status.error().message, ::testing::HasSubstr(why));
  }

  sp::testing::TemporaryFolder base;
  std::unique_ptr<Rootfs> rootfs;
};

TEST_F(RootfsTest, UnpacksLayersOverEachOther) {
  ASSERT_TRUE(apply({folder("etc"),
                     file("etc/a", "1"),
                     file("deep/er/b", "2"),
                     link("lib", "usr/lib"),
                     folder("usr/lib"),
                     hard("etc/c", "etc/a"),
                     {"bin", AE_IFREG, "x", 06755}})
                  .ok());
  EXPECT_EQ(text(root() / "etc" / "c"), "1");
  EXPECT_EQ(text(root() / "deep" / "er" / "b"), "2");
  struct stat info {};
  ASSERT_EQ(::stat((root() / "bin").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755U) << "set-user-id bits are left out";
  // A folder in place of a file, a file in place of a folder, a name through a link.
  ASSERT_TRUE(
      apply({folder("etc/a"), file("etc/a/inside", "3"), file("deep", "4"), file("lib/libx", "5")})
          .ok());
  EXPECT_EQ(text(root() / "etc" / "a" / "inside"), "3");
  EXPECT_EQ(text(root() / "etc" / "c"), "1");
  EXPECT_EQ(text(root() / "deep"), "4");
  EXPECT_EQ(text(root() / "usr" / "lib" / "libx"), "5");
}

TEST_F(RootfsTest, ReadsGzipAndZstdAndOddNames) {
  ASSERT_TRUE(apply({file("a", "1"), file("na\xc3\xafve", "2")}, ARCHIVE_FILTER_GZIP).ok());
  std::string long_name(200, 'n');
  long_name.append("/x");
  const Status zstd = apply({file("b", "3"), file(long_name, "4")}, ARCHIVE_FILTER_ZSTD);
  ASSERT_TRUE(zstd.ok()) << zstd.error().message;
  EXPECT_EQ(text(root() / "na\xc3\xafve"), "2");
  EXPECT_EQ(text(root() / "b"), "3");
  EXPECT_EQ(text(root() / long_name), "4");
  EXPECT_EQ(apply({file("c", "5")}, ARCHIVE_FILTER_BZIP2).error().code, Errc::malformed);
}

TEST_F(RootfsTest, WhiteoutsRemoveFromLowerLayers) {
  ASSERT_TRUE(apply({file("a", "1"), file("d/x", "2"), file("d/y", "3"), file("e/z", "4")}).ok());
  ASSERT_TRUE(apply({file(".wh.a"), file("d/new", "5"), file("d/.wh..wh..opq"), file(".wh.e"),
                     file(".wh.nothing")})
                  .ok());
  EXPECT_FALSE(there("a"));
  EXPECT_FALSE(there("d/x"));
  EXPECT_FALSE(there("e"));
  EXPECT_EQ(text(root() / "d" / "new"), "5");
  EXPECT_FALSE(there("d/.wh..wh..opq"));
}

TEST_F(RootfsTest, RefusesWhiteoutTricks) {
  ASSERT_TRUE(apply({file("d/x")}).ok());
  expect_refused({file(".wh...")}, "not a whiteout");
  expect_refused({file(".wh..")}, "not a whiteout");
  expect_refused({file("d/.wh.")}, "not a whiteout");
  expect_refused({file(".wh..wh.plnk")}, "not a whiteout");
  expect_refused({file(".wh.d", "content")}, "isn't an empty file");
  expect_refused({link(".wh.d", "d")}, "isn't an empty file");
  expect_refused({folder(".wh.d")}, "isn't an empty file");
  expect_refused({file(".wh.d/x")}, "below a whiteout");
  expect_refused({file("own"), file(".wh.own")}, "its own layer");
  EXPECT_TRUE(there("d/x"));
}

TEST_F(RootfsTest, RefusesNamesThatLeadOut) {
  expect_refused({file("../outside", "x")}, "\"..\"");
  expect_refused({file("a/../../outside", "x")}, "\"..\"");
  expect_refused({file("/etc/passwd", "x")}, "absolute");
  expect_refused({folder("d"), hard("d/h", "../outside")}, "\"..\"");
  expect_refused({hard("h", "/etc/passwd")}, "absolute");
  expect_refused({hard("h", "nothing")}, "to nothing");
  expect_refused({folder("d2"), hard("h2", "d2")}, "to nothing");
}

TEST_F(RootfsTest, RefusesLinksThatClimbOutAndStaysInsideOfOthers) {
  expect_refused({link("up", "..")}, "out of the image");
  expect_refused({link("up", "../outside")}, "out of the image");
  expect_refused({link("a/b/up", "../../../outside")}, "out of the image");
  // Absolute links mean the image's own root, whoever follows them.
  ASSERT_TRUE(apply({link("abs", "/target"), folder("target")}).ok());
  ASSERT_TRUE(apply({file("abs/inside", "6")}).ok());
  EXPECT_EQ(text(root() / "target" / "inside"), "6");
  const std::string outside = (base / "outside").string();
  ASSERT_TRUE(apply({link("file", outside)}).ok());
  ASSERT_TRUE(apply({file("file", "replaced, not followed")}).ok());
  EXPECT_EQ(text(root() / "file"), "replaced, not followed");
  expect_refused({link("dangling", "/nowhere"), file("dangling/x")}, "no folder");
  expect_refused({link("loop", "loop"), file("loop/x")}, "");
  // Climbs through a link that is itself inside: its end is the root.
  ASSERT_TRUE(apply({folder("p/q"), link("p/q/r", "../.."), file("p/q/r/landed", "7")}).ok());
  EXPECT_EQ(text(root() / "landed"), "7");
}

TEST_F(RootfsTest, RefusesDevicesAndFifos) {
  expect_refused({{"dev/null", AE_IFCHR, "", 0666}}, "neither file");
  expect_refused({{"dev/sda", AE_IFBLK, "", 0666}}, "neither file");
  expect_refused({{"fifo", AE_IFIFO, "", 0666}}, "neither file");
}

TEST_F(RootfsTest, HoldsItsLimits) {
  const std::string half(600 << 10, 'x');
  ASSERT_TRUE(apply({file("a", half)}).ok());
  EXPECT_EQ(apply({file("b", half)}).error().code, Errc::too_large);
  std::vector<Entry> many;
  for (int i = 0; i < 101; ++i) many.push_back(file("f" + std::to_string(i)));
  EXPECT_EQ(apply(many).error().code, Errc::too_large);
}

// A few KB of a compressed layer say a map of a sparse file that takes any memory.
TEST_F(RootfsTest, BoundsWhatStandsBeforeAFile) {
  const Bytes layer = store::testing::tar_of_long_map(store::kTarHeaderMax + (1 << 20));
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD}) {
    const Status status = apply_bytes(layer, filter);
    ASSERT_FALSE(status.ok()) << filter;
    EXPECT_EQ(status.error().code, Errc::too_large) << status.error().message;
  }
}

// What is in no file, here a link's content, counts as well.
TEST_F(RootfsTest, BoundsWhatComesOutOfALayer) {
  Bytes layer = store::testing::HostileTar()
                    .file("a")
                    .pax("comment", kInterchange)
                    .entry("h", '1', {}, "a", std::uint64_t{3} << 30)
                    .bytes();
  layer.resize(layer.size() - store::kTarEndSize);
  const Status status = apply_bytes(layer, ARCHIVE_FILTER_ZSTD, std::size_t{3} << 30);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::too_large) << status.error().message;
}

TEST_F(RootfsTest, ALinkMayBringItsFilesContent) {
  const std::string content(2 * store::kTarHeaderMax, 'x');
  const Bytes layer = store::testing::HostileTar()
                          .file("a", "1")
                          .pax("comment", kInterchange)
                          .entry("h", '1', content, "a")
                          .file("b", "2")
                          .bytes();
  const Status status = apply_bytes(layer, ARCHIVE_FILTER_GZIP);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(text(root() / "h"), "1");
  EXPECT_EQ(text(root() / "b"), "2");
}

TEST_F(RootfsTest, ChecksTheDigestAndTheTar) {
  std::ofstream(base / "image" / "layer.tar") << "this is no archive at all";
  ImageLayer layer{"layer.tar", ImageBlob{{}, 25, ""}};
  EXPECT_EQ(rootfs->apply(base / "image", layer).error().code, Errc::mismatch);
  layer.blob->digest = crypto::sha256(as_bytes("this is no archive at all"));
  EXPECT_EQ(rootfs->apply(base / "image", layer).error().code, Errc::malformed);
  EXPECT_EQ(rootfs->apply(base / "image", {"../outside", {}}).error().code, Errc::refused);
  EXPECT_EQ(rootfs->apply(base / "image", {"none", {}}).error().code, Errc::not_found);
}

TEST_F(RootfsTest, MountPointsAreFoldersOfTheImageItself) {
  ASSERT_TRUE(apply({link("sp", "/etc"), folder("etc"), file("proc"), folder("tmp")}).ok());
  EXPECT_EQ(rootfs->make_mount_point("sp/output").error().code, Errc::refused);
  EXPECT_EQ(rootfs->make_mount_point("proc").error().code, Errc::refused);
  EXPECT_TRUE(rootfs->make_mount_point("tmp").ok());
  EXPECT_TRUE(rootfs->make_mount_point("new/deep").ok());
  EXPECT_TRUE(there("new/deep"));
  EXPECT_TRUE(rootfs->make_working_dir("/w/x").ok());
  EXPECT_TRUE(there("w/x"));
}

TEST_F(RootfsTest, FindsProgramsAsTheContainerWould) {
  ASSERT_TRUE(apply({link("bin", "usr/bin"),
                     {"usr/bin/tool", AE_IFREG, "x", 0755},
                     file("usr/bin/text"),
                     link("host", "/etc/hostname")})
                  .ok());
  EXPECT_TRUE(rootfs->has_program("/bin/tool", "/", ""));
  EXPECT_TRUE(rootfs->has_program("tool", "/", "/sbin:/bin"));
  EXPECT_TRUE(rootfs->has_program("./bin/tool", "/", ""));
  EXPECT_FALSE(rootfs->has_program("/bin/text", "/", ""));
  EXPECT_FALSE(rootfs->has_program("/bin", "/", ""));
  EXPECT_FALSE(rootfs->has_program("/host", "/", "")) << "no file of the host is in an image";
  EXPECT_FALSE(rootfs->has_program("tool", "/", "/sbin"));
  EXPECT_EQ(rootfs->text_of("etc/passwd").value(), "");
}

}  // namespace
}  // namespace sp::loader
