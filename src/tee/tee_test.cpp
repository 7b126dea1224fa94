#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "tee/cgroups.hpp"
#include "tee/sandbox.hpp"

namespace sp::tee {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr auto kPatience = seconds(10);

// A stand-in for the loader: says who it is, then sends back what it is sent.
constexpr const char* kEchoLoader =
    "#!/bin/sh\n"
    "echo \"pid $$ arguments $*\" >&2\n"
    "env >&2\n"
    "cat <&4 >&2\n"
    "exec cat <&3 >&3\n";

void write_program(const Path& path, const std::string& text) {
  std::ofstream(path) << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

class SandboxTest : public ::testing::Test {
 public:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: the sandbox makes namespaces";
    if (const auto cgroups = Cgroups::detect(); !cgroups) {
      GTEST_SKIP() << "needs control groups: " << cgroups.error().message;
    }
    write_program(folder_ / "loader", kEchoLoader);
    std::ofstream(folder_ / "platform") << "the platform\n";
    log_ = Fd(::open((folder_ / "log").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  [[nodiscard]] std::unique_ptr<TeeHost> make_host() const {
    auto host = make_sandbox({folder_ / "loader", folder_ / "platform", {}, parent_});
    EXPECT_TRUE(host.ok());
    return std::move(*host);
  }
  [[nodiscard]] StartOptions options(const std::string& id) const {
    return {id, 64, 32, 16, log_.get()};
  }
  [[nodiscard]] std::string log_text() const {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Where a TEE's group is, in the hierarchy that limits memory.
  [[nodiscard]] Path group(const std::string& id) const {
    const bool v2 = Cgroups::detect()->version() == Cgroups::Version::v2;
    return Path(kCgroupMount) / (v2 ? "" : "memory") / parent_ / id;
  }

  sp::testing::TemporaryFolder folder_;
  Fd log_;
  std::string parent_ = "superprotocol-test/tee-" + std::to_string(::getpid());
};

std::string exchange(RunningTee& tee, const std::string& text) {
  EXPECT_TRUE(tee.window().write(as_bytes(text)).ok());
  Bytes buffer(256);
  const auto got = tee.window().read(buffer);
  return std::string(as_text(ByteView(buffer).first(got ? *got : 0)));
}

TEST_F(SandboxTest, StartsALoaderBehindAWindow) {
  const auto host = make_host();
  EXPECT_EQ(host->kind(), TeeKind::sandbox);
  const auto tee = host->start(options("one"));
  ASSERT_TRUE(tee.ok()) << tee.error().message;
  EXPECT_EQ(exchange(**tee, "hello"), "hello");
  EXPECT_FALSE((*tee)->wait(milliseconds(0)).has_value());
  // The other side of its standard input closes: cat ends, and with it the loader.
  (*tee)->window().shut_down();
  const auto end = (*tee)->wait(kPatience);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_EQ((*tee)->wait(milliseconds(0))->exit_code, 0);
  const std::string log = log_text();
  EXPECT_THAT(log, HasSubstr("pid 1 arguments --cgroup " + parent_ + "/one/workload\n"));
  EXPECT_THAT(log, HasSubstr("the platform\n"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("HOME=")));
  EXPECT_FALSE(std::filesystem::exists(group("one")));
}

TEST_F(SandboxTest, BoundsTheWholeTee) {
  const auto host = make_host();
  const auto tee = host->start(options("bounded"));
  ASSERT_TRUE(tee.ok()) << tee.error().message;
  const bool v2 = Cgroups::detect()->version() == Cgroups::Version::v2;
  std::uint64_t bytes = 0;
  std::ifstream(group("bounded") / (v2 ? "memory.max" : "memory.limit_in_bytes")) >> bytes;
  EXPECT_EQ(bytes, (std::uint64_t{64 + 32} << 20) + kLoaderMemoryBytes);
  pid_t pid = 0;
  std::ifstream(group("bounded") / kLoaderLeaf / "cgroup.procs") >> pid;
  EXPECT_GT(pid, 1);
}

TEST_F(SandboxTest, KillEndsItAndLeavesNothing) {
  const auto host = make_host();
  auto tee = host->start(options("killed"));
  ASSERT_TRUE(tee.ok()) << tee.error().message;
  EXPECT_EQ(exchange(**tee, "up"), "up");
  (*tee)->kill();
  const auto end = (*tee)->wait(kPatience);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(group("killed")));
  // The destructor does the same.
  auto other = host->start(options("dropped"));
  ASSERT_TRUE(other.ok());
  EXPECT_TRUE(std::filesystem::exists(group("dropped")));
  other->reset();
  EXPECT_FALSE(std::filesystem::exists(group("dropped")));
}

TEST_F(SandboxTest, TeesOutliveTheThreadThatAskedForThem) {
  const auto host = make_host();
  std::unique_ptr<RunningTee> tee;
  std::thread([&] { tee = std::move(*host->start(options("thread"))); }).join();
  EXPECT_EQ(exchange(*tee, "still here"), "still here");
}

TEST_F(SandboxTest, RefusesBadNamesAndDoubles) {
  const auto host = make_host();
  for (const std::string id : {"", "A", "a/b", "..", "a b"}) {
    EXPECT_EQ(host->start(options(id)).error().code, Errc::usage) << id;
  }
  EXPECT_EQ(host->start(options(std::string(65, 'a'))).error().code, Errc::usage);
  const auto first = host->start(options("same"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(host->start(options("same")).error().code, Errc::conflict);
  EXPECT_EQ(exchange(**first, "unharmed"), "unharmed");
  for (const std::string parent : {"", "/a", "a/", "a//b", "../a", "A"}) {
    const auto host_of = make_sandbox({folder_ / "loader", folder_ / "platform", {}, parent});
    EXPECT_EQ(host_of.error().code, Errc::usage) << parent;
  }
}

TEST_F(SandboxTest, AMissingLoaderOrPlatformIsAnError) {
  auto host = make_sandbox({folder_ / "nowhere", folder_ / "platform", {}, parent_});
  ASSERT_TRUE(host.ok());
  EXPECT_EQ((*host)->start(options("a")).error().code, Errc::io);
  EXPECT_FALSE(std::filesystem::exists(group("a")));
  host = make_sandbox({folder_ / "loader", folder_ / "nowhere", {}, parent_});
  ASSERT_TRUE(host.ok());
  EXPECT_EQ((*host)->start(options("a")).error().code, Errc::io);
}

// A provider dies of kill -9: its loaders die with it, and the next life sweeps what stays.
TEST_F(SandboxTest, DiesWithItsProviderAndIsSwept) {
  const pid_t provider = ::fork();
  ASSERT_GE(provider, 0);
  if (provider == 0) {
    const auto host = make_host();
    const auto tee = host->start(options("orphan"));
    ::pause();
    ::_exit(0);
  }
  pid_t loader = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (loader == 0 && std::chrono::steady_clock::now() < deadline) {
    std::ifstream(group("orphan") / kLoaderLeaf / "cgroup.procs") >> loader;
    std::this_thread::sleep_for(milliseconds(5));
  }
  ASSERT_GT(loader, 1);
  ::kill(provider, SIGKILL);
  ::waitpid(provider, nullptr, 0);
  // A group lists its living processes.
  while (loader != 0 && std::chrono::steady_clock::now() < deadline) {
    loader = 0;
    std::ifstream(group("orphan") / kLoaderLeaf / "cgroup.procs") >> loader;
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(loader, 0) << "the loader lives on";
  EXPECT_TRUE(std::filesystem::exists(group("orphan")));
  const auto host = make_host();
  const Status swept = host->sweep();
  EXPECT_TRUE(swept.ok()) << swept.error().message;
  EXPECT_FALSE(std::filesystem::exists(group("orphan")));
  EXPECT_TRUE(host->start(options("orphan")).ok());
}

TEST(Cgroups, SaysWhyThereAreNone) {
  const auto none = Cgroups::detect("/nonexistent");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::unsupported);
  const auto elsewhere = Cgroups::detect("/proc");
  ASSERT_FALSE(elsewhere.ok());
  EXPECT_EQ(elsewhere.error().code, Errc::unsupported);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("limits can't be enforced"));
}

}  // namespace
}  // namespace sp::tee
