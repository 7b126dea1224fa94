#include "spctl/offer_policy.hpp"

#include <gtest/gtest.h>

namespace sp::spctl {
namespace {

TEST(OfferPolicy, SellsThroughOneOfferToAnybodyAndNothingElse) {
  apps::Network network;
  network.market.chain_id = 5;
  PolicyWishes wishes;
  wishes.solutions.resize(1);
  wishes.offer.emplace();
  wishes.max_orders = 1;
  wishes.arguments = R"({"argv[0]": ["fast"]})";
  wishes.until = 1000;
  const auto policy = make_offer_policy(network, wishes);
  ASSERT_TRUE(policy);
  EXPECT_FALSE(policy->offers.any);
  EXPECT_EQ(policy->offers.values.size(), 1U);
  EXPECT_FALSE(policy->solutions.any);
  EXPECT_EQ(policy->max_orders, 1U);
  ASSERT_EQ(policy->arguments.size(), 1U);
  EXPECT_EQ(policy->arguments[0].name, "argv[0]");
  wishes.arguments = "none";
  EXPECT_EQ(make_offer_policy(network, wishes)->arguments.size(), 2U);
  wishes.arguments = "{";
  EXPECT_EQ(make_offer_policy(network, wishes).error().code, Errc::malformed);
}

}  // namespace
}  // namespace sp::spctl
