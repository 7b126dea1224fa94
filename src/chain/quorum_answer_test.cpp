#include "chain/quorum_answer.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sp::chain {
namespace {

// Logs count in any order, whatever stands among them. Between these numbers "smaller" is no order:
// the fraction equals each of the others.
TEST(QuorumAnswer, LogsCompareInAnyOrder) {
  Json there = Json::array(), back = Json::array();
  for (int i = 0; i < 300; ++i) {
    there.push_back(9'007'199'254'740'992 + i % 3);
    there.push_back(9'007'199'254'740'992.0);
    there.push_back({{"data", "0xAB"}, {"logIndex", i % 7}, {"more", i}});
  }
  for (auto entry = there.rbegin(); entry != there.rend(); ++entry) back.push_back(*entry);
  const auto first = comparable("eth_getLogs", there);
  EXPECT_TRUE(same_answer(first, comparable("eth_getLogs", back)));
  EXPECT_EQ(*comparable("eth_getLogs", *first), *first);
  back.erase(100);
  EXPECT_FALSE(same_answer(first, comparable("eth_getLogs", back)));
}

}  // namespace
}  // namespace sp::chain
