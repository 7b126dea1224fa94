// A quorum over a real node: two honest ways to it, and one that lies about all that passes.
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "chain/follower.hpp"
#include "chain/quorum.hpp"
#include "chain/rpc_json.hpp"
#include "chain/testing/anvil.hpp"
#include "chain/testing/contracts.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "chain/transaction.hpp"

namespace sp::chain {
namespace {

using testing::Anvil;

// What a liar makes of a true answer.
Json lie_of(const std::string& method, Json truth) {
  if (method == "eth_getBlockByNumber") truth["timestamp"] = "0xffffffff";
  if (method == "eth_getLogs") return Json::array();
  if (method == "eth_call" || method == "eth_getCode") return "0x01";
  if (method == "eth_getBalance" || method == "eth_estimateGas") return "0x1";
  if (method == "eth_getTransactionCount") return "0xffff";
  if (method == "eth_getTransactionReceipt" && truth.is_object()) truth["status"] = "0x0";
  return truth;
}

class QuorumOnAnvil : public ::testing::Test {
 protected:
  void SetUp() override {
    anvil = Anvil::start();
    if (!anvil) GTEST_SKIP() << "anvil (npm @foundry-rs/anvil) isn't installed";
    behind_liar = http_endpoint(anvil->url(), clock);
    std::vector<std::unique_ptr<RpcEndpoint>> members;
    members.push_back(http_endpoint(anvil->url(), clock));
    members.push_back(std::make_unique<testing::FakeEndpoint>(
        [this](const std::string& method, const Json& params) -> Result<Json> {
          if (method == "eth_sendRawTransaction") return Error{Errc::refused, "not today"};
          SP_ASSIGN(Json truth, behind_liar->call(method, params));
          return lie_of(method, std::move(truth));
        }));
    members.push_back(http_endpoint(anvil->url(), clock));
    quorum = quorum_endpoint(std::move(members), 2);
  }

  SystemClock clock;
  PosixFiles files;
  sp::testing::TemporaryFolder folder;
  crypto::EthKey key = Anvil::key(0);
  std::unique_ptr<Anvil> anvil;
  std::unique_ptr<RpcEndpoint> behind_liar;
  std::unique_ptr<QuorumEndpoint> quorum;
};

TEST_F(QuorumOnAnvil, SendsReadsAndFollowsPastALiar) {
  Chain chain(*quorum);
  EXPECT_EQ(chain.chain_id().value(), 31337U);
  TxSender sender(chain, key, clock);
  const auto deployed = sender.execute({std::nullopt, testing::logger_code(), {}});
  ASSERT_TRUE(deployed) << deployed.error().message;
  const Bytes topic(32, 7);
  Follower::Options options;
  options.contract = *deployed->contract;
  options.topics = {*Digest32::from(topic)};
  options.start_block = deployed->block_number;
  options.cursor = folder / "cursor";
  auto follower = Follower::open(chain, files, options);
  ASSERT_TRUE(follower);
  const auto seen = [&] { return follower->poll([](const Log&) { return Status(); }); };
  for (int i = 0; i < 3; ++i) {
    const auto logged = sender.execute({deployed->contract, topic, {}});
    ASSERT_TRUE(logged) << logged.error().message;
    EXPECT_TRUE(logged->success);
  }
  EXPECT_EQ(seen().value(), 3U);
  EXPECT_EQ(chain.code(*deployed->contract)->size(), 32U);
  EXPECT_EQ(chain.nonce(sender.account(), false).value(), 4U);
  const auto reverted = chain.call(*deployed->contract, {});
  EXPECT_EQ(to_hex(revert_data(reverted.error()).value_or(Bytes{})), "deadbeef");
  const auto to = *Address::from_hex("00000000000000000000000000000000000a11ce");
  ASSERT_TRUE(sender.execute({to, {}, Amount(12345)}));
  EXPECT_EQ(chain.balance(to).value(), Amount(12345));
}

TEST_F(QuorumOnAnvil, AShorterChainIsUnavailableUntilItGrows) {
  Chain chain(*quorum);
  const auto mine = [&](const char* blocks) {
    ASSERT_TRUE(behind_liar->call("anvil_mine", Json::array({blocks})));
  };
  mine("0x5");
  EXPECT_EQ(chain.block()->number, 5U);
  ASSERT_TRUE(behind_liar->call("anvil_rollback", Json::array({3})));
  EXPECT_EQ(chain.block().error().code, Errc::unavailable);
  mine("0x3");
  EXPECT_EQ(chain.block()->number, 5U);
}

}  // namespace
}  // namespace sp::chain
