// The chain killed, and all processes of the machine at once, at several moments of an order.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iostream>

#include "base/testing/must.hpp"
#include "spctl/chain_copy.hpp"
#include "world.hpp"

namespace sp::crash {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The development chain writes its state each second, and so loses at most that much.
constexpr milliseconds kDumped{1'500};
constexpr seconds kStageLimit{20};

class Machine : public testing::Test {
 protected:
  /// From here on the chain loses nothing of what was before.
  void wait_for_dump() {
    const auto wanted = std::stoull(
        world.town().rpc("eth_blockNumber", Json::array()).get<std::string>(), nullptr, 16);
    const Path state = world.town().home() / "chain" / "state" / spctl::kChainStateFile;
    const auto deadline = world.town().clock().monotonic() + kStageLimit;
    const auto is_written = [&] {
      std::ifstream file(state, std::ios::binary);
      const Json written = Json::parse(file, nullptr, false);
      return written.is_object() && written.at("best_block_number") >= wanted;
    };
    while (!is_written()) {
      ASSERT_LT(world.town().clock().monotonic(), deadline) << state << " isn't written";
      world.town().clock().sleep_for(milliseconds(10));
    }
  }
  void wait_for(const Ordered& ordered, const std::string& state) {
    const auto deadline = world.town().clock().monotonic() + kStageLimit;
    while (world.shop().progress(ordered.placed.id).state != state) {
      ASSERT_LT(world.town().clock().monotonic(), deadline) << state;
      world.town().clock().sleep_for(milliseconds(2));
    }
  }
  /// What became of the order. Where the chain has lost its create, nobody has paid anything.
  std::string expect_an_end(const Ordered& ordered) {
    const auto record = must(world.town().market().order(ordered.placed.id));
    if (record.status == market::OrderStatus::none) {
      EXPECT_EQ(hostile::changes(ordered.placed.before, world.shop().books()), hostile::Changes());
      return "never created: nothing is paid";
    }
    return world.expect_one_end(ordered);
  }
  void tell(const std::string& what, const std::string& end) {
    std::cout << what << ": " << end << std::endl;
  }

  World& world = World::get();
};

struct Stage {
  const char* name;
  const char* state;  ///< of the provider; empty: at once after the create
  milliseconds later;
  const char* works;  ///< seconds of the workload
};
constexpr Stage kStages[] = {{"at once after the create", "", milliseconds(0), "0"},
                             {"when it runs", "running", milliseconds(0), "1"},
                             {"well into the workload", "running", kDumped, "2"},
                             {"when it is settled", "settled", milliseconds(0), "0"},
                             {"long after", "settled", kDumped, "0"}};

TEST_F(Machine, AllProcessesKilledAtOnce) {
  for (const Stage& stage : kStages) {
    SCOPED_TRACE(stage.name);
    world.up();
    wait_for_dump();  // else the end of the order before could be lost with this one
    const Ordered ordered = world.order({"shout", "argument-canary", stage.works});
    if (*stage.state != 0) wait_for(ordered, stage.state);
    world.town().clock().sleep_for(stage.later);
    world.kill_all();
    world.up();
    tell(std::string("all killed ") + stage.name, expect_an_end(ordered));
    world.expect_clean();
  }
}

TEST_F(Machine, TheChainKilled) {
  for (const Stage& stage : kStages) {
    SCOPED_TRACE(stage.name);
    world.up();
    wait_for_dump();  // else the end of the order before could be lost with this one
    const Ordered ordered = world.order({"shout", "argument-canary", stage.works});
    if (*stage.state != 0) wait_for(ordered, stage.state);
    world.town().clock().sleep_for(stage.later);
    world.kill("chain");
    world.up();
    tell(std::string("the chain killed ") + stage.name, expect_an_end(ordered));
    world.expect_clean();
  }
}

// Killed in the middle of a write, the chain leaves half of its state, with which it can't start:
// it goes back to the last `up`, what was settled before that holds, and orders go on.
TEST_F(Machine, TheChainKilledInAWrite) {
  world.up();
  const Ordered before = world.order();
  EXPECT_EQ(world.expect_one_end(before), "settled: success");
  EXPECT_FALSE(world.spctl({"up"}, "spctl.up.state:between").has_value());
  world.up();
  const Ordered after = world.order();
  world.expect_one_end(after);
  world.kill("chain");
  const Path state = world.town().home() / "chain" / "state" / spctl::kChainStateFile;
  std::filesystem::resize_file(state, std::filesystem::file_size(state) / 2);
  const auto up = world.spctl({"up"});
  ASSERT_TRUE(up && up->end.exit_code == 0);
  EXPECT_NE(up->text.find("it goes back to the last"), std::string::npos) << up->text;
  const auto status = [&](const Ordered& of) {
    return must(world.town().market().order(of.placed.id)).status;
  };
  EXPECT_EQ(status(before), market::OrderStatus::settled);
  EXPECT_EQ(status(after), market::OrderStatus::none);
  EXPECT_EQ(hostile::changes(after.placed.before, world.shop().books()), hostile::Changes());
  EXPECT_EQ(world.expect_one_end(world.order()), "settled: success");
  world.expect_clean();
}

// A transaction that was sent before the crash and waits still, when the restart sends its own: one
// effect, and the nonces go on.
TEST_F(Machine, ASettlementWaitsWhileTheProviderDies) {
  hostile::Town& town = world.town();
  world.up();
  // It sees the order when blocks wait already.
  town.signal_provider(SIGSTOP);
  const Ordered ordered = world.order();
  town.rpc("evm_setAutomine", Json::array({false}));
  town.signal_provider(SIGCONT);
  wait_for(ordered, "finished");
  const auto deadline = town.clock().monotonic() + kStageLimit;
  while (town.rpc("txpool_content", Json::array()).at("pending").empty()) {
    ASSERT_LT(town.clock().monotonic(), deadline) << "no settlement";
    town.clock().sleep_for(milliseconds(2));
  }
  world.restart("provider");
  town.clock().sleep_for(milliseconds(500));
  town.rpc("evm_setAutomine", Json::array({true}));
  town.rpc("evm_mine", Json::array());
  tell("a settlement waited while the provider died", world.expect_one_end(ordered));
  world.expect_clean();
}

// Each transaction of `spctl up`, killed after it was sent.
TEST_F(Machine, EveryTransactionOfUp) {
  const Path home = world.town().work() / "home-of-transactions";
  const auto run = [&](const std::vector<std::string>& arguments) {
    const auto done = world.spctl(arguments, {}, home);
    EXPECT_TRUE(done && done->end.exit_code == 0) << (done ? done->text : "killed");
    return done ? done->text : "";
  };
  int killed = 0;
  for (int number = 1;; ++number) {
    const std::string point = "transaction:between:" + std::to_string(number);
    const auto done = world.spctl({"up"}, point, home);
    if (done) {
      EXPECT_EQ(done->end.exit_code, 0) << done->text;
      break;
    }
    ++killed;
  }
  EXPECT_GE(killed, 4);
  run({"status"});
  EXPECT_NE(run({"tokens", "balance", "--json"}).find("\"10000000000000000000000\""),
            std::string::npos);
  EXPECT_NE(run({"providers", "list", "--json"}).find("\"1000000000000000000000\""),
            std::string::npos);
  run({"down"});
  std::filesystem::remove_all(home);
  tell("spctl up killed at " + std::to_string(killed) + " transactions", "up, one deposit");
}

// A withdrawal that was sent and not seen: the next one finds nothing, and nothing is lost.
TEST_F(Machine, AWithdrawal) {
  hostile::Town& town = world.town();
  world.up();
  const auto earned = [&] {
    return must(town.market().balance(town.provider().address(), town.network().token));
  };
  if (earned() == Amount()) world.expect_one_end(world.order());
  const Amount owed = earned();
  const Amount before = must(town.token().balance(town.provider().address()));
  ASSERT_NE(owed, Amount());
  const std::vector<std::string> withdraw{"tokens", "withdraw", "--key", "provider"};
  EXPECT_FALSE(world.spctl(withdraw, "transaction:before").has_value());
  EXPECT_EQ(earned(), owed);
  EXPECT_FALSE(world.spctl(withdraw, "transaction:between").has_value());
  EXPECT_EQ(world.spctl(withdraw)->end.exit_code, 0);
  EXPECT_EQ(earned(), Amount());
  EXPECT_EQ(must(town.token().balance(town.provider().address())), must(before.plus(owed)));
}

}  // namespace
}  // namespace sp::crash
