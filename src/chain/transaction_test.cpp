#include "chain/transaction.hpp"

#include <gtest/gtest.h>

#include "chain/testing/anvil.hpp"

namespace sp::chain {
namespace {

using testing::Anvil;

std::string rlp_text(std::string_view text) { return to_hex(rlp_bytes(as_bytes(text))); }

TEST(Rlp, PublishedExamples) {
  // ethereum.org's description of RLP
  EXPECT_EQ(rlp_text("dog"), "83646f67");
  EXPECT_EQ(to_hex(rlp_list({rlp_bytes(as_bytes("cat")), rlp_bytes(as_bytes("dog"))})),
            "c88363617483646f67");
  EXPECT_EQ(rlp_text(""), "80");
  EXPECT_EQ(to_hex(rlp_list({})), "c0");
  EXPECT_EQ(to_hex(rlp_number(Amount(0))), "80");
  EXPECT_EQ(to_hex(rlp_number(Amount(15))), "0f");
  EXPECT_EQ(to_hex(rlp_number(Amount(1024))), "820400");
  EXPECT_EQ(to_hex(rlp_bytes(Bytes{0})), "00");
  EXPECT_EQ(rlp_text("Lorem ipsum dolor sit amet, consectetur adipisicing elit").substr(0, 6),
            "b8384c");
  EXPECT_EQ(to_hex(rlp_bytes(Bytes(1024, 'a'))).substr(0, 8), "b9040061");
  const Bytes empty = rlp_list({});
  const Bytes nested = rlp_list({empty, rlp_list({empty}), rlp_list({empty, rlp_list({empty})})});
  EXPECT_EQ(to_hex(nested), "c7c0c1c0c3c0c1c0");
}

Transaction example() {
  Transaction transaction;
  transaction.chain_id = 31337;
  transaction.nonce = 7;
  transaction.fees = {Amount(3'000'000'000), Amount(1'000'000'000)};
  transaction.gas_limit = 21000;
  return transaction;
}

// Both were made by `cast mktx` (foundry 1.7.1) with anvil's first key.
TEST(SignTransaction, EqualsCast) {
  Transaction call = example();
  call.to = *Address::from_hex("00000000000000000000000000000000000000ff");
  call.value = Amount(5);
  call.data = *from_hex("b3de648b" + std::string(63, '0') + "3");
  EXPECT_EQ(to_hex0x(sign(call, Anvil::key(0)).raw),
            "0x02f890827a6907843b9aca0084b2d05e0082520894000000000000000000000000000000000000"
            "00ff05a4b3de648b0000000000000000000000000000000000000000000000000000000000000003"
            "c001a0e88ab61e8a4cbe046c984d4c27b97f280d90e6d291049ee1380ee9b470ce0e75a014796397"
            "f2c7a2da31bb23374edbfe098d031cb6ab45b850b9cf71d3a3d58a33");
  Transaction create = example();
  create.data = *from_hex("6001");
  EXPECT_EQ(to_hex0x(sign(create, Anvil::key(0)).raw),
            "0x02f85a827a6907843b9aca0084b2d05e008252088080826001c001a093fa1773bad2bc1df10086"
            "036990169efcd4c9bd61dce2aa23d57e0c18827be1a0316677a0477987d80f4816e6fa47c36a453c"
            "13c5b81b1f97ed57e6fd8f182577");
}

std::string decimal(Amount amount) { return amount.text(); }

// Twenty more against cast itself, so that signatures whose r or s begins with zeros are seen too.
TEST(SignTransaction, EqualsCastOnMore) {
  const Path cast = testing::foundry_program("cast");
  if (!std::filesystem::exists(cast)) GTEST_SKIP() << "cast (npm @foundry-rs/cast) isn't installed";
  const crypto::EthKey key = Anvil::key(3);
  for (std::uint64_t i = 0; i < 20; ++i) {
    Transaction transaction = example();
    transaction.nonce = i * i * i * 1'000;
    transaction.to = Anvil::key(i % 10).address();
    transaction.value = Amount(Amount::Number{1} << (6 * i));
    transaction.gas_limit = 21000 + (i << i);
    ProcessOptions options;
    options.argv = {cast.string(),
                    "mktx",
                    "--private-key",
                    to_hex0x(key.secret().reveal()),
                    "--chain",
                    "31337",
                    "--nonce",
                    std::to_string(transaction.nonce),
                    "--gas-limit",
                    std::to_string(transaction.gas_limit),
                    "--gas-price",
                    decimal(transaction.fees.max_fee_per_gas),
                    "--priority-gas-price",
                    decimal(transaction.fees.max_priority_fee_per_gas),
                    "--value",
                    decimal(transaction.value),
                    transaction.to->hex0x()};
    options.environment = basic_environment();
    const auto output = run_command(options, std::chrono::seconds(20), 1 << 16);
    ASSERT_TRUE(output);
    EXPECT_EQ(to_hex0x(sign(transaction, key).raw) + "\n", output->text) << i;
  }
}

}  // namespace
}  // namespace sp::chain
