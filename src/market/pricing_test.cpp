// Prices against the vectors that contracts/test/vectors/Prices.t.sol writes: what people are shown
// before they pay is what the market takes and pays, to the unit.
#include "market/pricing.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace sp::market {
namespace {

using api::Outcome;

Json cases() {
  std::ifstream file(SP_TEST_SOURCE_DIR "/contracts/test/vectors/prices.json");
  return Json::parse(file);
}

Amount amount(const Json& text) { return Amount::from_text(text.get<std::string>()).value(); }

constexpr Address kCustomer{{1}};
constexpr Address kOwner{{2}};

Terms terms_of(const Json& v) {
  Terms terms;
  terms.customer = kCustomer;
  terms.ordered_seconds = v["orderedSeconds"];
  Compute compute;
  compute.price_per_hour = amount(v["pricePerHour"]);
  compute.base_fee = amount(v["baseFee"]);
  terms.choices = {compute};
  for (const Json& of : v["parts"]) {
    Part part;
    part.price_type = of["fixed"] ? api::PriceType::fixed : api::PriceType::per_hour;
    part.owner = of["own"] ? kCustomer : kOwner;
    part.price = amount(of["price"]);
    terms.parts.push_back(part);
  }
  return terms;
}

// Everything was started and opened.
Receipt receipt_of(const Json& v) {
  Receipt receipt;
  receipt.outcome = v["outcome"].get<Outcome>();
  receipt.started = true;
  receipt.opened = 0xf;
  receipt.duration_ms = v["durationMs"];
  return receipt;
}

TEST(Pricing, TakesAndPaysWhatTheMarketDoes) {
  const Json all = cases();
  ASSERT_GE(all.size(), 50U);
  for (const Json& v : all) {
    const Terms terms = terms_of(v);
    EXPECT_EQ(required_deposit(terms)->text(), v["required"]);
    EXPECT_EQ(exposure(terms)->text(), v["exposure"]);
    const Receipt receipt = receipt_of(v);
    const auto paid = settlement(terms, receipt, v["chainSeconds"]);
    ASSERT_TRUE(paid.ok()) << paid.error().message;
    EXPECT_EQ(paid->compute.text(), v["compute"]);
    Amount total = paid->compute;
    for (std::size_t i = 0; i < terms.parts.size(); ++i) {
      const Json& of = v["parts"][i];
      const bool works = receipt.outcome <= Outcome::cancelled;
      EXPECT_EQ(paid->parts[i].text(), works ? of["earns"] : Json("0"));
      const bool locked = receipt.outcome == Outcome::provider && of["fixed"] && !of["own"];
      EXPECT_EQ(paid->from_lock[i].text(), locked ? of["price"] : Json("0"));
      total = total.plus(paid->parts[i]).value();
    }
    EXPECT_EQ(total.plus(paid->refund)->text(), v["required"]) << "money in is money out";
  }
}

TEST(Pricing, WhatDidNotOpenEarnsNothing) {
  const Json v = cases().at(0);
  Receipt receipt = receipt_of(v);
  ASSERT_EQ(receipt.outcome, Outcome::success);
  receipt.opened = 0b0101;
  const auto paid = settlement(terms_of(v), receipt, v["chainSeconds"]);
  EXPECT_EQ(paid->parts[1], Amount());
  EXPECT_EQ(paid->parts[3], Amount());
  receipt.opened = 0xf;
  receipt.started = false;
  const auto unstarted = settlement(terms_of(v), receipt, v["chainSeconds"]);
  EXPECT_EQ(unstarted->parts, std::vector<Amount>(4));
}

TEST(Pricing, AmountsBeyondTheTypeAreErrors) {
  Terms terms = terms_of(cases().at(0));
  terms.choices[0].price_per_hour =
      Amount::from_text("340282366920938463463374607431768211455").value();
  terms.ordered_seconds = 7200;
  EXPECT_EQ(required_deposit(terms).error().code, Errc::too_large);
}

}  // namespace
}  // namespace sp::market
