#include "spctl/key_ring.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/testing/temporary_folder.hpp"
#include "crypto/random.hpp"

namespace sp::spctl {
namespace {

class KeyRingTest : public ::testing::Test {
 protected:
  sp::testing::TemporaryFolder folder_;
  PosixFiles files_;
  crypto::SystemRandom random_;
};

TEST_F(KeyRingTest, MakesKeysThatOpenAgain) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  const auto info = keys.info("me");
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->has_result_key);
  const auto key = keys.load("me");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->address(), info->address);
  ASSERT_TRUE(keys.load_result_key("me"));
  EXPECT_EQ(keys.list()->size(), 1U);
  for (const char* file : {"me.json", "me.x25519", "password"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / file).c_str(), &status), 0) << file;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(KeyRingTest, NeverOverwritesAndRefusesNamesThatAreNoNames) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  EXPECT_EQ(keys.create("me").error().code, Errc::conflict);
  for (const char* name : {"", "..", "a/b", "password", "a b"}) {
    EXPECT_EQ(keys.create(name).error().code, Errc::usage) << name;
  }
  EXPECT_EQ(keys.load("you").error().code, Errc::not_found);
}

TEST_F(KeyRingTest, RefusesAWrongPassword) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  const Path other = folder_ / "other";
  ASSERT_TRUE(files_.write_atomic(other, as_bytes("wrong\n"), FileMode::owner_only));
  KeyRing wrong(files_, random_, folder_, other);
  EXPECT_EQ(wrong.load("me").error().code, Errc::unauthorised);
}

TEST_F(KeyRingTest, KeysThatAreMadeAtOnceAllOpen) {
  constexpr int kAtOnce = 8;
  const Path folder = Path(folder_ / "new") / "keys";
  std::atomic<int> made = 0;
  std::atomic<int> taken = 0;
  std::vector<std::thread> commands;
  for (int i = 0; i < kAtOnce; ++i) {
    commands.emplace_back([&, i] {
      crypto::SystemRandom random;
      KeyRing keys(files_, random, folder, {});
      EXPECT_TRUE(keys.create("k" + std::to_string(i)));
      const Status same = keys.create("same");
      if (same) ++made;
      if (!same && same.error().code == Errc::conflict) ++taken;
    });
  }
  for (auto& command : commands) command.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(taken, kAtOnce - 1);
  KeyRing keys(files_, random_, folder, {});
  const auto all = keys.list();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), kAtOnce + 1U);
  for (const KeyInfo& key : *all) {
    const auto loaded = keys.load(key.name);
    ASSERT_TRUE(loaded) << key.name << ": " << loaded.error().message;
    EXPECT_EQ(loaded->address(), key.address);
  }
}

TEST_F(KeyRingTest, ALostPasswordIsNotReplaced) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  std::filesystem::remove(folder_ / "password");
  const Status more = keys.create("more");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::not_found);
  EXPECT_FALSE(keys.has("more"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "password"));
}

TEST_F(KeyRingTest, ALostResultKeyIsNotTakenForALostKey) {
  KeyRing keys(files_, random_, folder_, {});
  ASSERT_TRUE(keys.create("me"));
  std::filesystem::remove(folder_ / "me.x25519");
  const auto lost = keys.load_result_key("me");
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("me.x25519 is missing"), std::string::npos);
  EXPECT_EQ(keys.load_result_key("you").error().message.find("me.x25519"), std::string::npos);
}

}  // namespace
}  // namespace sp::spctl
