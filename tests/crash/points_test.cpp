// Every crash point of the registry: the process dies there by SIGKILL, is started again, and the
// order ends once. A point that nothing passes fails its test.
#include <gtest/gtest.h>

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/testing/must.hpp"
#include "cache_child.hpp"
#include "spctl/order_files.hpp"
#include "transfers.hpp"

namespace sp::crash {
namespace {

using std::chrono::seconds;

constexpr seconds kDeathLimit{30};
constexpr const char* kPurse = "10000000000000000000000";  // what `spctl up` takes from the faucet
constexpr const char* kShout = "argument-canaryA NOTE OF THE CUSTOMER";

std::string read_all(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string name_of(const Point& point) {
  std::string name = point.program + "_" + point.text();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

class CrashPoints : public testing::TestWithParam<Point> {
 protected:
  /// One line for people.
  void tell(const std::string& end) {
    std::cout << point.program << " killed at " << point.text() << ": " << end << std::endl;
  }
  // A daemon that dies with an order under way.
  std::string in_an_order() {
    if (point.site == CrashSite::broker_checkpoint) world.town().pass_time(31);
    world.restart(point.program, point);
    const Ordered ordered = world.order();
    EXPECT_TRUE(world.dies(point.program, kDeathLimit)) << "the point was never passed";
    world.restart(point.program);
    return world.expect_one_end(ordered);
  }
  // An order that was cancelled while the provider was away.
  std::string given_up() {
    world.kill("provider");
    const Ordered ordered = world.order();
    hostile::Town& town = world.town();
    must(town.send(town.customer(), town.market().cancel(ordered.placed.terms)));
    world.start("provider", point);
    EXPECT_TRUE(world.dies("provider", kDeathLimit)) << "the point was never passed";
    world.restart("provider");
    return world.expect_one_end(ordered);
  }
  // The broker dies with a deposit: its owner had no answer, and deposits again.
  std::string in_a_deposit() {
    world.restart("broker", point);
    EXPECT_THROW(world.order(), std::runtime_error);
    EXPECT_TRUE(world.dies("broker", kDeathLimit)) << "the point was never passed";
    world.restart("broker");
    return world.expect_one_end(world.order());
  }
  // Of the first loader; the provider lives, and starts another.
  std::string in_a_loader() {
    world.restart("provider", point);
    const Ordered ordered = world.order();
    const std::string end = world.expect_one_end(ordered);
    const std::string log = read_all(world.town().home() / "provider" / "provider.log");
    const std::string lost = "\"loader_lost\",\"order\":\"" + ordered.placed.id.hex0x();
    const bool handed_on =
        point.site == CrashSite::loader_finish && point.moment == CrashMoment::after;
    EXPECT_EQ(log.find(lost) == std::string::npos, handed_on) << lost;
    return end;
  }
  std::string in_the_cache() {
    const Path folder = world.town().work() / "collateral";
    std::filesystem::create_directories(folder);
    ProcessOptions child;
    child.argv = {std::filesystem::read_symlink("/proc/self/exe"), kCacheChild, folder};
    child.environment = {std::string(kCrashVariable) + "=" + point.text()};
    EXPECT_EQ(must(run_command(child, seconds(10), 4096)).end.signal, SIGKILL);
    const std::string kept = kept_in(folder);
    EXPECT_EQ(kept.empty(), point.moment != CrashMoment::after) << kept;
    child.environment.clear();
    EXPECT_EQ(must(run_command(child, seconds(10), 4096)).end.exit_code, 0);
    const auto files = std::distance(std::filesystem::directory_iterator(folder), {});
    EXPECT_EQ(files, 1) << "the temporary file stays";
    std::filesystem::remove_all(folder);
    return kept.empty() ? "fetched again" : "kept";
  }

  // The store starts with a record of owners that a crash cut off, and dies as it writes a new one.
  std::string in_the_owners() {
    world.kill("store");
    std::ofstream(world.town().home() / "store" / "state" / "blobs" / "owners.log",
                  std::ios::app | std::ios::binary)
        << "half a record";
    world.start("store", point);
    EXPECT_TRUE(world.dies("store", kDeathLimit)) << "the point was never passed";
    world.restart("store");
    return world.expect_one_end(world.order());
  }

  // The store dies as it deletes; the command, which asks again, ends well.
  std::string in_a_deletion() {
    const Path file = world.town().work() / "to-delete";
    std::ofstream(file) << "what goes";
    const std::string id = world.must_run({"files", "upload", file}).text.substr(0, 64);
    world.restart("store", point);
    auto deleted = std::async(std::launch::async, [&] {
      return world.must_run({"files", "delete", id});
    });
    EXPECT_TRUE(world.dies("store", kDeathLimit)) << "the point was never passed";
    world.restart("store");
    EXPECT_EQ(deleted.get().end.exit_code, 0);
    const auto opened = world.spctl({"files", "download", id, "--out", file.string() + ".out"});
    EXPECT_TRUE(opened && opened->end.exit_code != 0) << "it is still there";
    EXPECT_EQ(world.must_run({"files", "delete", id}).text, id + " isn't there\n");
    return world.expect_one_end(world.order());
  }

  std::string in_a_daemon() {
    switch (point.site) {
      case CrashSite::store_owners:
        return in_the_owners();
      case CrashSite::store_delete:
        return in_a_deletion();
      case CrashSite::ledger_failed:
        return given_up();
      case CrashSite::broker_secret:
        return in_a_deposit();
      case CrashSite::collateral_entry:
        return in_the_cache();
      default:
        return in_an_order();
    }
  }

  // ---- spctl ----

  std::set<std::string> orders() {
    std::set<std::string> found;
    std::error_code none;
    const Path folder = world.town().home() / "orders";
    for (std::filesystem::directory_iterator entry(folder, none), end; !none && entry != end;
         entry.increment(none)) {
      if (std::filesystem::exists(entry->path() / "order")) found.insert(entry->path().filename());
    }
    return found;
  }
  std::vector<std::string> run_arguments() {
    return {
        "run",   world.town().image(), "--data", world.town().work() / "note" / "note.txt", "--",
        "shout", "argument-canary",    "0"};
  }
  // spctl run dies; what it left is gone on with.
  std::string in_a_run() {
    const auto known = orders();
    const hostile::Books before = world.shop().books();
    world.must_die(point, run_arguments());
    auto now = orders();
    world.must_run({"orders", "list"});
    const bool kept = now.size() > known.size();
    if (kept) {
      for (const std::string& order : known) now.erase(order);
      world.must_run({"orders", "resume", *now.begin()});
    } else {
      EXPECT_TRUE(hostile::changes(before, world.shop().books()).empty());
      world.must_run(run_arguments());
      now = orders();
      for (const std::string& order : known) now.erase(order);
    }
    EXPECT_EQ(now.size(), 1U);
    expect_run(*now.begin(), before);
    // Once more: nothing is left to do, and nothing is paid again.
    const hostile::Books after = world.shop().books();
    world.must_run({"orders", "resume", *now.begin()});
    EXPECT_TRUE(hostile::changes(after, world.shop().books()).empty());
    return kept ? "resumed, settled" : "nothing paid, ordered again";
  }
  void expect_run(const std::string& order, const hostile::Books& before) {
    hostile::Town& town = world.town();
    const Path folder = town.home() / "orders";
    EXPECT_EQ(read_all(folder / order / "result" / "output" / "shout.txt"), kShout);
    EXPECT_TRUE(std::filesystem::exists(folder / order / "created.json"));
    hostile::Placed placed;
    placed.id = must(api::OrderId::from_hex(order));
    placed.terms = must(spctl::OrderFiles(town.files(), folder).load(placed.id)).terms;
    placed.block = town.network().start_block;
    placed.before = before;
    world.shop().expect_settled(placed, api::Outcome::success);
    world.must_run({"orders", "report", order, "-o", town.work() / "proof"});
  }

  std::string in_an_output() {
    const auto known = orders();
    if (known.empty()) world.must_run(run_arguments());
    const Path out = world.town().work() / "proof-of-crash";
    std::filesystem::remove(out);
    const std::vector<std::string> report{"orders", "report", *orders().begin(), "-o", out};
    world.must_die(point, report);
    EXPECT_EQ(std::filesystem::exists(out), point.moment == CrashMoment::after);
    world.must_run(report);
    for (const auto& entry : std::filesystem::directory_iterator(out.parent_path())) {
      EXPECT_FALSE(entry.path().string().ends_with(".sp-tmp")) << entry.path();
    }
    return "written again";
  }
  std::string in_a_key_ring() {
    const Path home = world.town().work() / "home-of-keys";
    world.must_die(point, {"keys", "create", "somebody"}, home);
    const bool whole = point.site == CrashSite::client_key && point.moment == CrashMoment::after;
    const auto again = world.spctl({"keys", "create", "somebody"}, {}, home);
    EXPECT_EQ(again->end.exit_code == 0, !whole) << again->text;
    world.must_run({"keys", "list"}, home);
    expect_no_temporaries(home);
    std::filesystem::remove_all(home);
    return whole ? "the key is there" : "made again";
  }
  std::string in_an_up() {
    const Path home = world.town().work() / "home-of-up";
    world.must_die(point, {"up"}, home);
    world.must_run({"up"}, home);
    world.must_run({"status"}, home);
    const auto balance = world.must_run({"tokens", "balance", "--json"}, home);
    EXPECT_NE(balance.text.find(std::string("\"wallet\": \"") + kPurse + "\""), std::string::npos)
        << balance.text;
    stop(home);
    return "up, with the right purse";
  }
  // spctl down dies; what it left is stopped, and what it stopped is left alone.
  std::string in_a_stop() {
    const Path home = world.town().work() / "home-of-up";
    world.must_run({"up"}, home);
    world.must_die(point, {"down"}, home);
    stop(home);
    return "stopped";
  }
  void stop(const Path& home) {
    world.must_run({"down"}, home);
    for (const pid_t pid : world.town().left_behind()) {
      const Path cwd = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd");
      EXPECT_FALSE(cwd.string().starts_with(home.string())) << cwd;
    }
    for (const char* daemon : {"chain", "store", "broker", "provider"}) {
      EXPECT_FALSE(std::filesystem::exists(home / daemon / (std::string(daemon) + ".pid")));
    }
    expect_no_temporaries(home);
    std::filesystem::remove_all(home);
  }
  // A new daemon's folder, and the network of its card.
  std::string in_an_init() {
    const Path folder = world.town().work() / "folder-of-init";
    ProcessOptions init;
    init.argv = {world.town().program("spnode"), "init",   "store",    "--folder",
                 (folder / "store").string(),    "--host", "127.0.0.1"};
    init.environment = basic_environment();
    const auto run = [&] { return must(run_command(init, seconds(20), 65536)); };
    if (point.program == "spnode") {
      init.environment.push_back(std::string(kCrashVariable) + "=" + point.text());
      EXPECT_EQ(run().end.signal, SIGKILL);
      init.environment.pop_back();
    }
    const CommandOutput done = run();
    EXPECT_EQ(done.end.exit_code, 0) << done.text;
    init.argv = {init.argv[0], "init",     "broker", "--folder", (folder / "broker").string(),
                 "--host",     "127.0.0.1"};
    EXPECT_EQ(run().end.exit_code, 0);
    const Path home = folder / "home";
    const std::string someone = world.town().customer().address().hex0x();
    const std::vector<std::string> create{"network",    "create",
                                          "--rpc",      "http://127.0.0.1:1",
                                          "--chain-id", "1",
                                          "--market",   someone,
                                          "--token",    someone,
                                          "--store",    folder / "store" / "card.json",
                                          "--broker",   folder / "broker" / "card.json"};
    if (point.program == "spctl") world.must_die(point, create, home);
    world.must_run(create, home);
    EXPECT_TRUE(std::filesystem::exists(home / "network.json"));
    expect_no_temporaries(folder);
    std::filesystem::remove_all(folder);
    return "made again";
  }
  // Of contracts to the town's chain, from a home of its own.
  std::string in_a_deployment() {
    const Path home = world.town().work() / "deployer";
    const Path secret = world.town().work() / "deployer.key";
    std::ofstream(secret) << to_hex(world.town().customer().secret().reveal());
    world.must_run({"keys", "import", "me", "--secret-file", secret}, home);
    const std::vector<std::string> deploy{
        "contracts", "deploy", "--rpc", world.town().network().rpc, "--test-token", "--yes"};
    world.must_die(point, deploy, home);
    const auto block = [&] { return must(world.town().chain().block()).number; };
    const std::uint64_t before = block();
    world.must_run(deploy, home);
    if (point.site == CrashSite::client_deployed && point.moment == CrashMoment::before) {
      EXPECT_EQ(block(), before) << "what was done is done again";
    }
    expect_no_temporaries(home);
    std::filesystem::remove_all(home);
    std::filesystem::remove(secret);
    return "deployed";
  }
  static void expect_no_temporaries(const Path& home) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(home)) {
      EXPECT_FALSE(entry.path().string().ends_with(".sp-tmp")) << entry.path();
    }
  }

  std::string in_spctl() {
    switch (point.site) {
      case CrashSite::client_network_ca:
        return in_an_init();
      case CrashSite::client_deployment:
      case CrashSite::client_deployed:
        return in_a_deployment();
      case CrashSite::client_stopped:
        return in_a_stop();
      case CrashSite::client_output:
        return in_an_output();
      case CrashSite::client_password:
      case CrashSite::client_result_key:
      case CrashSite::client_key:
        return in_a_key_ring();
      case CrashSite::client_ports:
      case CrashSite::client_state:
      case CrashSite::client_settings:
      case CrashSite::client_daemon:
      case CrashSite::client_pid:
      case CrashSite::client_network:
        return in_an_up();
      default:
        return in_a_run();
    }
  }

  const Point& point = GetParam();
  World& world = World::get();
};

TEST_P(CrashPoints, EndsOnce) {
  const bool transfer = is_of_transfers(point.site);
  const std::string end = transfer                    ? die_in_a_transfer(world, point)
                          : point.program == "spctl"  ? in_spctl()
                          : point.program == "spnode" ? in_an_init()
                          : point.program == "loader" ? in_a_loader()
                                                      : in_a_daemon();
  tell(end);
  world.expect_clean();
}

// Every point with SP_CRASH_ALL=1 (make soak); else every site in every program, at the moment that
// leaves most half done: a file written and not in place, a transaction sent and not in a block, an
// effect done and not noted.
std::vector<Point> tested_points() {
  std::vector<Point> points = all_points();
  if (std::getenv("SP_CRASH_ALL") != nullptr) return points;
  std::erase_if(points, [](const Point& point) {
    const bool effect = crash_site_info(point.site).kind == CrashKind::effect;
    return point.moment != (effect ? CrashMoment::after : CrashMoment::between);
  });
  return points;
}

INSTANTIATE_TEST_SUITE_P(Registry, CrashPoints, testing::ValuesIn(tested_points()),
                         [](const auto& one) { return name_of(one.param); });

}  // namespace
}  // namespace sp::crash
