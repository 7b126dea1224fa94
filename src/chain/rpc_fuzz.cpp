// An endpoint's answer, read as every kind of answer.
#include "chain/rpc_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp;
  const auto json = parse_json(as_text({data, size}), 1 << 20);
  if (!json) return 0;
  const auto answer = chain::parse_answer(*json, 1, "method");
  const Json& value = answer ? *answer : *json;
  if (!answer) chain::revert_data(answer.error());
  const auto block = chain::parse_block(value);
  if (block) SP_CHECK(block->time >= 0);
  const chain::TxHash asked = chain::TxHash::from_hex(std::string(64, 'b')).value();
  const auto receipt = chain::parse_receipt(value, asked);
  if (receipt) SP_CHECK(receipt->tx_hash == asked);
  chain::LogFilter filter;
  filter.address = Address::from_hex(std::string(40, 'c')).value();
  filter.to_block = 100;
  const auto logs = chain::parse_logs(value, filter);
  if (logs) {
    for (const chain::Log& entry : *logs) SP_CHECK(entry.address == filter.address);
  }
  return 0;
}
