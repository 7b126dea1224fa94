#include "spctl/context.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "base/testing/temporary_folder.hpp"
#include "store/mirror_store.hpp"

namespace sp::spctl {
namespace {

namespace fs = std::filesystem;

// Where the command line says that something is to be written.
class WriteOutputTest : public ::testing::Test {
 protected:
  WriteOutputTest() {
    GlobalOptions options;
    options.home = (folder_ / "home").string();
    context_ = Context::create(options).value();
  }
  Status write(const Path& path) { return write_output(*context_, path, as_bytes("output")); }
  std::string read(const Path& path) {
    const auto bytes = context_->files().read(path, 100);
    return bytes ? std::string(as_text(*bytes)) : bytes.error().message;
  }

  sp::testing::TemporaryFolder folder_;
  std::unique_ptr<Context> context_;
};

TEST_F(WriteOutputTest, AFileIsReplaced) {
  const Path path = folder_ / "file";
  ASSERT_TRUE(write(path));
  ASSERT_TRUE(write(path));
  EXPECT_EQ(read(path), "output");
}

TEST_F(WriteOutputTest, APipeStaysAndItsReaderGetsAll) {
  const Path path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  // Both ends at once, so that nobody waits for ever.
  const Fd reader(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader.valid());
  ASSERT_TRUE(write(path));
  EXPECT_TRUE(fs::is_fifo(path));
  char text[32];
  const ssize_t size = ::read(reader.get(), text, sizeof(text));
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(size)), "output");
}

TEST_F(WriteOutputTest, ALinkIsFollowed) {
  const Path link = folder_ / "link";
  fs::create_symlink("target", link);
  for (int time = 0; time < 2; ++time) {  // first it leads to nothing
    ASSERT_TRUE(write(link));
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_EQ(read(folder_ / "target"), "output");
  }
}

TEST_F(WriteOutputTest, ADeviceStaysAndAFullOneIsAnError) {
  // By links: a test that fails must not put a file in the place of the machine's device.
  const Path full = folder_ / "full";
  fs::create_symlink("/dev/full", full);
  EXPECT_EQ(write(full).error().code, Errc::io);
  EXPECT_TRUE(fs::is_symlink(full));
  const Path device = folder_ / "device";
  if (::mknod(device.c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) GTEST_SKIP() << "needs root";
  EXPECT_TRUE(write(device));
  EXPECT_TRUE(fs::is_character_file(device));
}

// What is read comes from any place of a store; each is named once, the first in front.
TEST(SessionPlaces, AreThoseOfTheNetworkAndOfItsServices) {
  const auto account = [](std::uint8_t byte) { return *Address::from(Bytes(20, byte)); };
  apps::Network network;
  network.rpc = "http://127.0.0.1:1";
  network.store = {"http://store", account(1)};
  network.broker = {"http://broker", account(2)};
  network.services = {{account(1), "http://again"}, {account(3), "http://other"}};
  network.mirrors = {{account(1), {"http://store", "http://mirror"}}, {account(3), {"http://far"}}};
  const SystemClock clock;
  const Session session(std::move(network), clock);
  using Urls = std::vector<std::string>;
  EXPECT_EQ(session.urls_of(account(1)), (Urls{"http://store", "http://again", "http://mirror"}));
  EXPECT_EQ(session.urls_of(account(2)), Urls{"http://broker"});
  EXPECT_EQ(session.urls_of(account(3)), (Urls{"http://other", "http://far"}));
  EXPECT_EQ(session.urls_of(account(4)), Urls{});
  EXPECT_EQ(session.url_of(account(4)).error().code, Errc::not_found);
}

// A network may name a store's URL, a service's, and that service's mirrors: more than can be used
// as one.
TEST(SessionPlaces, AreNoMoreThanCanBeUsedAsOne) {
  const auto account = Address::from(Bytes(20, 1));
  apps::Network network;
  network.rpc = "http://127.0.0.1:1";
  network.store = {"http://store", *account};
  network.services = {{*account, "http://again"}};
  for (std::size_t i = 0; i < store::kMirrorsMax; ++i) {
    network.mirrors[*account].push_back("http://mirror" + std::to_string(i));
  }
  const SystemClock clock;
  const Session session(std::move(network), clock);
  const auto urls = session.urls_of(*account);
  ASSERT_EQ(urls.size(), store::kMirrorsMax);
  EXPECT_EQ(urls.front(), "http://store");
}

}  // namespace
}  // namespace sp::spctl
