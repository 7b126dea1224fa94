// The search for leftovers finds what is planted, whatever it is, and nothing else.
#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "canaries.hpp"
#include "world.hpp"

namespace sp::crash {
namespace {

std::string text_of(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Planted : public testing::Test {
 protected:
  void SetUp() override {
    world.up();
    EXPECT_EQ(find(), none);
  }
  void TearDown() override { EXPECT_EQ(find(), none); }
  std::vector<std::string> find() { return world.leftovers().find(std::chrono::seconds(0)); }

  const std::vector<std::string> none;
  World& world = World::get();
  const Path home = world.town().home();
};

TEST_F(Planted, ASecretInAnyForm) {
  world.must_run({"files", "upload", world.town().work() / "note"});
  std::map<std::string, std::string> secrets{
      {"the note", hostile::kNote},
      {"the key of " + world.town().customer().address().hex0x(),
       std::string(as_text(world.town().customer().secret().reveal()))}};
  for (const auto& entry : std::filesystem::directory_iterator(home / "content")) {
    secrets[entry.path()] = text_of(entry.path());
  }
  const std::string keys = text_of(home / "broker" / "state" / "broker.keys");
  secrets["broker/state/broker.keys, up to byte " + std::to_string(keys.size())] =
      keys.substr(keys.size() - Secret32::kSize);
  EXPECT_GE(secrets.size(), 4U);
  const auto expect_found = [&](const char* daemon, const std::string& name,
                                const std::string& form) {
    const Path file = home / daemon / "state" / "planted";
    std::ofstream(file, std::ios::binary) << "before" << form << "behind";
    EXPECT_EQ(find(), std::vector<std::string>{"a secret, " + name + ": " + file.string()});
    std::filesystem::remove(file);
  };
  for (const auto& [name, secret] : secrets) {
    for (const char* daemon : {"chain", "store", "provider"}) expect_found(daemon, name, secret);
  }
  const auto& [name, secret] = *secrets.begin();
  for (const std::string& form : hostile::forms(secret)) expect_found("broker", name, form);
}

TEST_F(Planted, AFile) {
  for (const Path& file :
       {home / "provider" / "x.1-1.sp-tmp", Path("/tmp/sp-planted"), Path("/var/tmp/sp-planted"),
        Path("/run/sp-planted"), Path("/dev/shm/sp-planted"), home / "tmp" / "upload-1-abcdef"}) {
    must(world.town().files().make_folder(file.parent_path()));
    std::ofstream(file) << "x";
    EXPECT_EQ(find().size(), 1U) << file;
    std::filesystem::remove(file);
  }
}

// As a daemon that writes has it.
TEST_F(Planted, ATemporaryFileThatGoesIsNone) {
  const Path file = home / "provider" / "x.1-1.sp-tmp";
  std::ofstream(file) << "x";
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::filesystem::remove(file);
  });
  EXPECT_EQ(find(), none);
  writer.join();
}

TEST_F(Planted, ASocket) {
  const Path socket = home / "broker" / "planted";
  ASSERT_EQ(::mknod(socket.c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_EQ(find(), std::vector<std::string>{"a socket: " + socket.string()});
  std::filesystem::remove(socket);
}

TEST_F(Planted, AMount) {
  const Path place = home / "provider";
  ASSERT_EQ(::mount("tmpfs", place.c_str(), "tmpfs", 0, nullptr), 0);
  const auto found = find();
  ASSERT_EQ(::umount(place.c_str()), 0);
  EXPECT_FALSE(found.empty());
}

TEST_F(Planted, AProcess) {
  ProcessOptions options;
  options.argv = {"/bin/sleep", "60"};
  options.folder = home / "provider";
  const Process left = must(Process::start(options));
  const std::string name = "a process: " + std::to_string(left.pid()) + " sleep\n";
  EXPECT_EQ(find(), std::vector<std::string>{name});
}

TEST_F(Planted, AGroup) {
  world.expect_one_end(world.order());  // its market has a group from then on
  const Path own = Path("superprotocol") / world.town().provider().address().hex();
  std::vector<Path> roots{"/sys/fs/cgroup"};
  for (const auto& one : std::filesystem::directory_iterator(roots[0])) roots.push_back(one.path());
  std::vector<Path> markets;
  for (const Path& root : roots) {
    if (!std::filesystem::exists(root / own)) continue;
    for (const auto& one : std::filesystem::directory_iterator(root / own)) {
      if (one.is_directory()) markets.push_back(one.path());
    }
  }
  ASSERT_FALSE(markets.empty());
  const Path planted = markets.front() / "planted";
  std::filesystem::create_directory(planted);
  const auto found = find();
  std::filesystem::remove(planted);
  EXPECT_EQ(found, std::vector<std::string>{"a group: " + planted.string()});
}

}  // namespace
}  // namespace sp::crash
