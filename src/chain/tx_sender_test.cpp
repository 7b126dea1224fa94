#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "chain/rpc_json.hpp"
#include "chain/testing/anvil.hpp"
#include "chain/testing/contracts.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "chain/transaction.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

using testing::Anvil;
using testing::FakeClock;
using testing::FakeEndpoint;

// An endpoint that accepts what it is sent, and the errors that a test makes it give first.
struct FakeNode {
  Result<Json> answer(const std::string& method, const Json& params) {
    if (method == "eth_chainId") return Json("0x1");
    if (method == "eth_estimateGas") return Json("0x5208");
    if (method == "eth_maxPriorityFeePerGas") return Json("0x1");
    if (method == "eth_getTransactionCount") return Json(quantity_text(nonce++));
    if (method == "eth_getBlockByNumber") return Json{{"baseFeePerGas", "0x1"}};
    if (method == "eth_getTransactionReceipt") return receipt;
    EXPECT_EQ(method, "eth_sendRawTransaction");
    sent.push_back(params[0]);
    if (!errors.empty()) {
      const Error error = errors.front();
      errors.erase(errors.begin());
      return error;
    }
    const auto raw = from_hex(params[0].get<std::string>());
    return Json(crypto::keccak256(*raw).hex0x());
  }

  std::uint64_t nonce = 0;
  std::vector<Error> errors;
  std::vector<std::string> sent;
  Json receipt;
};

class TxSenderTest : public ::testing::Test {
 protected:
  FakeNode node;
  FakeEndpoint endpoint{[this](const std::string& method, const Json& params) {
    return node.answer(method, params);
  }};
  Chain chain{endpoint};
  FakeClock clock;
  crypto::EthKey key = Anvil::key(0);
  TxSender sender{chain, key, clock};
  TxSender::Call call{key.address(), {}, {}};
};

TEST_F(TxSenderTest, AKnownTransactionIsSent) {
  node.errors = {{Errc::refused, "eth_sendRawTransaction: already known (-32000)"}};
  EXPECT_TRUE(sender.send(call));
  EXPECT_EQ(node.sent.size(), 1U);
}

TEST_F(TxSenderTest, ANonceUsedByOthersIsReplaced) {
  node.errors = {{Errc::refused, "eth_sendRawTransaction: Nonce too low (-32003)"},
                 {Errc::refused, "replacement transaction underpriced"}};
  EXPECT_TRUE(sender.send(call));
  ASSERT_EQ(node.sent.size(), 3U);
  EXPECT_NE(node.sent[0], node.sent[1]);
  node.errors = std::vector<Error>(5, {Errc::refused, "nonce too low"});
  node.sent.clear();
  EXPECT_EQ(sender.send(call).error().code, Errc::refused);
  EXPECT_EQ(node.sent.size(), std::size_t{kSendTriesMax});
}

TEST_F(TxSenderTest, ANonceUsedByTheTransactionItselfIsSuccess) {
  Transaction expected;
  expected.chain_id = 1;
  expected.fees = {Amount(3), Amount(1)};
  expected.gas_limit = 25200;
  expected.to = key.address();
  const TxHash hash = sign(expected, key).hash;
  node.receipt = {
      {"transactionHash", hash.hex0x()},          {"status", "0x1"},  {"blockNumber", "0x1"},
      {"blockHash", "0x" + std::string(64, '1')}, {"gasUsed", "0x1"}, {"logs", Json::array()}};
  node.errors = {{Errc::refused, "nonce too low"}};
  const auto sent = sender.send(call);
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(*sent, hash);
  EXPECT_EQ(node.sent.size(), 1U);
}

TEST_F(TxSenderTest, OtherErrorsEndIt) {
  node.errors = {{Errc::refused, "insufficient funds"}};
  EXPECT_EQ(sender.send(call).error(), (Error{Errc::refused, "insufficient funds"}));
  node.errors = {{Errc::unavailable, "gone"}};
  EXPECT_EQ(sender.send(call).error().code, Errc::unavailable);
}

TEST_F(TxSenderTest, WaitingEndsAtItsLimit) {
  const auto late = sender.wait(TxHash{}, 1, std::chrono::seconds(10));
  EXPECT_EQ(late.error().code, Errc::timed_out);
  EXPECT_EQ(clock.monotonic(), std::chrono::seconds(10));
  EXPECT_LT(endpoint.asked.size(), 40U);
}

class TxSenderOnAnvil : public ::testing::Test {
 protected:
  void SetUp() override {
    anvil = Anvil::start();
    if (!anvil) GTEST_SKIP() << "anvil (npm @foundry-rs/anvil) isn't installed";
    endpoint = http_endpoint(anvil->url(), clock);
    chain = std::make_unique<Chain>(*endpoint);
    sender = std::make_unique<TxSender>(*chain, key, clock);
  }

  SystemClock clock;
  crypto::EthKey key = Anvil::key(0);
  std::unique_ptr<Anvil> anvil;
  std::unique_ptr<RpcEndpoint> endpoint;
  std::unique_ptr<Chain> chain;
  std::unique_ptr<TxSender> sender;
};

TEST_F(TxSenderOnAnvil, MovesMoneyAndDeploys) {
  EXPECT_EQ(*chain->chain_id(), 31337U);
  const auto to = *Address::from_hex("00000000000000000000000000000000000a11ce");
  const auto moved = sender->execute({to, {}, Amount(12345)});
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->gas_used, 21000U);
  EXPECT_EQ(*chain->balance(to), Amount(12345));
  EXPECT_EQ(*chain->nonce(sender->account(), false), 1U);
  EXPECT_EQ(chain->block({moved->block_number})->hash, moved->block_hash);
  const auto deployed = sender->execute({std::nullopt, testing::logger_code(), {}});
  ASSERT_TRUE(deployed) << deployed.error().message;
  ASSERT_TRUE(deployed->contract);
  EXPECT_EQ(chain->code(*deployed->contract)->size(), 32U);
  const Bytes topic(32, 7);
  const auto logged = sender->execute({deployed->contract, topic, {}});
  ASSERT_TRUE(logged) << logged.error().message;
  ASSERT_EQ(logged->logs.size(), 1U);
  EXPECT_EQ(logged->logs[0].data, topic);
  const auto logs = chain->logs({*deployed->contract, {}, 0, logged->block_number});
  ASSERT_TRUE(logs) << logs.error().message;
  EXPECT_EQ(logs->size(), 1U);
  // The contract reverts with deadbeef where it is called with nothing.
  const auto reverted = sender->send({deployed->contract, {}, {}});
  EXPECT_EQ(reverted.error().code, Errc::refused);
  EXPECT_EQ(to_hex(revert_data(reverted.error()).value_or(Bytes{})), "deadbeef");
  const auto called = chain->call(*deployed->contract, {});
  EXPECT_EQ(to_hex(revert_data(called.error()).value_or(Bytes{})), "deadbeef");
  const auto poor = sender->send({to, {}, Amount(Amount::Number{1} << 100)});
  EXPECT_EQ(poor.error().code, Errc::refused);
}

TEST_F(TxSenderOnAnvil, ManyThreadsSendInOrder) {
  std::atomic<int> sent = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        if (sender->execute({Anvil::key(1).address(), {}, Amount(1)})) ++sent;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sent, 20);
  EXPECT_EQ(*chain->nonce(sender->account(), false), 20U);
}

TEST_F(TxSenderOnAnvil, WaitsForConfirmations) {
  const auto hash = sender->send({Anvil::key(1).address(), {}, Amount(1)});
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(sender->wait(*hash, 1, std::chrono::seconds(5)));
  EXPECT_EQ(sender->wait(*hash, 2, std::chrono::milliseconds(30)).error().code, Errc::timed_out);
  ASSERT_TRUE(endpoint->call("anvil_mine", Json::array({"0x1"})));
  EXPECT_TRUE(sender->wait(*hash, 2, std::chrono::seconds(5)));
}

TEST_F(TxSenderOnAnvil, IsFast) {
  std::vector<std::chrono::nanoseconds> times;
  for (int i = 0; i < 21; ++i) {
    const auto begin = clock.monotonic();
    ASSERT_TRUE(sender->execute({Anvil::key(1).address(), {}, Amount(1)}));
    times.push_back(clock.monotonic() - begin);
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  const auto median = std::chrono::duration_cast<std::chrono::microseconds>(times[10]).count();
  std::printf("a transaction on anvil takes %ld us (median of 21)\n", static_cast<long>(median));
  EXPECT_LT(median, 500'000);  // far above what is measured: the machine may be busy
}

}  // namespace
}  // namespace sp::chain
