#include "broker/markets_view.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/testing/broker_fixture.hpp"

namespace sp::broker {
namespace {

api::OrderId order(std::uint8_t byte) { return filled<api::OrderId>(byte); }

// A market with one order.
class OneOrder final : public ChainView {
 public:
  explicit OneOrder(std::uint8_t byte) : has_(order(byte)) {}
  Result<OrderFacts> facts(const api::OrderId& id) override {
    ++asked;
    while (hangs) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (fails) return Error{Errc::timed_out, "late"};
    if (id != has_) return Error{Errc::not_found, "none"};
    OrderFacts facts;
    facts.attempt = has_.data[0];
    return facts;
  }
  std::atomic<bool> hangs = false;
  std::atomic<bool> fails = false;
  std::atomic<int> asked = 0;

 private:
  api::OrderId has_;
};

class MarketsViewTest : public ::testing::Test {
 protected:
  MarketsViewTest() {
    view_.open(0);
    view_.open(1);
  }
  Errc error_of(std::uint8_t byte) {
    const auto facts = view_.facts(order(byte));
    EXPECT_FALSE(facts.ok());
    return facts ? Errc::io : facts.error().code;
  }
  OneOrder a_{1}, b_{2};
  MarketsView view_{{&a_, &b_}};
};

TEST_F(MarketsViewTest, FindsAnOrderWhereverItIsAndRemembersWhere) {
  EXPECT_EQ(view_.facts(order(2))->attempt, 2);
  EXPECT_EQ(a_.asked, 1);
  EXPECT_EQ(view_.facts(order(2))->attempt, 2);
  EXPECT_EQ(a_.asked, 1) << "the other market isn't asked again";
  EXPECT_EQ(view_.facts(order(1))->attempt, 1);
  EXPECT_EQ(error_of(3), Errc::not_found);
}

TEST_F(MarketsViewTest, AMarketThatFailsDelaysOnlyItsOwnOrders) {
  a_.fails = true;
  EXPECT_EQ(view_.facts(order(2))->attempt, 2);
  // It may have the order, so it isn't known to be nowhere.
  EXPECT_EQ(error_of(3), Errc::timed_out);
  EXPECT_EQ(error_of(1), Errc::timed_out);
  a_.fails = false;
  EXPECT_EQ(view_.facts(order(1))->attempt, 1);
  EXPECT_EQ(error_of(3), Errc::not_found);
}

TEST_F(MarketsViewTest, AMarketThatHangsTakesOneThread) {
  a_.fails = true;
  EXPECT_EQ(error_of(3), Errc::timed_out);
  a_.hangs = true;
  const int before = a_.asked;
  std::thread waits([&] { EXPECT_EQ(error_of(1), Errc::timed_out); });
  while (a_.asked == before) std::this_thread::yield();
  EXPECT_EQ(view_.facts(order(2))->attempt, 2);
  EXPECT_EQ(error_of(1), Errc::unavailable) << "at once";
  a_.hangs = false;
  waits.join();
}

TEST(MarketsView, AClosedMarketIsUnavailable) {
  OneOrder a(1), b(2);
  MarketsView view({&a, &b});
  view.open(1);
  EXPECT_EQ(view.facts(order(2))->attempt, 2);
  const auto closed = view.facts(order(1));
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().code, Errc::unavailable);
  EXPECT_EQ(closed.error().message, "a chain hasn't answered since the start");
  EXPECT_EQ(a.asked, 0);
}

}  // namespace
}  // namespace sp::broker
