#include "spctl/key_ring.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/random.hpp"
#include "spctl/daemon.hpp"
#include "spctl/offer_policy.hpp"

namespace sp::spctl {
namespace {

class InFolder : public testing::Test {
 protected:
  InFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "spctl-test-XXXXXX").string();
    SP_CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~InFolder() override { std::filesystem::remove_all(folder_); }

  Path folder_;
  PosixFiles files_;
  crypto::SystemRandom random_;
};

using KeyRingTest = InFolder;
using DaemonTest = InFolder;

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

TEST_F(DaemonTest, StartsFindsAndStopsOneProcess) {
  Daemon daemon(files_, folder_ / "sleeper", "sleeper");
  ASSERT_TRUE(daemon.prepare(std::nullopt));
  EXPECT_FALSE(daemon.running());
  auto process = daemon.start({"/bin/sleep", {"60"}, std::nullopt});
  ASSERT_TRUE(process) << process.error().message;
  ASSERT_EQ(daemon.running(), process->pid());
  EXPECT_FALSE(daemon.runs_other_program(process->pid(), "/bin/sleep"));
  EXPECT_TRUE(daemon.runs_other_program(process->pid(), "/bin/ls"));
  EXPECT_TRUE(daemon.stop(SIGTERM));
  EXPECT_FALSE(daemon.running());
  EXPECT_EQ(process->wait(std::chrono::seconds(5))->signal, SIGTERM);
}

TEST_F(DaemonTest, TakesNoOtherProcessForItsOwn) {
  Daemon daemon(files_, folder_ / "sleeper", "sleeper");
  ASSERT_TRUE(daemon.prepare(std::nullopt));
  // This test's own pid with another start time: as if the pid had been given away again.
  const std::string text = std::to_string(::getpid()) + " 1\n";
  ASSERT_TRUE(
      files_.write_atomic(daemon.folder() / "sleeper.pid", as_bytes(text), FileMode::owner_only));
  EXPECT_FALSE(daemon.running());
  EXPECT_TRUE(daemon.stop(SIGKILL));
}

TEST_F(DaemonTest, TellsWhetherSettingsHaveChanged) {
  Daemon daemon(files_, folder_ / "d", "d");
  ASSERT_TRUE(daemon.prepare(std::nullopt));
  EXPECT_TRUE(*daemon.write_settings("{}"));
  EXPECT_FALSE(*daemon.write_settings("{}"));
  EXPECT_TRUE(*daemon.write_settings("{1}"));
}

TEST(OfferPolicy, SellsThroughOneOfferToAnybodyAndNothingElse) {
  apps::Network network;
  network.market.chain_id = 5;
  PolicyWishes wishes;
  wishes.solutions.resize(1);
  wishes.offer.emplace();
  wishes.max_orders = 1;
  wishes.arguments = R"({"argv[0]": ["fast"]})";
  wishes.until = 1000;
  const auto policy = make_offer_policy(network, wishes);
  ASSERT_TRUE(policy);
  EXPECT_FALSE(policy->offers.any);
  EXPECT_EQ(policy->offers.values.size(), 1U);
  EXPECT_FALSE(policy->solutions.any);
  EXPECT_EQ(policy->max_orders, 1U);
  ASSERT_EQ(policy->arguments.size(), 1U);
  EXPECT_EQ(policy->arguments[0].name, "argv[0]");
  wishes.arguments = "none";
  EXPECT_EQ(make_offer_policy(network, wishes)->arguments.size(), 2U);
  wishes.arguments = "{";
  EXPECT_EQ(make_offer_policy(network, wishes).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::spctl
