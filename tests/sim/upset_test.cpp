// A reorganisation of each depth at each stage of an order, and of its settlement: one order, one
// settlement, and every token where the rules say, which the simulation's checkers look at after
// each transaction.
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "sim/world.hpp"

namespace sp::sim {
namespace {

using market::OrderStatus;

constexpr std::uint64_t kDepthMax = 12;

class Upsets : public ::testing::TestWithParam<OrderStage> {
 protected:
  void SetUp() override {
    // What the daemons log is of no use here.
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1));
  }
  void TearDown() override { set_log_level(LogLevel::info); }

  static void expect_undone(const Upset& upset, std::optional<OrderStatus> after) {
    ASSERT_TRUE(after) << "the order never came to the stage";
    // The blocks that replace those of a settlement hold it again, where it comes back at once.
    if (upset.stage == OrderStage::settled) {
      EXPECT_TRUE(upset.back || *after != OrderStatus::settled);
      return;
    }
    EXPECT_EQ(*after, upset.back ? OrderStatus::open : OrderStatus::none);
  }
};

TEST_P(Upsets, OfEachDepthEndInOneSettlement) {
  for (std::uint64_t depth = 1; depth <= kDepthMax; ++depth) {
    for (const bool back : {true, false}) {
      SCOPED_TRACE("depth " + std::to_string(depth) + (back ? ", back at once" : ", back later"));
      RunOptions options;
      options.seed = depth;
      options.upset = Upset{GetParam(), depth, back};
      const RunReport report = run_seed(options);
      expect_undone(*options.upset, report.after_upset);
      EXPECT_EQ(report.violations, std::vector<std::string>());
      EXPECT_EQ(report.orders, 1U);
      EXPECT_EQ(report.settled, 1U);
      EXPECT_EQ(report.closed, 0U);
      EXPECT_EQ(report.crashes, 0U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stages, Upsets,
                         ::testing::Values(OrderStage::created, OrderStage::taken,
                                           OrderStage::attesting, OrderStage::releasing,
                                           OrderStage::running, OrderStage::settling,
                                           OrderStage::in_pool, OrderStage::settled));

}  // namespace
}  // namespace sp::sim
