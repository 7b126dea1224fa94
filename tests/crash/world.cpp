#include "world.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/testing/must.hpp"
#include "spctl/local_system.hpp"
#include "store/package.hpp"
#include "store/remote/http_store.hpp"
#include "store/tree.hpp"

namespace sp::crash {
namespace {

using hostile::Changes;
using hostile::Placed;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPause{5};
constexpr seconds kAnswerLimit{20};
constexpr std::size_t kOutputMax = 1 << 20;
constexpr const char* kShouted = "A NOTE OF THE CUSTOMER";
constexpr seconds kChainWrites{3};
constexpr seconds kEndsWithin{30};

std::unique_ptr<World>& the_world() {
  static std::unique_ptr<World> world;
  return world;
}

std::string read_all(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<uid_t> user_of(const std::string& daemon) {
  if (daemon == "store") return spctl::kStoreUser;
  if (daemon == "broker") return spctl::kBrokerUser;
  return std::nullopt;
}

Bytes result_context(const api::Run& run) {
  Bytes context = to_bytes(run.order.view());
  context.push_back(static_cast<std::uint8_t>(run.attempt >> 8));
  context.push_back(static_cast<std::uint8_t>(run.attempt));
  context.push_back(run.replica);
  return context;
}

}  // namespace

std::string Point::text() const {
  return std::string(crash_site_info(site).name) + ":" + std::string(crash_moment_name(moment));
}

std::vector<Point> all_points() {
  std::vector<Point> points;
  const auto sites = all_crash_sites();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    std::istringstream programs{std::string(sites[i].programs)};
    for (std::string program; programs >> program;) {
      for (const CrashMoment moment : crash_moments(sites[i].kind)) {
        points.push_back({static_cast<CrashSite>(i), moment, program});
      }
    }
  }
  return points;
}

World& World::get() {
  if (!the_world()) the_world() = std::make_unique<World>();
  return *the_world();
}

void World::leave() { the_world().reset(); }

World::World() : town_(hostile::Town::Roads::plain), shop_(town_), leftovers_(town_, shop_) {
  // A chain that is killed comes back with what it had written: each second, so the contracts and
  // the shop's offers have to be older than that. It may lose the last blocks, never those. Killed
  // while it writes, it comes back with the copy of the last `up`.
  town_.clock().sleep_for(kChainWrites);
  up();
}

std::string World::url_of(const std::string& daemon) const {
  const apps::Network& network = town_.network();
  if (daemon == "store") return network.store.url;
  if (daemon == "broker") return network.broker.url;
  return network.services.begin()->second;
}

void World::kill(const std::string& daemon) {
  spctl::Daemon killed(town_.files(), town_.home() / daemon, daemon);
  if (const auto pid = killed.running()) ::kill(*pid, SIGKILL);
  if (const auto child = children_.find(daemon); child != children_.end()) {
    child->second.wait(seconds(10));
    children_.erase(child);
  }
  while (killed.running()) town_.clock().sleep_for(kPause);
}

void World::kill_all() {
  for (const char* daemon : {"chain", "provider", "broker", "store"}) {
    spctl::Daemon killed(town_.files(), town_.home() / daemon, daemon);
    if (const auto pid = killed.running()) ::kill(*pid, SIGKILL);
  }
  for (const char* daemon : {"chain", "provider", "broker", "store"}) kill(daemon);
}

void World::start(const std::string& daemon, const std::optional<Point>& armed) {
  spctl::Daemon started(town_.files(), town_.home() / daemon, daemon);
  spctl::DaemonStart how{town_.program("spnode"),
                         {daemon, "--config", started.settings().filename().string()},
                         user_of(daemon)};
  if (armed) how.environment = {std::string(kCrashVariable) + "=" + armed->text()};
  children_.erase(daemon);
  Process& process = children_.emplace(daemon, must(started.start(how))).first->second;
  const auto deadline = town_.clock().monotonic() + kAnswerLimit;
  for (;;) {
    const auto health = town_.http().call("GET", url_of(daemon) + "/health");
    if (health && health->status == 200) return;
    if (const auto end = process.wait(milliseconds(0))) {
      if (armed && end->signal == SIGKILL) return;
      throw std::runtime_error(daemon + " ended: " + started.log_tail(20));
    }
    if (town_.clock().monotonic() > deadline) throw std::runtime_error(started.log_tail(20));
    town_.clock().sleep_for(kPause);
  }
}

void World::restart(const std::string& daemon, const std::optional<Point>& armed) {
  kill(daemon);
  start(daemon, armed);
}

bool World::dies(const std::string& daemon, milliseconds limit) {
  const auto end = children_.at(daemon).wait(limit);
  return end && end->signal == SIGKILL;
}

void World::up() {
  const CommandOutput done = town_.spctl({"up"});
  if (done.end.exit_code != 0) throw std::runtime_error("spctl up: " + done.text);
  children_.clear();  // of daemons that were killed; those that up started aren't ours
}

std::pair<api::Terms, crypto::X25519KeyPair> World::agree(const std::vector<std::string>& argv) {
  auto key = crypto::X25519KeyPair::generate(town_.random());
  api::Terms terms = shop_.agree(
      {.argv = argv, .change = [&](api::Terms& of) { of.result_key = key.public_key; }});
  return {std::move(terms), std::move(key)};
}

Ordered World::create(api::Terms terms, crypto::X25519KeyPair result_key) {
  return {shop_.create(terms), std::move(result_key)};
}

Ordered World::order(const std::vector<std::string>& argv) {
  auto [terms, key] = agree(argv);
  return create(std::move(terms), std::move(key));
}

std::string World::expect_one_end(const Ordered& ordered) {
  const Placed& placed = ordered.placed;
  hostile::Progress end = shop_.wait(placed.id);
  auto record = must(town_.market().order(placed.id));
  // A chain that has lost the settlement gets it again from a provider that had seen it.
  const auto deadline = town_.clock().monotonic() + kAnswerLimit;
  while (end.state == "settled" && record.status == market::OrderStatus::open &&
         town_.clock().monotonic() < deadline) {
    town_.clock().sleep_for(kPause);
    end = shop_.wait(placed.id);
    record = must(town_.market().order(placed.id));
  }
  if (end.state == "settled") {
    EXPECT_EQ(record.status, market::OrderStatus::settled);
    const api::Receipt receipt = shop_.receipt_of(placed.id);
    EXPECT_EQ(hostile::changes(placed.before, shop_.books()), shop_.by_rule(placed, receipt));
    if (receipt.outcome == api::Outcome::success) expect_result(ordered);
    // A settled order is never closed, nor settled again.
    EXPECT_FALSE(town_.send(town_.customer(), town_.market().close(placed.terms)).ok());
    return "settled: " + std::string(api::outcome_name(receipt.outcome));
  }
  EXPECT_EQ(record.status, market::OrderStatus::open) << end.failure;
  if (record.status != market::OrderStatus::open) return "wrong";
  if (record.cancelled_at == 0) {
    must(town_.send(town_.customer(), town_.market().cancel(placed.terms)));
  }
  town_.pass_time(std::int64_t{placed.terms.settle_window} + placed.terms.claim_window + 1);
  must(town_.send(town_.customer(), town_.market().close(placed.terms)));
  EXPECT_EQ(hostile::changes(placed.before, shop_.books()),
            hostile::closed_changes(placed.terms, {}, shop_.people()));
  return "refunded: " + end.failure;
}

void World::expect_result(const Ordered& ordered) {
  const Placed& placed = ordered.placed;
  const std::uint64_t newest = must(town_.chain().block()).number;
  const auto settled = must(town_.market().find_settled(placed.id, placed.block, newest));
  store::HttpStore blobs(town_.http(), town_.network().store.url);
  const auto package = must(store::Package::fetch(blobs, store::PackageId{settled.result.data}));
  const auto key = must(package.unwrap(ordered.result_key, result_context({placed.id, 0, 0})));
  const Path out = town_.work() / "result-of-crash";
  std::filesystem::create_directories(out);
  must(store::write_tree(*package.open_stream(key, 1), out, {1 << 20}));
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(out / "output")) {
    if (entry.is_regular_file()) all += read_all(entry.path());
  }
  EXPECT_NE(all.find(kShouted), std::string::npos) << all;
  std::filesystem::remove_all(out);
}

void World::expect_clean() { EXPECT_EQ(leftovers_.find(kEndsWithin), std::vector<std::string>()); }

Bucket& World::bucket() {
  if (!bucket_) bucket_ = std::make_unique<Bucket>(town_);
  return *bucket_;
}

std::optional<CommandOutput> World::spctl(const std::vector<std::string>& arguments,
                                          const std::string& armed, const Path& home) {
  ProcessOptions options = town_.spctl_options(arguments);
  if (!home.empty()) options.argv[2] = home.string();
  if (!armed.empty()) options.environment.push_back(std::string(kCrashVariable) + "=" + armed);
  if (bucket_) {
    const auto where = bucket_->environment();
    options.environment.insert(options.environment.end(), where.begin(), where.end());
  }
  CommandOutput output = must(run_command(options, seconds(60), kOutputMax));
  if (output.end.signal == SIGKILL) return std::nullopt;
  return output;
}

CommandOutput World::must_run(const std::vector<std::string>& arguments, const Path& home) {
  const auto done = spctl(arguments, {}, home);
  if (!done) throw std::runtime_error("spctl was killed");
  if (done->end.exit_code != 0) throw std::runtime_error(done->text);
  return *done;
}

void World::must_die(const Point& point, const std::vector<std::string>& arguments,
                     const Path& home) {
  const auto done = spctl(arguments, point.text(), home);
  EXPECT_FALSE(done.has_value()) << "the point was never passed: " << done->text;
}

}  // namespace sp::crash
