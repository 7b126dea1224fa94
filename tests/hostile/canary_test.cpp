// Canaries: unique texts in data, solution, arguments and result, and a search for them in
// everything that those see who must not know them.
#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "archives.hpp"
#include "base/testing/must.hpp"
#include "base/testing/processes.hpp"
#include "canaries.hpp"

namespace sp::hostile {
namespace {

constexpr std::size_t kFileMax = 256 << 20;

std::string read_all(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Looks at command line and environment of every process, again and again, until it is destroyed.
class ProcessWatch {
 public:
  ProcessWatch() : thread_([this] { watch(); }) {}
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;
  ~ProcessWatch() { stop(); }

  /// All that was seen, by the process's program and how it was started.
  std::map<std::string, std::string> stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return seen_;
  }

 private:
  void watch() {
    while (!stop_) {
      for (const pid_t process : process_ids()) {
        const std::string line = process_text(process, "cmdline");
        if (line.empty()) continue;
        seen_[line] += process_text(process, "environ");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  std::atomic<bool> stop_ = false;
  std::map<std::string, std::string> seen_;
  std::thread thread_;  // last: it uses all of the above
};

class Canary : public testing::Test {
 protected:
  void SetUp() override {
    town.behave();
    std::string unique = to_hex(crypto::random_fixed<Digest32>(town.random()).view()).substr(0, 24);
    for (const char* name : {"data", "solution", "argument", "environment"}) {
      canaries[name] = std::string("canary-of-") + name + "-" + unique;
    }
    // The workload writes the data in capitals: a text that stands nowhere before.
    std::string shouted = canaries["data"];
    for (char& c : shouted) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    canaries["result"] = shouted;
    for (const auto& [name, secret] : canaries) search.add(name, secret);
  }
  /// The image of the workload with the solution's canary in it.
  Path make_image() {
    const Path program = town.work() / "canary-program";
    std::ofstream(program, std::ios::binary)
        << read_all(town.work() / "workload") << canaries["solution"];
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const Path image = town.work() / "canary-image";
    ProcessOptions options;
    options.argv = {(Path(SP_TEST_SOURCE_DIR) / "tests" / "make-image.sh").string(), program,
                    image};
    options.environment = basic_environment();
    must(run_command(options, std::chrono::seconds(30), 1 << 16));
    return image;
  }
  /// Runs the order, with every process watched meanwhile.
  std::map<std::string, std::string> run(const Path& out) {
    const Path note = town.work() / "canary" / "note.txt";
    std::filesystem::create_directories(note.parent_path());
    std::ofstream(note) << canaries["data"];
    const Path image = make_image();
    ProcessWatch watch;
    const CommandOutput ran = town.spctl({"run", image.string(), "--data", note.string(), "--env",
                                          "CANARY=" + canaries["environment"], "--out",
                                          out.string(), "--", "shout", canaries["argument"], "1"});
    EXPECT_EQ(ran.end.exit_code, 0) << ran.text;
    return watch.stop();
  }
  std::set<std::string> in_folder(const Path& folder, std::size_t& files) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_LT(entry.file_size(), kFileMax);
      names.merge(search.found(read_all(entry.path())));
      ++files;
    }
    return names;
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  std::map<std::string, std::string> canaries;
  Canaries search;
};

const std::set<std::string> kNone;

TEST_F(Canary, StandNowhereThatTheyMustNot) {
  const Path out = town.work() / "canary-result";
  const auto processes = run(out);

  // The customer has it all: the search finds what is there.
  std::size_t files = 0;
  EXPECT_EQ(in_folder(out, files), (std::set<std::string>{"argument", "result"}));
  EXPECT_EQ(in_folder(town.home() / "orders", files).contains("argument"), true);

  // Everything that provider, store, broker and chain keep, their logs included.
  for (const char* role : {"provider", "store", "broker", "chain"}) {
    std::size_t of_role = 0;
    EXPECT_EQ(in_folder(town.home() / role, of_role), kNone) << role;
    EXPECT_GT(of_role, 2U) << role;
  }
  // All that passed between the processes.
  for (const HostileProxy* proxy : town.proxies()) {
    const auto all = proxy->seen();
    EXPECT_FALSE(all.empty());
    for (const Exchange& exchange : all) {
      EXPECT_EQ(search.found(as_text(exchange.request)), kNone) << exchange.path;
      EXPECT_EQ(search.found(as_text(exchange.response)), kNone) << exchange.path;
      EXPECT_EQ(search.found(exchange.path), kNone);
    }
  }
  // Command lines and environments of all processes but the customer's own spctl and the workload
  // itself, which with dev evidence root can look at.
  bool saw_workload = false, saw_loader = false;
  for (const auto& [line, environment] : processes) {
    const std::string program = line.substr(0, line.find('\0'));
    saw_loader |= program.find("sploader") != std::string::npos;
    if (program == "/program") {
      // Workloads of towns beside this one have none of its secrets.
      const auto found = search.found(line);
      if (found == kNone) continue;
      EXPECT_EQ(found, (std::set<std::string>{"argument"}));
      saw_workload = true;
      continue;
    }
    if (program == town.program("spctl").string()) continue;
    EXPECT_EQ(search.found(line), kNone) << program;
    EXPECT_EQ(search.found(environment), kNone) << program;
  }
  EXPECT_TRUE(saw_workload);
  EXPECT_TRUE(saw_loader);
}

// What is wrong with a secret part is told without names out of it.
TEST_F(Canary, InSpoiltContentStayInside) {
  const std::string data = canaries["data"], solution = canaries["solution"];
  const auto stream = [&](const std::vector<Entry>& entries) {
    const std::string tar = tar_of(entries);
    store::MemorySource source(as_bytes(tar));
    return shop.bring(town.seal(source));
  };
  std::vector<std::pair<std::size_t, Sealed>> parts;
  parts.emplace_back(2, stream({{data, '3'}}));
  parts.emplace_back(2, stream({{"/" + data}}));
  parts.emplace_back(2, stream({{data}, {data}}));
  const auto image = [&](const std::vector<Entry>& entries, const Json& settings) {
    parts.emplace_back(1, image_of(shop, tar_of(entries), settings));
  };
  image({{solution, '1', "", "nothing"}}, {{"Entrypoint", {"/program"}}});
  image({{".wh." + solution, '0', "x"}}, {{"Entrypoint", {"/program"}}});
  image({{"program"}}, {{"Entrypoint", {"/program"}}, {"User", solution}});
  image({{"program"}, {solution}}, {{"Entrypoint", {"/program"}}, {"WorkingDir", "/" + solution}});
  image({{solution, '0', "no program at all"}}, {{"Entrypoint", {"/" + solution}}});
  image({{"program"}}, {{"Entrypoint", {"/" + solution}}});
  for (const auto& [part, sealed] : parts) {
    const Placed placed = shop.place(
        {.change = [&](api::Terms& terms) { terms.parts[part].digest = sealed.package; }});
    shop.wait(placed.id);
    const api::Receipt receipt = shop.receipt_of(placed.id);
    shop.expect_settled(placed, receipt.outcome);
    EXPECT_NE(receipt.outcome, api::Outcome::success);
    EXPECT_NE(receipt.outcome, api::Outcome::provider) << shop.finish_of(placed.id).failure;
    EXPECT_EQ(search.found(shop.finish_of(placed.id).failure), kNone);
  }
  std::size_t files = 0;
  EXPECT_EQ(in_folder(town.home() / "provider", files), kNone);
}

// The search itself: what is planted is found, in files, in traffic and in processes.
TEST_F(Canary, ArePlantedAndFound) {
  const std::string secret = canaries["data"];
  std::size_t files = 0;
  const Path planted = town.home() / "provider" / "state" / "planted";
  for (const std::string& form : forms(secret)) {
    std::ofstream(planted) << "before" << form << "behind";
    EXPECT_EQ(in_folder(town.home() / "provider", files), (std::set<std::string>{"data"}));
  }
  std::filesystem::remove(planted);
  EXPECT_EQ(in_folder(town.home() / "provider", files), kNone);
  must(town.http().call("PUT", town.provider_store->url() + "/v1/nothing", as_bytes(secret)));
  const auto seen = town.provider_store->seen("/v1/nothing");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(search.found(as_text(seen[0].request)), (std::set<std::string>{"data"}));
  ProcessWatch watch;
  ProcessOptions options;
  options.argv = {"sleep", "0.1"};
  options.environment = {"PATH=/usr/bin:/bin", "CANARY=" + secret};
  must(run_command(options, std::chrono::seconds(5), 1024));
  std::set<std::string> names;
  for (const auto& [line, environment] : watch.stop()) names.merge(search.found(environment));
  EXPECT_EQ(names, (std::set<std::string>{"data"}));
}

}  // namespace
}  // namespace sp::hostile
