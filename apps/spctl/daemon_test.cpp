#include "spctl/daemon.hpp"
#include "base/testing/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace sp::spctl {
namespace {

class DaemonTest : public ::testing::Test {
 protected:
  sp::testing::TemporaryFolder folder_;
  PosixFiles files_;
};

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

// As a build under umask 077 leaves it.
TEST_F(DaemonTest, AProgramThatItsUserMayNotRunIsSaidSo) {
  Daemon daemon(files_, folder_ / "d", "d");
  ASSERT_TRUE(daemon.prepare(std::nullopt));
  const Path program = folder_ / "program";
  std::filesystem::copy_file("/bin/sleep", program);
  std::filesystem::permissions(program, std::filesystem::perms(0700));
  const auto process = daemon.start({program, {"60"}, 65534});
  ASSERT_FALSE(process);
  EXPECT_NE(process.error().message.find("chmod 755 " + program.string()), std::string::npos)
      << process.error().message;
}

TEST_F(DaemonTest, TellsWhetherSettingsHaveChanged) {
  Daemon daemon(files_, folder_ / "d", "d");
  ASSERT_TRUE(daemon.prepare(std::nullopt));
  EXPECT_TRUE(*daemon.write_settings("{}"));
  EXPECT_FALSE(*daemon.write_settings("{}"));
  EXPECT_TRUE(*daemon.write_settings("{1}"));
}

}  // namespace
}  // namespace sp::spctl
