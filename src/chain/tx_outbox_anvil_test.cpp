// What a sender does with an outbox when the chain has bad days: on a real node.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/testing/temporary_folder.hpp"
#include "chain/testing/anvil.hpp"
#include "chain/tx_outbox.hpp"

namespace sp::chain {
namespace {

using std::chrono::milliseconds;
using testing::Anvil;

class OutboxOnAnvil : public ::testing::Test {
 protected:
  void SetUp() override {
    anvil_ = Anvil::start();
    if (!anvil_) GTEST_SKIP() << "anvil (npm @foundry-rs/anvil) isn't installed";
    endpoint_ = http_endpoint(anvil_->url(), clock_);
    chain_.emplace(*endpoint_);
    begin();
  }

  /// A new life of the sender.
  void begin(milliseconds replace_after = kTxReplaceAfter, std::uint64_t confirmations = 3) {
    sender_.reset();
    sender_.emplace(*chain_, key_, clock_, files_,
                    TxSender::Options{folder_ / "outbox", confirmations, replace_after});
  }
  Json rpc(const std::string& method, const Json& params) {
    auto answer = endpoint_->call(method, params);
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    return answer ? *answer : Json();
  }
  void mine(int blocks = 1) {
    for (int i = 0; i < blocks; ++i) rpc("evm_mine", Json::array());
  }
  void automine(bool on) { rpc("evm_setAutomine", Json::array({on})); }
  void reorganise(int depth) { rpc("anvil_reorg", Json::array({depth, Json::array()})); }
  TxHash send(unsigned amount) {
    auto hash = sender_->send({to_, {}, Amount(amount)});
    EXPECT_TRUE(hash.ok()) << hash.error().message;
    return hash ? *hash : TxHash{};
  }
  std::size_t kept() { return files_.list(folder_ / "outbox")->size(); }
  Amount moved() { return *chain_->balance(to_); }
  void tend_for(milliseconds time) {
    const auto until = clock_.monotonic() + time;
    while (clock_.monotonic() < until) {
      EXPECT_TRUE(sender_->tend().ok());
      clock_.sleep_for(milliseconds(100));
    }
  }

  SystemClock clock_;
  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
  crypto::EthKey key_ = Anvil::key(0);
  const Address to_ = *Address::from_hex("00000000000000000000000000000000000a11ce");
  std::unique_ptr<Anvil> anvil_;
  std::unique_ptr<RpcEndpoint> endpoint_;
  std::optional<Chain> chain_;
  std::optional<TxSender> sender_;
};

TEST_F(OutboxOnAnvil, WhatIsFinalIsForgotten) {
  const TxHash hash = send(5);
  ASSERT_TRUE(sender_->wait(hash, 1, milliseconds(5'000)).ok());
  EXPECT_TRUE(sender_->tend().ok());
  EXPECT_EQ(kept(), 1U);
  mine(2);
  // A node counts a transaction a moment before it shows its receipt.
  for (int tries = 0; tries < 50 && kept() != 0; ++tries) tend_for(milliseconds(100));
  EXPECT_EQ(kept(), 0U);
  const TxHash again = send(5);
  EXPECT_NE(again, hash) << "the same call again is another transaction";
  ASSERT_TRUE(sender_->wait(again, 1, milliseconds(5'000)).ok());
  EXPECT_EQ(moved(), Amount(10));
}

TEST_F(OutboxOnAnvil, AnotherLifeGoesOnWithTheSameTransaction) {
  automine(false);
  const TxHash hash = send(5);
  // Lost by the pool and by the process.
  rpc("anvil_dropTransaction", Json::array({hash.hex0x()}));
  begin();
  EXPECT_EQ(send(5), hash);
  automine(true);
  mine();
  ASSERT_TRUE(sender_->wait(hash, 1, milliseconds(5'000)).ok());
  begin();
  EXPECT_EQ(send(5), hash) << "it is mined, and not final";
  EXPECT_TRUE(sender_->wait(hash, 1, milliseconds(5'000)).ok());
  mine(3);
  EXPECT_EQ(sender_->send({to_, {}, Amount(5)}).error(),
            (Error{Errc::conflict, "the transaction's nonce has been used up"}));
  EXPECT_EQ(moved(), Amount(5));
}

TEST_F(OutboxOnAnvil, ALateOneIsReplacedAndTakesEffectOnce) {
  begin(milliseconds(300));
  automine(false);
  const TxHash first = send(5);
  std::thread waits([&] {
    const auto receipt = sender_->wait(first, 1, milliseconds(20'000));
    ASSERT_TRUE(receipt.ok()) << receipt.error().message;
    EXPECT_NE(receipt->tx_hash, first) << "found under the replacement's hash";
  });
  clock_.sleep_for(milliseconds(2'500));
  mine();
  waits.join();
  EXPECT_EQ(moved(), Amount(5));
  EXPECT_EQ(*chain_->nonce(key_.address(), true), 1U) << "no other transaction waits";
  const auto bytes = files_.read(folder_ / "outbox" / "0", 1 << 20);
  const auto entry = OutboxEntry::decode(*bytes, key_.address(), 31337);
  ASSERT_TRUE(entry.ok());
  EXPECT_GE(entry->versions.size(), 2U);
  for (std::size_t i = 1; i < entry->versions.size(); ++i) {
    EXPECT_GE(entry->versions[i].fees.max_fee_per_gas.units() * 8,
              entry->versions[i - 1].fees.max_fee_per_gas.units() * 9);
  }
}

TEST_F(OutboxOnAnvil, AGapIsFilledByTheTransactionThatIsMissing) {
  automine(false);
  const TxHash lower = send(5);
  const TxHash higher = send(6);
  rpc("anvil_dropTransaction", Json::array({lower.hex0x()}));
  const TxHash third = send(7);
  begin();  // its first look at the pool finds the gap
  tend_for(milliseconds(300));
  mine();
  for (const TxHash& hash : {lower, higher, third}) {
    EXPECT_TRUE(sender_->wait(hash, 1, milliseconds(8'000)).ok());
    mine();
  }
  EXPECT_EQ(moved(), Amount(18));
  EXPECT_EQ(*chain_->nonce(key_.address(), false), 3U);
}

TEST_F(OutboxOnAnvil, WhatAReorganisationDropsIsSentAgainAsItWas) {
  for (int depth = 1; depth <= 12; ++depth) {
    begin(kTxReplaceAfter, 14);
    const unsigned amount = 100 + static_cast<unsigned>(depth);
    const Amount before = moved();
    const TxHash hash = send(amount);
    ASSERT_TRUE(sender_->wait(hash, 1, milliseconds(5'000)).ok());
    mine(depth - 1);
    reorganise(depth);
    const auto again = sender_->wait(hash, 1, milliseconds(10'000));
    ASSERT_TRUE(again.ok()) << depth << ": " << again.error().message;
    EXPECT_EQ(again->tx_hash, hash);
    EXPECT_EQ(moved().units(), before.units() + amount) << depth;
  }
  mine(14);
  EXPECT_TRUE(sender_->tend().ok());
  EXPECT_EQ(kept(), 0U);
}

TEST_F(OutboxOnAnvil, ANonceThatOthersUseIsToldWhenThatIsFinal) {
  automine(false);
  const TxHash ours = send(5);
  rpc("anvil_dropTransaction", Json::array({ours.hex0x()}));
  {
    TxSender other(*chain_, key_, clock_);
    ASSERT_TRUE(other.send({Anvil::key(1).address(), {}, Amount(1)}).ok());
  }
  mine();
  EXPECT_EQ(sender_->wait(ours, 1, milliseconds(2'500)).error().code, Errc::timed_out)
      << "a reorganisation may still bring it back";
  EXPECT_EQ(kept(), 1U);
  mine(2);
  const auto taken = sender_->wait(ours, 1, milliseconds(10'000));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error(),
            (Error{Errc::conflict,
                   "another transaction of the account took the nonce of " + ours.hex0x()}));
  EXPECT_EQ(kept(), 0U);
  EXPECT_EQ(moved(), Amount(0));
  const TxHash again = send(5);
  mine();
  EXPECT_TRUE(sender_->wait(again, 1, milliseconds(5'000)).ok());
  EXPECT_EQ(moved(), Amount(5));
}

}  // namespace
}  // namespace sp::chain
