// Workloads and images that attack who runs them: stopped at their limits and reported as such, and
// the provider goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "archives.hpp"
#include "base/testing/must.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using api::LimitHit;
using api::Outcome;
using testing::HasSubstr;

class Workload : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override { shop.rest(); }

  Shop& shop = Shop::get();
  Town& town = shop.town();
};

struct Limit {
  std::vector<std::string> argv;
  Outcome outcome;
  std::int32_t exit_code;
  LimitHit limit;
  std::string failure;
};

TEST_F(Workload, IsStoppedAtItsLimits) {
  const std::vector<Limit> limits = {
      {{"memory"}, Outcome::workload, 137, LimitHit::memory, "stopped at its limit of memory"},
      {{"fork"}, Outcome::workload, 6, LimitHit::none, "exit code 6"},
      {{"disk"}, Outcome::workload, 7, LimitHit::disk, "stopped at its limit of disk"},
      {{"flood"}, Outcome::workload, 137, LimitHit::log, "stopped at its limit of log"},
      {{"loop"}, Outcome::workload, 137, LimitHit::time, "stopped at its limit of time"},
  };
  for (const Limit& each : limits) {
    SCOPED_TRACE(each.argv[0]);
    const std::uint32_t seconds = each.limit == LimitHit::time ? 1 : 20;
    const Placed placed = shop.place({.argv = each.argv, .seconds = seconds, .bought = true});
    shop.expect_settled(placed, each.outcome);
    const api::Finish finish = shop.finish_of(placed.id);
    EXPECT_EQ(finish.failure, each.failure);
    const api::Receipt& receipt = finish.receipt->statement;
    EXPECT_EQ(receipt.exit_code, each.exit_code);
    EXPECT_EQ(api::limit_name(receipt.limit), api::limit_name(each.limit));
    EXPECT_FALSE(receipt.result.is_zero()) << "log and outcome are the customer's all the same";
    // The provider is unharmed.
    shop.expect_settled(shop.place({.bought = true}), Outcome::success);
  }
}

TEST_F(Workload, ReachesNeitherNetworkNorHost) {
  const std::string port = town.network().rpc.substr(town.network().rpc.rfind(':') + 1);
  struct Case {
    std::vector<std::string> argv;
    std::vector<std::string> lines;
  };
  const std::vector<Case> cases = {
      {{"network", port}, {"host: Connection refused", "world: Network is unreachable", "vsock: "}},
      {{"files", town.home().string()},
       {"home: No such file or directory", "shadow: No such file or directory", "init's root: ",
        "window: ", "platform: ", "kernel: ", "memory: ", "groups: No such file or directory",
        "write root: Read-only file system", "device: Operation not permitted"}},
  };
  for (const Case& each : cases) {
    const Path out = town.work() / ("result-" + each.argv[0]);
    std::vector<std::string> line = {"run", town.image().string(), "--out", out.string(), "--"};
    line.insert(line.end(), each.argv.begin(), each.argv.end());
    const CommandOutput run = town.spctl(line);
    EXPECT_EQ(run.end.exit_code, 0) << run.text;
    const std::string log(as_text(must(town.files().read(out / "log.txt", 1 << 20))));
    for (const std::string& text : each.lines) EXPECT_THAT(log, HasSubstr(text));
    EXPECT_THAT(log, testing::Not(HasSubstr("ALLOWED")));
  }
}

// Image archives that reach out of where they are unpacked are refused before anything is paid.
TEST_F(Workload, ArchivesThatReachOutAreRefusedByTheClient) {
  const std::vector<std::pair<Entry, std::string>> cases = {
      {{"../escape", '0', "x"}, "\"..\""},
      {{"a/../../escape", '0', "x"}, "\"..\""},
      {{"/etc/escape", '0', "x"}, "absolute"},
      {{"link", '2', "", "/etc"}, "neither"},
      {{"link", '1', "", "../../etc/passwd"}, ""},
      {{"device", '3'}, "neither"},
      {{"fifo", '6'}, "neither"},
  };
  const Books before = shop.books();
  for (const auto& [entry, why] : cases) {
    SCOPED_TRACE(entry.name + " of type " + entry.type);
    const Path archive = town.work() / "evil.tar";
    write_text(archive, tar_of({{"oci-layout", '0', "{}"}, entry}));
    const CommandOutput run = town.spctl({"run", archive.string(), "--", "exit", "0"});
    EXPECT_NE(run.end.exit_code, 0);
    EXPECT_THAT(run.text, HasSubstr("isn't an image archive"));
    EXPECT_THAT(run.text, HasSubstr(why));
    EXPECT_FALSE(std::filesystem::exists("/etc/escape"));
  }
  EXPECT_EQ(changes(before, shop.books()), Changes());
}

// The loader refuses a layer that reaches out: the image's fault, and nothing is started.
TEST_F(Workload, LayersThatReachOutAreTheImagesFault) {
  const std::vector<std::vector<Entry>> cases = {
      {{"../escape", '0', "x"}},
      {{"/etc/escape", '0', "x"}},
      {{"up", '2', "", "../../.."}},
      {{"abs", '2', "", "/nowhere"}, {"abs/escape", '0', "x"}},
      {{"hard", '1', "", "../../etc/passwd"}},
      {{"device", '4'}},
      {{".wh...", '0'}},
      {{".wh.program", '0', "content"}},
  };
  for (const auto& entries : cases) {
    SCOPED_TRACE(entries.back().name);
    const Sealed image = image_of(shop, tar_of(entries), {{"Entrypoint", {"/program"}}});
    const Placed placed = shop.place({.image = &image});
    shop.expect_settled(placed, Outcome::input);
    const api::Finish finish = shop.finish_of(placed.id);
    ASSERT_TRUE(finish.receipt);
    EXPECT_EQ(finish.receipt->statement.fault_part, 1);
    EXPECT_FALSE(finish.receipt->statement.started);
    EXPECT_EQ(finish.failure, "part 1: its content is refused: refused");
  }
  EXPECT_FALSE(std::filesystem::exists("/etc/escape"));
  shop.expect_settled(shop.place({.bought = true}), Outcome::success);
}

// Data whose seal holds but whose tree reaches out: the data's fault.
TEST_F(Workload, DataThatReachOutAreTheDatasFault) {
  const std::vector<std::vector<Entry>> cases = {
      {{"../escape", '0', "x"}},
      {{"a/../../escape", '0', "x"}},
      {{"/etc/escape", '0', "x"}},
      {{"link", '2', "", "/etc"}, {"link/escape", '0', "x"}},
      {{"hard", '1', "", "/etc/passwd"}},
      {{"device", '3'}},
      {{"twice", '0', "x"}, {"twice", '0', "y"}},
      {{"file", '0', "x"}, {"file/below", '0', "y"}},
  };
  for (const auto& entries : cases) {
    SCOPED_TRACE(entries.back().name);
    const std::string tar = tar_of(entries);
    store::MemorySource stream(as_bytes(tar));
    const Sealed data = shop.bring(town.seal(stream));
    const Placed placed =
        shop.place({.change = [&](api::Terms& terms) { terms.parts[2].digest = data.package; }});
    shop.expect_settled(placed, Outcome::input);
    const api::Finish finish = shop.finish_of(placed.id);
    ASSERT_TRUE(finish.receipt);
    EXPECT_EQ(finish.receipt->statement.fault_part, 2);
    EXPECT_FALSE(finish.receipt->statement.started);
    EXPECT_EQ(finish.failure, "part 2: its content is refused: refused");
  }
  EXPECT_FALSE(std::filesystem::exists("/etc/escape"));
}

// Folders with what isn't a plain file are refused before anything is paid.
TEST_F(Workload, FoldersWithOddEntriesAreRefusedByTheClient) {
  const Path folder = town.work() / "odd";
  const std::vector<std::function<void()>> makes = {
      [&] { std::filesystem::create_symlink("/etc/shadow", folder / "odd"); },
      [&] { ASSERT_EQ(::mkfifo((folder / "odd").c_str(), 0600), 0); },
      [&] { ASSERT_EQ(::mknod((folder / "odd").c_str(), S_IFCHR | 0600, 0x0103), 0); },
  };
  const Books before = shop.books();
  for (const auto& make : makes) {
    std::filesystem::create_directories(folder);
    // What an image is told by.
    for (const char* name : {"index.json", "oci-layout"}) std::ofstream(folder / name) << "{}";
    make();
    for (const bool as_image : {false, true}) {
      const std::string image = as_image ? folder.string() : town.image().string();
      const CommandOutput run =
          town.spctl({"run", image, "--data", folder.string(), "--", "exit", "0"});
      EXPECT_NE(run.end.exit_code, 0);
      EXPECT_THAT(run.text, HasSubstr(": odd is neither a folder nor a file."));
    }
    std::filesystem::remove_all(folder);
  }
  EXPECT_EQ(changes(before, shop.books()), Changes());
}

}  // namespace
}  // namespace sp::hostile
