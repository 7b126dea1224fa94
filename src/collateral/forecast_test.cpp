#include "collateral/forecast.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sp::collateral {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kNow = 1'800'000'000;  // 2027-01-15T08:00:00Z

TEST(Forecast, NamesThePieceThatEndsFirst) {
  const std::vector<attest::Validity> validity{{"PCK certificate", kNow - kDay, kNow + 900 * kDay},
                                               {"TCB info", kNow - kDay, kNow + 12 * kDay + 5},
                                               {"PCK CRL", kNow - kDay, kNow + 30 * kDay}};
  const Json json = forecast(validity, kNow);
  EXPECT_EQ(json.at("endsFirst"), "TCB info");
  EXPECT_EQ(json.at("holdsUntil"), "2027-01-27T08:00:05Z");
  EXPECT_EQ(json.at("daysLeft"), 12);
  ASSERT_EQ(json.at("pieces").size(), 3U);
  EXPECT_EQ(json.at("pieces")[1], (Json{{"piece", "PCK CRL"},
                                        {"from", "2027-01-14T08:00:00Z"},
                                        {"until", "2027-02-14T08:00:00Z"},
                                        {"daysLeft", 30}}));
}

TEST(Forecast, CountsWholeDaysDown) {
  const auto left = [](std::int64_t until) {
    const std::vector<attest::Validity> validity{{"x", 0, until}};
    return forecast(validity, kNow).at("daysLeft").get<int>();
  };
  EXPECT_EQ(left(kNow + kDay), 1);
  EXPECT_EQ(left(kNow + kDay - 1), 0);
  EXPECT_EQ(left(kNow), 0);
  EXPECT_EQ(left(kNow - 1), -1);
  EXPECT_EQ(left(kNow - kDay), -1);
  EXPECT_EQ(left(kNow - kDay - 1), -2);
}

TEST(Forecast, WhatNeverEndsHasNoEnd) {
  const Json json = forecast(std::span<const attest::Validity>(), kNow);
  EXPECT_TRUE(json.at("holdsUntil").is_null());
  EXPECT_TRUE(json.at("endsFirst").is_null());
  EXPECT_TRUE(json.at("daysLeft").is_null());
  EXPECT_TRUE(json.at("pieces").empty());
}

}  // namespace
}  // namespace sp::collateral
