// Deploying on a real anvil: what is stopped goes on and deploys nothing twice; code that isn't
// ours is told from ours.
#include "spctl/contract_deploy.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/testing/temporary_folder.hpp"
#include "chain/rpc_json.hpp"
#include "chain/testing/anvil.hpp"
#include "spctl/contracts_code.hpp"

namespace sp::spctl {
namespace {

using chain::testing::Anvil;
using ::testing::HasSubstr;

// An endpoint whose asker is killed at one transaction: before it is sent, or right after.
class Killed final : public chain::RpcEndpoint {
 public:
  Killed(chain::RpcEndpoint& inner, int transaction, bool before)
      : inner_(inner), left_(transaction), before_(before) {}
  Result<Json> call(const std::string& method, const Json& params) override {
    if (dead_) return Error{Errc::unavailable, "killed"};
    if (method != "eth_sendRawTransaction" || --left_ > 0) return inner_.call(method, params);
    dead_ = true;
    if (!before_) {
      EXPECT_TRUE(inner_.call(method, params));
    }
    return Error{Errc::unavailable, "killed"};
  }

 private:
  chain::RpcEndpoint& inner_;
  int left_;
  const bool before_;
  bool dead_ = false;
};

// An endpoint of two nodes: who answers for code and receipts knows no block after `head`.
class Lagging final : public chain::RpcEndpoint {
 public:
  Lagging(chain::RpcEndpoint& inner, std::uint64_t head) : inner_(inner), head_(head) {}
  Result<Json> call(const std::string& method, const Json& params) override {
    if (method != "eth_getCode" && method != "eth_getTransactionReceipt") {
      return inner_.call(method, params);
    }
    if (answers++ >= late_answers) return inner_.call(method, params);
    if (method == "eth_getTransactionReceipt") return Json();
    if (params[1] != "latest" && *chain::quantity(params[1], "block") > head_) {
      return Error{Errc::refused, "header not found"};
    }
    return inner_.call(method, Json::array({params[0], chain::quantity_text(head_)}));
  }
  int late_answers = 1 << 30;
  int answers = 0;

 private:
  chain::RpcEndpoint& inner_;
  const std::uint64_t head_;
};

class DeployTest : public ::testing::Test {
 protected:
  void SetUp() override {
    anvil_ = Anvil::start();
    if (!anvil_) GTEST_SKIP() << "anvil isn't installed";
    endpoint_ = chain::http_endpoint(anvil_->url(), clock_);
    chain_.emplace(*endpoint_);
  }
  DeployOptions test_options() {
    DeployOptions options;
    options.test_token = true;
    options.minimum_deposit = Amount(5);
    return options;
  }
  Result<std::vector<DeployedContract>> run(chain::Chain& chain, DeployPatience patience = {}) {
    auto deployment = Deployment::load(files_, file_);
    if (!deployment) deployment = plan_deployment(chain, key_.address(), test_options());
    if (!deployment) return deployment.error();
    deployment_ = *deployment;
    return run_deployment(chain, key_, clock_, files_, file_, *deployment, patience);
  }

  SystemClock clock_;
  PosixFiles files_;
  const sp::testing::TemporaryFolder folder_;
  const Path file_ = folder_ / "deployment.json";
  std::unique_ptr<Anvil> anvil_;
  std::unique_ptr<chain::RpcEndpoint> endpoint_;
  std::optional<chain::Chain> chain_;
  const crypto::EthKey key_ = Anvil::key(0);
  Deployment deployment_;
};

TEST_F(DeployTest, DeploysAndVerifies) {
  const auto done = run(*chain_);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_EQ(done->size(), 3U);
  for (const DeployedContract& contract : *done) {
    const auto receipt = chain_->receipt(contract.tx);
    ASSERT_TRUE(receipt && *receipt) << contract.contract;
    EXPECT_EQ((*receipt)->contract, contract.address);
    EXPECT_EQ((*receipt)->gas_used, contract.gas_used);
  }
  const auto found = verify_market(*chain_, deployment_.address_of("Market"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->registry, deployment_.address_of("Registry"));
  EXPECT_EQ(found->token, deployment_.address_of("TestToken"));
  EXPECT_EQ(found->minimum_deposit, Amount(5));
  EXPECT_TRUE(found->test_token);
  EXPECT_EQ(deployment_.start_block, 0U);
  // Done again it sends nothing.
  ASSERT_TRUE(run(*chain_));
  EXPECT_EQ(*chain_->nonce(key_.address(), true), 3U);
}

TEST_F(DeployTest, KilledAnywhereItGoesOnAndDeploysNothingTwice) {
  for (int transaction = 1; transaction <= 3; ++transaction) {
    for (const bool before : {true, false}) {
      SCOPED_TRACE(std::to_string(transaction) + (before ? " before" : " after"));
      std::filesystem::remove(file_);
      const std::uint64_t nonce = *chain_->nonce(key_.address(), true);
      Killed endpoint(*endpoint_, transaction, before);
      chain::Chain dying(endpoint);
      const auto stopped = run(dying);
      ASSERT_FALSE(stopped);
      EXPECT_EQ(stopped.error().code, Errc::unavailable);
      const Address market = deployment_.address_of("Market");
      const auto done = run(*chain_);
      ASSERT_TRUE(done) << done.error().message;
      EXPECT_EQ(done->back().address, market);
      EXPECT_EQ(*chain_->nonce(key_.address(), true), nonce + 3);
      EXPECT_TRUE(verify_market(*chain_, market));
    }
  }
}

TEST_F(DeployTest, AStuckTransactionIsReplacedNotRepeated) {
  ASSERT_TRUE(endpoint_->call("evm_setAutomine", Json::array({false})));
  const auto stuck = run(*chain_, {std::chrono::milliseconds(300), 1});
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, Errc::timed_out);
  const auto kept = Deployment::load(files_, file_);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->steps[0].sent.size(), 2U);  // its fee was raised once
  ASSERT_TRUE(endpoint_->call("evm_mine", Json::array()));
  ASSERT_TRUE(endpoint_->call("evm_setAutomine", Json::array({true})));
  const auto done = run(*chain_);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->front().tx, kept->steps[0].sent.back());
  EXPECT_EQ(*chain_->nonce(key_.address(), true), 3U);
}

TEST_F(DeployTest, AnotherTransactionInItsPlaceIsTold) {
  Killed endpoint(*endpoint_, 1, true);
  chain::Chain dying(endpoint);
  ASSERT_FALSE(run(dying));
  chain::TxSender other(*chain_, key_, clock_);
  ASSERT_TRUE(other.execute({Anvil::key(1).address(), {}, Amount(1)}));
  const auto done = run(*chain_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_THAT(done.error().message, HasSubstr("took nonce 0"));
}

// The first contract is in a block, and the command was killed before it heard of it.
TEST_F(DeployTest, AContractThatTheEndpointDoesntShowYetIsWaitedFor) {
  Killed endpoint(*endpoint_, 1, false);
  chain::Chain dying(endpoint);
  ASSERT_FALSE(run(dying));
  // A node makes the block a moment after it took the transaction.
  for (int tries = 0; tries < 100 && *chain_->nonce(key_.address(), false) == 0; ++tries) {
    clock_.sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_EQ(*chain_->nonce(key_.address(), false), 1U);
  Lagging lagging(*endpoint_, 0);
  chain::Chain behind(lagging);
  const auto unclear = run(behind, {std::chrono::milliseconds(300), 0});
  ASSERT_FALSE(unclear);
  EXPECT_EQ(unclear.error().code, Errc::unavailable) << unclear.error().message;
  EXPECT_THAT(unclear.error().message, HasSubstr("Run the same command again"));
  lagging.answers = 0;
  lagging.late_answers = 5;
  const auto done = run(behind);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_GT(lagging.answers, lagging.late_answers);
  EXPECT_EQ(*chain_->nonce(key_.address(), true), 3U);
}

// Its own transaction ran out of gas: told by its receipt, or by the block that has no contract.
TEST_F(DeployTest, ATransactionThatFailedIsToldAndNotWaitedFor) {
  auto deployment = plan_deployment(*chain_, key_.address(), test_options());
  ASSERT_TRUE(deployment);
  deployment->steps[0].gas_limit -= deployment->steps[0].gas_limit / 3;
  const auto done = run_deployment(*chain_, key_, clock_, files_, file_, *deployment);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::refused) << done.error().message;
  EXPECT_THAT(done.error().message, HasSubstr("failed in its block"));
  const auto again = run(*chain_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::refused) << again.error().message;
  EXPECT_THAT(again.error().message, HasSubstr("begin anew"));
}

TEST_F(DeployTest, CodeThatIsntOursIsRefused) {
  ASSERT_TRUE(run(*chain_));
  const Address market = deployment_.address_of("Market");
  const Address registry = deployment_.address_of("Registry");
  const auto set_code = [&](const Address& at, const Bytes& code) {
    ASSERT_TRUE(endpoint_->call("anvil_setCode", Json::array({at.hex0x(), to_hex0x(code)})));
  };
  // One bit of the registry's code, at its end: it still answers.
  const Bytes good = *chain_->code(registry);
  Bytes bad = good;
  bad.back() ^= 1;
  set_code(registry, bad);
  auto found = verify_market(*chain_, market);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::mismatch);
  EXPECT_THAT(found.error().message, HasSubstr("the registry isn't at " + registry.hex0x()));
  EXPECT_THAT(found.error().message, HasSubstr("from byte " + std::to_string(bad.size() - 1)));
  set_code(registry, good);
  EXPECT_TRUE(verify_market(*chain_, market));
  // The market's code with another registry in it.
  set_code(market, market_runtime(31337, market, market));
  found = verify_market(*chain_, market);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::mismatch);
  // Nothing there, and a token in the market's place.
  found = verify_market(*chain_, Anvil::key(5).address());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::mismatch);
  found = verify_market(*chain_, deployment_.token());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::mismatch);
}

TEST_F(DeployTest, AStepsWrongCodeIsRefused) {
  ASSERT_TRUE(run(*chain_));
  ASSERT_TRUE(endpoint_->call("anvil_setCode",
                              Json::array({deployment_.address_of("Market").hex0x(), "0x6000"})));
  const auto done = run(*chain_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::mismatch);
}

TEST(Deployments, FilesAreStrict) {
  Deployment deployment;
  deployment.deployer = Anvil::key(0).address();
  deployment.steps = {{"Registry", 4, created_address(deployment.deployer, 4), 1, {}, {}},
                      {"Market", 5, created_address(deployment.deployer, 5), 1, {}, {}}};
  const Path file = std::filesystem::temp_directory_path() /
                    ("spctl-deployment-" + std::to_string(::getpid()) + ".json");
  PosixFiles files;
  ASSERT_TRUE(deployment.save(files, file));
  EXPECT_TRUE(Deployment::load(files, file));
  deployment.steps[1].nonce = 6;  // an address that this nonce doesn't make
  ASSERT_TRUE(deployment.save(files, file));
  const auto loaded = Deployment::load(files, file);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::malformed);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace sp::spctl
