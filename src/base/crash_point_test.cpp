#include "base/crash_point.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/durable.hpp"
#include "base/testing/temporary_folder.hpp"

namespace sp {
namespace {

using Folder = testing::TemporaryFolder;

std::string content(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::size_t entries(const Path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// Runs in a child that is armed; the signal that ended it, 0 where it went through.
int signal_of(const std::string& point, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!arm_crash_point(point)) ::_exit(2);
    work();
    ::_exit(0);
  }
  int status = 0;
  SP_CHECK(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(CrashPoint, KillsAWriteAtEachMoment) {
  const Folder folder;
  const Path path = folder.path() / "file";
  PosixFiles files;
  ASSERT_TRUE(files.write_atomic(path, Bytes{'o'}, FileMode::owner_only).ok());
  const auto write = [&] {
    static_cast<void>(
        keep(files, CrashSite::ledger_queued, path, Bytes{'n'}, FileMode::owner_only).ok());
  };
  EXPECT_EQ(signal_of("provider.ledger.queued:before", write), SIGKILL);
  EXPECT_EQ(entries(folder.path()), 1U);
  EXPECT_EQ(content(path), "o");
  EXPECT_EQ(signal_of("provider.ledger.queued:between", write), SIGKILL);
  EXPECT_EQ(entries(folder.path()), 2U) << "the temporary file stays";
  EXPECT_EQ(content(path), "o");
  EXPECT_EQ(signal_of("provider.ledger.running:between", write), 0) << "another site";
  EXPECT_EQ(signal_of("provider.ledger.queued:after", write), SIGKILL);
  EXPECT_EQ(content(path), "n");
}

TEST(CrashPoint, KillsARemovalBeforeAndAfter) {
  const Folder folder;
  const Path path = folder.path() / "file";
  PosixFiles files;
  ASSERT_TRUE(files.write_atomic(path, Bytes{'o'}, FileMode::owner_only).ok());
  const auto remove = [&] {
    static_cast<void>(discard(files, CrashSite::client_stopped, path).ok());
  };
  EXPECT_EQ(signal_of("spctl.down.pid:before", remove), SIGKILL);
  EXPECT_EQ(content(path), "o");
  EXPECT_EQ(signal_of("spctl.down.pid:after", remove), SIGKILL);
  EXPECT_EQ(entries(folder.path()), 0U);
}

TEST(CrashPoint, KillsAtTheNumberedPass) {
  const Folder folder;
  const auto twice = [&] {
    for (const char* name : {"1", "2"}) {
      const CrashEffect effect(CrashSite::upload);
      std::ofstream(folder.path() / name) << "x";
    }
  };
  EXPECT_EQ(signal_of("upload:after:2", twice), SIGKILL);
  EXPECT_EQ(entries(folder.path()), 2U);
  EXPECT_EQ(signal_of("upload:before:3", twice), 0);
}

TEST(CrashPoint, RefusesWhatNamesNone) {
  for (const char* text :
       {"", "upload", "upload:", "upload:between", "upload:before:0", "upload:before:x",
        "upload:before:1x", "nothing:before", "UPLOAD:before", ":before", "upload:before:1:2"}) {
    const Status armed = arm_crash_point(text);
    ASSERT_FALSE(armed.ok()) << text;
    EXPECT_EQ(armed.error().code, Errc::usage) << text;
  }
  EXPECT_EQ(crash_variable_for("loader"), std::nullopt);
}

TEST(CrashPoint, TellsAChildItsOwnPointAlone) {
  const auto of = [](const char* point, std::string_view program) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(arm_crash_point(point) && crash_variable_for(program) ? 1 : 0);
    }
    int status = 0;
    SP_CHECK(::waitpid(child, &status, 0) == child);
    return WEXITSTATUS(status) == 1;
  };
  EXPECT_TRUE(of("loader.finish:after", "loader"));
  EXPECT_FALSE(of("provider.accept:after", "loader"));
}

TEST(CrashPoint, NamesAreUniqueAndTold) {
  std::set<std::string_view> names;
  for (const CrashSiteInfo& site : all_crash_sites()) {
    EXPECT_TRUE(names.insert(site.name).second) << site.name;
    EXPECT_TRUE(site.what.ends_with(".")) << site.name;
    EXPECT_FALSE(site.programs.empty());
  }
}

// docs/CRASHES.md holds the registry, row by row.
TEST(CrashPoint, TheDocumentHoldsTheRegistry) {
  std::string table = "| site | kind | program | what a crash there means |\n|---|---|---|---|\n";
  for (const CrashSiteInfo& site : all_crash_sites()) {
    std::ostringstream row;
    row << "| `" << site.name << "` | " << crash_kind_name(site.kind) << " | " << site.programs
        << " | " << site.what << " |\n";
    table += row.str();
  }
  const std::string document = content(Path(SP_TEST_SOURCE_DIR) / "docs" / "CRASHES.md");
  EXPECT_NE(document.find(table), std::string::npos) << "the table is to be:\n" << table;
}

TEST(Sweep, RemovesWhatDeadWritersLeft) {
  const Folder folder;
  const Path below = folder.path() / "below";
  std::filesystem::create_directories(below);
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  int status = 0;
  ASSERT_EQ(::waitpid(dead, &status, 0), dead);
  const auto temporary = [](const std::string& name, pid_t pid) {
    return name + "." + std::to_string(pid) + "-1.sp-tmp";
  };
  const Path ours = folder.path() / temporary("own", ::getpid());
  const Path gone = folder.path() / temporary("gone.1", dead);
  const Path alive = folder.path() / temporary("alive", ::getppid());
  const Path deep = below / temporary("deep", dead);
  const Path others[] = {folder.path() / "a.sp-tmp", folder.path() / "b.12-.txt", alive};
  for (const Path& path : {ours, gone, deep}) std::ofstream(path) << "x";
  for (const Path& path : others) std::ofstream(path) << "x";
  ASSERT_TRUE(sweep_temporaries(folder.path(), SweepDepth::folder).ok());
  EXPECT_FALSE(std::filesystem::exists(ours)) << "an earlier owner of this pid";
  EXPECT_FALSE(std::filesystem::exists(gone));
  EXPECT_TRUE(std::filesystem::exists(deep));
  ASSERT_TRUE(sweep_temporaries(folder.path(), SweepDepth::below).ok());
  EXPECT_FALSE(std::filesystem::exists(deep));
  for (const Path& path : others) EXPECT_TRUE(std::filesystem::exists(path)) << path;
  EXPECT_TRUE(sweep_temporaries(folder.path() / "none", SweepDepth::below).ok());
}

}  // namespace
}  // namespace sp
