#include "chain/log_search.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chain/testing/fake_node.hpp"

namespace sp::chain {
namespace {

using testing::FakeNode;

// A chain of 25,000 blocks with a log each, whose endpoint answers for few blocks at once.
class LogSearchTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kBlocks = 25'000;

  LogSearchTest() : endpoint_(node_.endpoint()), chain_(*endpoint_) {}

  void answer_at_most(std::uint64_t most) {
    node_.lie([most](const std::string& method, const Json& params) {
      std::optional<Result<Json>> lie;
      if (method != "eth_getLogs") return lie;
      const std::uint64_t first = number(params[0]["fromBlock"]);
      const std::uint64_t last = number(params[0]["toBlock"]);
      Json logs = Json::array();
      for (std::uint64_t i = first; i <= last; ++i) logs.push_back(FakeNode::log(i, "main"));
      lie = last - first < most ? Result<Json>(std::move(logs))
                                : Error{Errc::refused, "query exceeds max block range"};
      return lie;
    });
  }
  static std::uint64_t number(const Json& quantity) {
    return std::stoull(quantity.get<std::string>(), nullptr, 16);
  }
  // The blocks whose logs are handed on, until one is.
  Result<std::vector<std::uint64_t>> search(SearchOrder order, std::uint64_t first,
                                            std::uint64_t last, std::uint64_t until = UINT64_MAX) {
    std::vector<std::uint64_t> seen;
    const auto note = [&](const std::vector<Log>& logs) {
      bool found = false;
      for (const Log& log : logs) {
        seen.push_back(log.block_number);
        found = found || log.block_number == until;
      }
      return found;
    };
    SP_TRY(search_logs(chain_, {FakeNode::contract(), {}, first, last}, order, note));
    return seen;
  }
  std::size_t calls() const { return node_.asked("eth_getLogs").size(); }

  FakeNode node_{1};
  std::unique_ptr<RpcEndpoint> endpoint_;
  Chain chain_;
};

TEST_F(LogSearchTest, EveryBlockIsSeenOnceInOrder) {
  answer_at_most(3'000);
  const auto seen = search(SearchOrder::oldest_first, 0, kBlocks - 1);
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  ASSERT_EQ(seen->size(), kBlocks);
  for (std::uint64_t i = 0; i < kBlocks; ++i) ASSERT_EQ((*seen)[i], i);
  EXPECT_EQ(calls(), 2U + 10U);  // 10,000 and 5,000 are refused, 2,500 aren't
}

TEST_F(LogSearchTest, TheNewestFirstEndsWhereItIsFound) {
  answer_at_most(kSearchBlocksMax);
  const auto near = search(SearchOrder::newest_first, 0, kBlocks - 1, kBlocks - 5);
  ASSERT_TRUE(near.ok());
  EXPECT_EQ(near->size(), kSearchBlocksMax);
  EXPECT_EQ(calls(), 1U);
  const auto far = search(SearchOrder::newest_first, 0, kBlocks - 1, 3);
  ASSERT_TRUE(far.ok());
  EXPECT_EQ(std::set<std::uint64_t>(far->begin(), far->end()).size(), kBlocks);
  EXPECT_EQ(calls(), 4U);
}

TEST_F(LogSearchTest, EndsOfTheRangeAreHeld) {
  answer_at_most(1);
  for (const auto order : {SearchOrder::oldest_first, SearchOrder::newest_first}) {
    EXPECT_EQ(search(order, 7, 7).value(), std::vector<std::uint64_t>{7});
    EXPECT_EQ(search(order, 0, 0).value(), std::vector<std::uint64_t>{0});
    EXPECT_EQ(search(order, 8, 7).value(), std::vector<std::uint64_t>{});
    EXPECT_EQ(search(order, 0, 2).value().size(), 3U);
  }
}

TEST_F(LogSearchTest, WhatNoShorterRangeMendsIsTold) {
  answer_at_most(0);
  EXPECT_EQ(search(SearchOrder::newest_first, 0, 99).error().code, Errc::refused);
  node_.fail({Errc::timed_out, "slow"});
  const std::size_t before = calls();
  EXPECT_EQ(search(SearchOrder::newest_first, 0, 99).error().code, Errc::timed_out);
  EXPECT_EQ(calls(), before + 1);
}

}  // namespace
}  // namespace sp::chain
