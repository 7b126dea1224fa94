#include "chain/tx_outbox.hpp"

#include <gtest/gtest.h>

#include "base/testing/temporary_folder.hpp"
#include "chain/tx_fees.hpp"

namespace sp::chain {
namespace {

constexpr std::uint64_t kChain = 31337;

Address account() { return Address::from_hex(std::string(40, '1')).value(); }

crypto::EthKey a_key() {
  return crypto::EthKey::from_secret(Secret32::from(Bytes(32, 7)).value()).value();
}

OutboxEntry entry_of(std::uint64_t nonce, std::size_t versions = 1) {
  OutboxEntry entry;
  entry.transaction.chain_id = kChain;
  entry.transaction.nonce = nonce;
  entry.transaction.gas_limit = 21000;
  entry.transaction.to = account();
  entry.transaction.value = Amount(5);
  entry.transaction.data = Bytes(3, 9);
  for (std::size_t i = 0; i < versions; ++i) {
    entry.transaction.fees = {Amount(100 + 20 * i), Amount(10 + 2 * i)};
    SignedTransaction made = sign(entry.transaction, a_key());
    entry.versions.push_back({entry.transaction.fees, made.raw, made.hash});
  }
  return entry;
}

class OutboxTest : public ::testing::Test {
 protected:
  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
};

TEST_F(OutboxTest, AnEntryGoesThereAndBack) {
  for (const std::size_t versions : {std::size_t{1}, kTxVersionsMax}) {
    const OutboxEntry entry = entry_of(7, versions);
    const auto read = OutboxEntry::decode(entry.encode(account()), account(), kChain);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->hashes(), entry.hashes());
    EXPECT_EQ(read->transaction.nonce, 7U);
    EXPECT_EQ(read->transaction.fees.max_fee_per_gas, entry.transaction.fees.max_fee_per_gas);
    EXPECT_EQ(read->encode(account()), entry.encode(account()));
  }
  OutboxEntry creates = entry_of(8);
  creates.transaction.to.reset();
  EXPECT_FALSE(OutboxEntry::decode(creates.encode(account()), account(), kChain)->transaction.to);
}

TEST_F(OutboxTest, WhatIsDamagedOrAnothersIsRefused) {
  const Bytes whole = entry_of(7).encode(account());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(OutboxEntry::decode(ByteView(whole).first(size), account(), kChain).ok()) << size;
  }
  Bytes flipped = whole;
  flipped[60] ^= 1;
  EXPECT_EQ(OutboxEntry::decode(flipped, account(), kChain).error(),
            (Error{Errc::malformed, "the checksum is wrong"}));
  const Error others{Errc::mismatch, "belongs to another account or chain"};
  EXPECT_EQ(OutboxEntry::decode(whole, account(), 1).error(), others);
  EXPECT_EQ(OutboxEntry::decode(whole, Address{}, kChain).error(), others);
}

TEST_F(OutboxTest, AnotherLifeGoesOnWithIt) {
  {
    TxOutbox outbox(account(), &files_, folder_);
    ASSERT_TRUE(outbox.load(kChain, {}).ok());
    ASSERT_TRUE(outbox.keep(entry_of(3)).ok());
    ASSERT_TRUE(outbox.keep(entry_of(5, 2)).ok());
    ASSERT_TRUE(outbox.keep(entry_of(4)).ok());
    ASSERT_TRUE(outbox.forget(4).ok());
  }
  TxOutbox outbox(account(), &files_, folder_);
  ASSERT_TRUE(outbox.load(kChain, {}).ok());
  ASSERT_EQ(outbox.entries().size(), 2U);
  EXPECT_EQ(outbox.free_nonce(3), 4U);
  EXPECT_EQ(outbox.free_nonce(5), 6U);
  const OutboxEntry made = entry_of(5, 2);
  for (const TxHash& hash : made.hashes()) {
    ASSERT_NE(outbox.find_hash(hash), nullptr);
    EXPECT_EQ(outbox.find_hash(hash)->transaction.nonce, 5U);
  }
  EXPECT_NE(outbox.find_call(made.transaction.to, made.transaction.data, Amount(5)), nullptr);
  EXPECT_EQ(outbox.find_call(made.transaction.to, made.transaction.data, Amount(6)), nullptr);
  ASSERT_TRUE(outbox.give_up(5).ok());
  EXPECT_TRUE(outbox.is_given_up(made.versions[0].hash));
  EXPECT_EQ(outbox.find_hash(made.versions[0].hash), nullptr);
}

TEST_F(OutboxTest, AFileOfAnotherNameEndsTheStart) {
  ASSERT_TRUE(
      files_.write_atomic(folder_ / "9", entry_of(8).encode(account()), FileMode::owner_only).ok());
  TxOutbox outbox(account(), &files_, folder_);
  EXPECT_EQ(outbox.load(kChain, {}).error().code, Errc::mismatch);
}

TEST(TxFees, AReplacementBidsAnEighthMoreOrWhatIsSuggested) {
  const Fees first{Amount(1000), Amount(80)};
  const auto bumped = bumped_fees(first, first, {Amount(5), Amount(1)});
  ASSERT_TRUE(bumped);
  EXPECT_EQ(bumped->max_fee_per_gas, Amount(1125));
  EXPECT_EQ(bumped->max_priority_fee_per_gas, Amount(90));
  const auto suggested = bumped_fees(first, first, {Amount(3000), Amount(200)});
  EXPECT_EQ(suggested->max_fee_per_gas, Amount(3000));
  EXPECT_EQ(suggested->max_priority_fee_per_gas, Amount(200));
  const auto nothing = bumped_fees({Amount(8), {}}, {Amount(8), {}}, {});
  EXPECT_EQ(nothing->max_priority_fee_per_gas, Amount(1)) << "more than nothing";
}

TEST(TxFees, ReplacementsEndAtTheCap) {
  const Fees first{Amount(1000), Amount(80)};
  EXPECT_EQ(bumped_fees(first, first, {Amount(1'000'000), {}})->max_fee_per_gas, Amount(16'000));
  Fees last = first;
  std::size_t bumps = 0;
  while (const auto next = bumped_fees(first, last, {})) {
    EXPECT_GE(next->max_fee_per_gas.units() * 8, last.max_fee_per_gas.units() * 9);
    EXPECT_LE(next->max_priority_fee_per_gas, next->max_fee_per_gas);
    last = *next;
    ++bumps;
  }
  EXPECT_EQ(bumps, 23U);
  EXPECT_LT(bumps, kTxVersionsMax);
  EXPECT_LE(last.max_fee_per_gas, Amount(16'000));
  EXPECT_FALSE(bumped_fees({Amount(~Amount::Number{0}), {}}, {Amount(~Amount::Number{0}), {}}, {}));
}

}  // namespace
}  // namespace sp::chain
