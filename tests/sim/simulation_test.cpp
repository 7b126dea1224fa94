// The simulation itself: a seed is a run, and each checker can fail.
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "sim/world.hpp"

namespace sp::sim {
namespace {

class Simulation : public ::testing::Test {
 protected:
  void SetUp() override {
    // What the daemons log is of no use here.
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1));
  }
  void TearDown() override { set_log_level(LogLevel::info); }
};

TEST_F(Simulation, ASeedIsARun) {
  for (std::uint64_t seed = 4; seed < 8; ++seed) {
    RunOptions options;
    options.seed = seed;
    const RunReport once = run_seed(options);
    const RunReport again = run_seed(options);
    EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(once.events, again.events);
    EXPECT_EQ(once.switches, again.switches);
    EXPECT_GT(once.events, 10U);
  }
}

TEST_F(Simulation, SeedsDiffer) {
  RunOptions options;
  options.seed = 4;
  const std::uint64_t one = run_seed(options).trace;
  options.seed = 5;
  EXPECT_NE(run_seed(options).trace, one);
}

// A settlement that a reorganisation takes back may fail where it comes again, before its
// attestation's time: the provider must notice and settle again.
TEST_F(Simulation, ASettlementThatIsUndoneIsSentAgain) {
  RunOptions options;
  options.seed = 731;
  const RunReport report = run_seed(options);
  EXPECT_TRUE(report.violations.empty()) << report.violations.front();
  EXPECT_GT(report.undone, 0U);
  EXPECT_EQ(report.settled, report.orders);
}

// What nobody takes for its price is replaced by a transaction that bids more, and has one effect.
TEST_F(Simulation, AStuckTransactionIsReplaced) {
  RunOptions options;
  options.seed = 46;
  const RunReport report = run_seed(options);
  EXPECT_TRUE(report.violations.empty()) << report.violations.front();
  EXPECT_GT(report.replaced, 0U);
  EXPECT_EQ(report.settled, report.orders);
}

// Orders that a full queue has no room for wait on the chain, and none is forgotten.
TEST_F(Simulation, ACrowdWaitsForItsTurn) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    RunOptions options;
    options.seed = seed;
    options.crowd = Crowd{};
    const RunReport report = run_seed(options);
    EXPECT_EQ(report.violations, std::vector<std::string>());
    EXPECT_GE(report.delayed, 3U);
    EXPECT_EQ(report.settled + report.closed, options.crowd->orders);
    EXPECT_LE(report.closed, 1U) << "only the one that its customer cancelled";
  }
}

// The broker's revocation list ends before the order runs, and the vendor's next one is fetched
// minutes later: nothing is released in between, and the order isn't given up.
TEST_F(Simulation, AnOrderOutlastsCollateralThatHasEnded) {
  RunOptions options;
  options.seed = 39;
  const RunReport report = run_seed(options);
  EXPECT_TRUE(report.violations.empty()) << report.violations.front();
  EXPECT_GT(report.stale, 0U);
  EXPECT_EQ(report.settled, report.orders);
}

struct Planted {
  Bug bug;
  const char* name;
  const char* checker;      ///< that must speak up
  std::uint64_t seeds_max;  ///< within so many seeds
};

class PlantedBug : public Simulation, public ::testing::WithParamInterface<Planted> {};

TEST_P(PlantedBug, IsFound) {
  const Planted& planted = GetParam();
  for (std::uint64_t seed = 1; seed <= planted.seeds_max; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.bug = planted.bug;
    const RunReport report = run_seed(options);
    if (report.violations.empty()) continue;
    for (const std::string& violation : report.violations) {
      if (violation.find(planted.checker) == std::string::npos) continue;
      RecordProperty("seeds", static_cast<int>(seed));
      std::fprintf(stderr, "%s: found by seed %d: %s\n", planted.name, static_cast<int>(seed),
                   violation.c_str());
      return;
    }
    ADD_FAILURE() << "found by another checker: " << report.violations.front();
    return;
  }
  ADD_FAILURE() << "not found in " << planted.seeds_max << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedBug,
    ::testing::Values(
        Planted{Bug::market_mints, "market_mints", "money: ", 20},
        Planted{Bug::market_settles_twice, "market_settles_twice", "money: ", 100},
        Planted{Bug::market_ends_twice, "market_ends_twice", "ended twice", 100},
        Planted{Bug::market_underpays, "market_underpays", "payment: ", 20},
        Planted{Bug::market_frees_locks, "market_frees_locks", "payment: ", 300},
        Planted{Bug::market_never_closes, "market_never_closes", "end: ", 100},
        Planted{Bug::market_takes_cancels, "market_takes_cancels", "nobody has cancelled", 20},
        Planted{Bug::broker_ignores_cancel, "broker_ignores_cancel", "wasn't live", 300},
        Planted{Bug::broker_trusts_rogues, "broker_trusts_rogues", "no allowed loader", 100},
        Planted{Bug::broker_trusts_stale, "broker_trusts_stale", "collateral: ", 100},
        Planted{Bug::provider_forgets, "provider_forgets", "was refunded", 300},
        Planted{Bug::store_forgets, "store_forgets", "result: ", 100},
        Planted{Bug::provider_reaches_no_store, "provider_reaches_no_store", "nothing hindered",
                20}),
    [](const ::testing::TestParamInfo<Planted>& tested) { return tested.param.name; });

}  // namespace
}  // namespace sp::sim
