#include "chain/follower.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/testing/memory_files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "chain/rpc_json.hpp"
#include "chain/testing/anvil.hpp"
#include "chain/testing/contracts.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "chain/transaction.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

using testing::Anvil;
using testing::FakeEndpoint;

const Address kContract = Address::from_hex(std::string(40, 'c')).value();

// A chain in memory: each block has a hash and a number of logs.
class FakeBlocks {
 public:
  explicit FakeBlocks(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add(i % 2);
  }
  void add(std::size_t logs, std::string_view fork = "main") {
    const std::string text = std::to_string(blocks_.size()) + std::string(fork);
    blocks_.push_back({crypto::sha256(as_bytes(text)).hex0x(), logs});
  }
  void cut(std::size_t count) { blocks_.resize(count); }
  [[nodiscard]] std::uint64_t newest() const { return blocks_.size() - 1; }
  [[nodiscard]] std::size_t logs_of(std::uint64_t number) const { return blocks_[number].logs; }

  /// As a node that hasn't heard of the newest `behind` blocks.
  Result<Json> answer(const std::string& method, const Json& params, std::uint64_t behind = 0) {
    const std::uint64_t head = newest() - behind;
    if (method == "eth_getBlockByNumber") {
      const bool latest = params[0] == "latest";
      const std::uint64_t number = latest ? head : *quantity(params[0], "number");
      return number > head ? Json() : block(number);
    }
    EXPECT_EQ(method, "eth_getLogs");
    const std::uint64_t from = *quantity(params[0]["fromBlock"], "from");
    const std::uint64_t to = *quantity(params[0]["toBlock"], "to");
    widest = std::max(widest, to - from + 1);
    if (to - from + 1 > range_max) return Error{Errc::refused, "query returned too many results"};
    Json logs = Json::array();
    for (std::uint64_t number = from; number <= std::min(to, head); ++number) {
      for (std::size_t i = 0; i < blocks_[number].logs; ++i) logs.push_back(log(number, i));
    }
    return logs;
  }

  std::uint64_t range_max = 1 << 30;
  std::uint64_t widest = 0;

 private:
  struct FakeBlock {
    std::string hash;
    std::size_t logs;
  };

  Json block(std::uint64_t number) const {
    const std::string parent = number == 0 ? "0x" + std::string(64, '0') : blocks_[number - 1].hash;
    return {{"number", quantity_text(number)},
            {"hash", blocks_[number].hash},
            {"parentHash", parent},
            {"timestamp", "0x1"}};
  }
  Json log(std::uint64_t number, std::size_t index) const {
    return {{"address", kContract.hex0x()},
            {"topics", Json::array()},
            {"data", "0x"},
            {"blockNumber", quantity_text(number)},
            {"blockHash", blocks_[number].hash},
            {"transactionHash", blocks_[number].hash},
            {"logIndex", quantity_text(index)}};
  }

  std::vector<FakeBlock> blocks_;
};

class FollowerTest : public ::testing::Test {
 protected:
  FollowerTest() {
    options.contract = kContract;
    options.cursor = folder / "cursor";
  }

  Follower open() {
    auto follower = Follower::open(chain, files, options);
    SP_CHECK(follower.ok());
    return std::move(*follower);
  }
  // Remembers blocks and indexes of what it is given.
  Follower::Handler remember() {
    return [this](const Log& entry) -> Status {
      if (fail_at && seen.size() == *fail_at) return Error{Errc::refused, "not now"};
      seen.emplace_back(entry.block_number, entry.index);
      return {};
    };
  }

  sp::testing::TemporaryFolder folder;
  PosixFiles files;
  FakeBlocks blocks{10};  // blocks 1, 3, 5, 7 and 9 have one log each
  FakeEndpoint endpoint{[this](const std::string& method, const Json& params) {
    return blocks.answer(method, params);
  }};
  Chain chain{endpoint};
  Follower::Options options;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  std::optional<std::size_t> fail_at;
};

using Seen = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST_F(FollowerTest, HandsOnEachLogOnce) {
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 5U);
  EXPECT_EQ(seen, (Seen{{1, 0}, {3, 0}, {5, 0}, {7, 0}, {9, 0}}));
  EXPECT_EQ(follower.next_block(), 10U);
  EXPECT_EQ(*follower.poll(remember()), 0U);
  blocks.add(3);
  EXPECT_EQ(*follower.poll(remember()), 3U);
  EXPECT_EQ(seen.back(), (std::pair<std::uint64_t, std::uint64_t>{10, 2}));
}

TEST_F(FollowerTest, StartsWhereItIsTold) {
  options.start_block = 6;
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 2U);
  options.start_block = 100;
  options.cursor = folder / "later";
  Follower later = open();
  EXPECT_EQ(*later.poll(remember()), 0U);
}

TEST_F(FollowerTest, WaitsForConfirmations) {
  options.confirmations = 3;
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 4U);  // newest 9, so up to 7
  EXPECT_EQ(follower.next_block(), 8U);
  blocks.add(0);
  EXPECT_EQ(*follower.poll(remember()), 0U);
  blocks.add(0);
  EXPECT_EQ(*follower.poll(remember()), 1U);
  options.confirmations = 100;
  options.cursor = folder / "deep";
  Follower deep = open();
  EXPECT_EQ(*deep.poll(remember()), 0U);
}

TEST_F(FollowerTest, ResumesFromItsCursor) {
  EXPECT_EQ(*open().poll(remember()), 5U);
  blocks.add(1);
  seen.clear();
  Follower resumed = open();
  EXPECT_EQ(resumed.next_block(), 10U);
  EXPECT_EQ(*resumed.poll(remember()), 1U);
  EXPECT_EQ(seen, (Seen{{10, 0}}));
}

TEST_F(FollowerTest, AHandlersErrorStopsBeforeTheLog) {
  fail_at = 2;
  Follower follower = open();
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::refused);
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::refused);
  EXPECT_EQ(seen.size(), 2U);
  fail_at.reset();
  EXPECT_EQ(*follower.poll(remember()), 3U);
  EXPECT_EQ(seen, (Seen{{1, 0}, {3, 0}, {5, 0}, {7, 0}, {9, 0}}));
}

TEST_F(FollowerTest, ACrashBeforeTheCursorIsSavedHandsOnAgain) {
  fail_at = 2;
  EXPECT_FALSE(open().poll(remember()));
  fail_at.reset();
  Follower resumed = open();
  EXPECT_EQ(*resumed.poll(remember()), 5U);
  EXPECT_EQ(seen.size(), 7U);
}

// What was read is handed on again, and what came in its place.
TEST_F(FollowerTest, ReadsAgainWhatTheChainHasLost) {
  options.rewind = 4;
  Follower follower = open();
  ASSERT_TRUE(follower.poll(remember()));
  const std::uint64_t next = follower.next_block();
  seen.clear();
  blocks.cut(8);
  EXPECT_TRUE(follower.poll(remember()).ok());
  EXPECT_LT(follower.next_block(), next) << "the chain is shorter, and all of it is read";
  const std::size_t again = seen.size();
  EXPECT_GT(again, 0U);
  blocks.add(1, "fork");
  EXPECT_EQ(*follower.poll(remember()), 1U) << "only what is new";
  Follower restarted = open();
  EXPECT_EQ(*restarted.poll(remember()), 0U);
}

TEST_F(FollowerTest, AReorganisationLeadsBackToWhatStands) {
  Follower follower = open();
  ASSERT_TRUE(follower.poll(remember()));
  for (int i = 0; i < 4; ++i) {
    blocks.add(1);
    ASSERT_TRUE(follower.poll(remember()));  // a mark a block: 10 to 13
  }
  seen.clear();
  blocks.cut(12);
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::unavailable) << "the chain is shorter";
  blocks.add(1, "fork");
  blocks.add(1, "fork");
  EXPECT_EQ(*follower.poll(remember()), 2U) << "the same height";
  EXPECT_EQ(seen, (Seen{{12, 0}, {13, 0}}));
  blocks.cut(13);
  for (int i = 0; i < 2; ++i) blocks.add(1, "second");
  EXPECT_EQ(*follower.poll(remember()), 3U) << "by the parent; 12 and 13 were read as one";
  blocks.cut(11);
  for (int i = 0; i < 9; ++i) blocks.add(0, "third");
  EXPECT_EQ(*follower.poll(remember()), 0U) << "by the block itself";
  EXPECT_EQ(follower.next_block(), 20U);
  EXPECT_EQ(*follower.poll(remember()), 0U);
}

TEST_F(FollowerTest, AReorganisationBeforeAllMarksIsReadAgainFromTheLimit) {
  for (int i = 0; i < 300; ++i) blocks.add(1);  // 0 to 309
  ASSERT_TRUE(open().poll(remember()));
  seen.clear();
  blocks.cut(290);
  for (int i = 0; i < 30; ++i) blocks.add(1, "fork");
  Follower restarted = open();
  EXPECT_EQ(*restarted.poll(remember()), 138U);
  EXPECT_EQ(seen.front().first, 310U - kReorgDepthMax);
}

TEST_F(FollowerTest, ADeeperReorganisationThanTheLimitIsToldForEver) {
  Follower follower = open();
  for (std::uint64_t i = 0; i < kReorgDepthMax + 20; ++i) {
    blocks.add(1);
    ASSERT_TRUE(follower.poll(remember()));
  }
  const std::uint64_t next = follower.next_block();
  blocks.cut(next - kReorgDepthMax);
  while (blocks.newest() < next) blocks.add(1, "fork");
  EXPECT_EQ(*follower.poll(remember()), kReorgDepthMax + 1) << "as deep as the limit";
  blocks.cut(next - kReorgDepthMax - 1);
  while (blocks.newest() < next + 1) blocks.add(1, "second");
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::mismatch);
  EXPECT_EQ(open().poll(remember()).error().code, Errc::mismatch);
}

// Half of a range was handed on when the chain changed under it.
TEST_F(FollowerTest, WhatWasHandedOnBeforeAReorganisationIsNotTakenForWhatCameAfter) {
  fail_at = 4;
  Follower follower = open();
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::refused);
  blocks.cut(3);
  for (int i = 0; i < 7; ++i) blocks.add(1, "fork");
  fail_at.reset();
  seen.clear();
  EXPECT_EQ(*follower.poll(remember()), 8U);
  EXPECT_EQ(seen.front(), (std::pair<std::uint64_t, std::uint64_t>{1, 0}));
}

TEST_F(FollowerTest, AChainThatChangesWhileItIsReadIsReadAgain) {
  Follower follower = open();
  bool changed = false;
  endpoint.answer = [&](const std::string& method, const Json& params) {
    auto answer = blocks.answer(method, params);
    if (method == "eth_getLogs" && !std::exchange(changed, true)) {
      blocks.cut(8);
      for (int i = 0; i < 2; ++i) blocks.add(2, "fork");
    }
    return answer;
  };
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::unavailable);
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(*follower.poll(remember()), 8U);
}

TEST_F(FollowerTest, AReorganisationWithinTheConfirmationsIsNone) {
  options.confirmations = 4;
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 3U);  // up to 6
  blocks.cut(8);
  for (int i = 0; i < 6; ++i) blocks.add(1, "fork");
  EXPECT_EQ(*follower.poll(remember()), 4U);  // 7 to 10
}

TEST_F(FollowerTest, AsksForLessWhereTheEndpointRefuses) {
  for (int i = 0; i < 300; ++i) blocks.add(1);
  blocks.range_max = 20;
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 305U);
  EXPECT_EQ(blocks.widest, 310U);
  blocks.range_max = 0;
  blocks.add(1);
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::refused);
}

TEST_F(FollowerTest, ReadsLongChainsInBatches) {
  for (int i = 0; i < 5'000; ++i) blocks.add(0);
  EXPECT_EQ(*open().poll(remember()), 5U);
  EXPECT_EQ(blocks.widest, kFollowBlocksMax);
}

TEST_F(FollowerTest, EmptyBlocksAreSavedNowAndThen) {
  Follower follower = open();
  ASSERT_TRUE(follower.poll(remember()));
  blocks.add(0);
  ASSERT_TRUE(follower.poll(remember()));
  EXPECT_EQ(open().next_block(), 10U);
  for (std::uint64_t i = 0; i < kFollowSaveBlocks; ++i) blocks.add(0);
  ASSERT_TRUE(follower.poll(remember()));
  EXPECT_EQ(open().next_block(), 11U + kFollowSaveBlocks);
}

TEST_F(FollowerTest, RefusesADamagedOrForeignCursor) {
  ASSERT_TRUE(open().poll(remember()));
  const Bytes good = *files.read(options.cursor, 1024);
  const auto open_code = [&](const Bytes& bytes) {
    SP_CHECK(files.write_atomic(options.cursor, bytes, FileMode::owner_only).ok());
    return Follower::open(chain, files, options).error().code;
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    EXPECT_EQ(open_code(bad), Errc::malformed) << i;
  }
  EXPECT_EQ(open_code({}), Errc::malformed);
  EXPECT_EQ(open_code(Bytes(good.begin(), good.end() - 1)), Errc::malformed);
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(open_code(longer), Errc::malformed);
  options.topics = {Digest32{}};
  EXPECT_EQ(open_code(good), Errc::mismatch);
}

// An endpoint whose backends aren't as far as each other: who answers for logs knows less than who
// answered for the newest block, and says nothing of what it doesn't know.
class LaggingBackendsTest : public FollowerTest {
 protected:
  LaggingBackendsTest() {
    endpoint.answer = [this](const std::string& method, const Json& params) {
      return blocks.answer(method, params, method == "eth_getLogs" ? logs_behind : 0);
    };
  }
  std::uint64_t logs_behind = 3;
};

TEST_F(LaggingBackendsTest, LogsThatABackendDidntKnowAreReadAgain) {
  Follower follower = open();
  EXPECT_EQ(*follower.poll(remember()), 3U) << "of the blocks up to 6";
  EXPECT_EQ(follower.next_block(), 10U);
  EXPECT_EQ(*follower.poll(remember()), 0U) << "no new block, nothing is asked";
  blocks.add(0);
  EXPECT_EQ(*follower.poll(remember()), 1U) << "the backend has block 7 now";
  logs_behind = 0;
  blocks.add(1);
  EXPECT_EQ(*follower.poll(remember()), 2U);
  EXPECT_EQ(seen, (Seen{{1, 0}, {3, 0}, {5, 0}, {7, 0}, {9, 0}, {11, 0}}));
}

TEST_F(LaggingBackendsTest, SoAreThoseThatARestartCameBetween) {
  ASSERT_TRUE(open().poll(remember()));
  logs_behind = 0;
  blocks.add(0);
  EXPECT_EQ(*open().poll(remember()), 2U);
  EXPECT_EQ(seen, (Seen{{1, 0}, {3, 0}, {5, 0}, {7, 0}, {9, 0}}));
}

TEST_F(LaggingBackendsTest, AsFarBehindAsTheLimit) {
  while (blocks.newest() < 999) blocks.add(blocks.newest() < 934 ? 0 : 1);
  logs_behind = kFollowBehindMax;  // of blocks 936 to 999
  ASSERT_EQ(kFollowBehindMax, 64U);
  ASSERT_TRUE(open().poll(remember()));
  EXPECT_EQ(seen.back().first, 935U);
  seen.clear();
  logs_behind = 0;
  blocks.add(1);
  Follower restarted = open();
  EXPECT_EQ(*restarted.poll(remember()), 65U);
  EXPECT_EQ(seen.front().first, 936U);
}

// The newest block is asked of one that knows all, everything else of any.
TEST_F(LaggingBackendsTest, WhoeverAnswersEachLogComesOnce) {
  for (const std::uint64_t widest : {2'000U, 7U, 1U}) {
    SCOPED_TRACE(widest);
    std::minstd_rand random(static_cast<std::uint32_t>(widest));
    blocks = FakeBlocks(10);
    blocks.range_max = widest;
    seen.clear();
    endpoint.answer = [&](const std::string& method, const Json& params) {
      return blocks.answer(method, params, params[0] == "latest" ? 0 : random() % 6);
    };
    sp::testing::MemoryFiles memory;
    auto follower = Follower::open(chain, memory, options);
    ASSERT_TRUE(follower);
    std::size_t behind = 0;
    for (int i = 0; i < 200; ++i) {
      for (auto more = random() % 4; more > 0; --more) blocks.add(random() % 5 == 0 ? 2 : 0);
      const auto polled = follower->poll(remember());
      behind += polled ? 0U : 1U;  // the block at a range's end isn't there yet
    }
    EXPECT_GT(behind, 0U);
    endpoint.answer = [&](const std::string& method, const Json& params) {
      return blocks.answer(method, params);
    };
    blocks.add(0);
    ASSERT_TRUE(follower->poll(remember()));
    std::sort(seen.begin(), seen.end());
    Seen all;
    for (std::uint64_t number = 0; number <= blocks.newest(); ++number) {
      for (std::size_t i = 0; i < blocks.logs_of(number); ++i) all.emplace_back(number, i);
    }
    EXPECT_EQ(seen, all);
  }
}

TEST_F(LaggingBackendsTest, ANewestBlockOfOneThatIsBehindIsNoReorganisation) {
  options.rewind = 1024;
  logs_behind = 0;
  Follower follower = open();
  ASSERT_TRUE(follower.poll(remember()));
  seen.clear();
  endpoint.answer = [this](const std::string& method, const Json& params) {
    return blocks.answer(method, params, params[0] == "latest" ? 4 : 0);
  };
  EXPECT_EQ(follower.poll(remember()).error().code, Errc::unavailable);
  EXPECT_EQ(follower.next_block(), 10U);
  EXPECT_TRUE(seen.empty());
}

TEST_F(FollowerTest, FollowsAnvil) {
  const auto anvil = Anvil::start();
  if (!anvil) GTEST_SKIP() << "anvil (npm @foundry-rs/anvil) isn't installed";
  const SystemClock clock;
  const auto real_endpoint = http_endpoint(anvil->url(), clock);
  Chain real(*real_endpoint);
  const crypto::EthKey key = Anvil::key(0);
  TxSender sender(real, key, clock);
  const auto deployed = sender.execute({std::nullopt, testing::logger_code(), {}});
  ASSERT_TRUE(deployed) << deployed.error().message;
  const Bytes topic(32, 7);
  options.contract = *deployed->contract;
  options.topics = {*Digest32::from(topic)};
  options.start_block = deployed->block_number;
  const auto follow = [&] {
    auto follower = Follower::open(real, files, options);
    SP_CHECK(follower.ok());
    return *follower->poll(remember());
  };
  ASSERT_TRUE(sender.execute({deployed->contract, topic, {}}));
  ASSERT_TRUE(sender.execute({deployed->contract, Bytes(32, 8), {}}));  // another topic
  ASSERT_TRUE(sender.execute({deployed->contract, topic, {}}));
  EXPECT_EQ(follow(), 2U);
  EXPECT_EQ(follow(), 0U);
  const auto snapshot = real_endpoint->call("evm_snapshot", Json::array());
  ASSERT_TRUE(snapshot);
  ASSERT_TRUE(sender.execute({deployed->contract, topic, {}}));
  EXPECT_EQ(follow(), 1U);
  ASSERT_TRUE(real_endpoint->call("evm_revert", Json::array({*snapshot})));
  ASSERT_TRUE(sender.execute({deployed->contract, Bytes(32, 9), {}}));
  ASSERT_TRUE(sender.execute({deployed->contract, topic, {}}));
  EXPECT_EQ(follow(), 1U) << "what is there in place of what was reverted";
  EXPECT_EQ(follow(), 0U);
}

}  // namespace
}  // namespace sp::chain
