// An endpoint's answers: the first byte says whether the rest is one, or of what blocks, receipts,
// logs or a whole server's answers are built, right or spoilt. What is right reads as it was; what
// is read is about what was asked.
#include "base/testing/fuzz_json.hpp"
#include "chain/rpc_http.hpp"
#include "chain/rpc_json.hpp"
#include "chain/testing/fake_endpoint.hpp"

namespace sp::chain {
namespace {

using sp::testing::FuzzInput;

constexpr std::array<const char*, 6> kWords{"0x",  "0x0", "0x00",
                                            "0x1", "2.0", "0xffffffffffffffff"};
const TxHash kAsked{.data = {0xbb}};
const Address kContract{.data = {0xcc}};
constexpr std::uint64_t kFirstBlock = 5;
constexpr std::uint64_t kBlocks = 8;

LogFilter filter() {
  return {kContract, {Digest32{.data = {1}}, {}}, kFirstBlock, kFirstBlock + kBlocks};
}

BlockHash hash_of(std::uint64_t number) { return {.data = {static_cast<std::uint8_t>(number)}}; }

Log any_log(FuzzInput& input, std::uint64_t block, std::uint64_t index) {
  Log entry;
  entry.address = kContract;
  entry.topics.assign(2 + input.below(kLogTopicsMax - 1), input.fixed<Digest32>());
  entry.topics[0] = *filter().topics[0];
  entry.data = to_bytes(input.bytes(70));
  entry.block_number = block;
  entry.block_hash = hash_of(block);
  entry.tx_hash = kAsked;
  entry.index = index;
  return entry;
}

Json to_json(const Log& entry) {
  Json topics = Json::array();
  for (const Digest32& topic : entry.topics) topics.push_back(topic.hex0x());
  return {
      {"address", entry.address.hex0x()},       {"topics", std::move(topics)},
      {"data", to_hex0x(entry.data)},           {"blockNumber", quantity_text(entry.block_number)},
      {"blockHash", entry.block_hash.hex0x()},  {"transactionHash", entry.tx_hash.hex0x()},
      {"logIndex", quantity_text(entry.index)}, {"removed", false}};
}

Json to_json(const std::vector<Log>& logs) {
  Json list = Json::array();
  for (const Log& entry : logs) list.push_back(to_json(entry));
  return list;
}

Json to_json(const Block& block) {
  return {{"number", quantity_text(block.number)},
          {"hash", block.hash.hex0x()},
          {"parentHash", block.parent.hex0x()},
          {"timestamp", quantity_text(static_cast<std::uint64_t>(block.time))}};
}

Json to_json(const TxReceipt& receipt) {
  return {{"transactionHash", receipt.tx_hash.hex0x()},
          {"status", quantity_text(std::uint64_t{receipt.success})},
          {"blockNumber", quantity_text(receipt.block_number)},
          {"blockHash", receipt.block_hash.hex0x()},
          {"gasUsed", quantity_text(receipt.gas_used)},
          {"contractAddress", receipt.contract ? Json(receipt.contract->hex0x()) : Json()},
          {"logs", to_json(receipt.logs)}};
}

// What is accepted, right or not, is about what was asked.

void check_block(const Json& value) {
  if (const auto block = parse_block(value)) {
    SP_CHECK(block->time >= 0 && to_json(parse_block(to_json(*block)).value()) == to_json(*block));
  }
}

void check_receipt(const Json& value) {
  const auto receipt = parse_receipt(value, kAsked);
  if (!receipt) return;
  SP_CHECK(receipt->tx_hash == kAsked && receipt->logs.size() <= kRpcLogsMax);
  for (const Log& entry : receipt->logs) {
    SP_CHECK(entry.tx_hash == kAsked && entry.block_hash == receipt->block_hash);
  }
  SP_CHECK(to_json(parse_receipt(to_json(*receipt), kAsked).value()) == to_json(*receipt));
}

void check_logs(const Json& value) {
  const LogFilter asked = filter();
  const auto logs = parse_logs(value, asked);
  if (!logs) return;
  const Log* before = nullptr;
  for (const Log& entry : *logs) {
    SP_CHECK(entry.address == asked.address && entry.topics.size() >= asked.topics.size());
    SP_CHECK(entry.topics.size() <= kLogTopicsMax && entry.topics[0] == *asked.topics[0]);
    SP_CHECK(entry.block_number >= asked.from_block && entry.block_number <= asked.to_block);
    if (before != nullptr && before->block_number == entry.block_number) {
      SP_CHECK(before->index < entry.index && before->block_hash == entry.block_hash);
    }
    SP_CHECK(before == nullptr || before->block_number <= entry.block_number);
    before = &entry;
  }
}

void check_raw(ByteView bytes) {
  const auto json = parse_json(as_text(bytes), 1 << 20);
  if (!json) return;
  const auto answer = parse_answer(*json, 1, "method");
  const Json& value = answer ? *answer : *json;
  if (!answer) revert_data(answer.error());
  check_block(value);
  check_receipt(value);
  check_logs(value);
}

void check_built(FuzzInput& input) {
  std::vector<Log> logs;
  std::uint64_t block = kFirstBlock;
  for (std::size_t i = input.below(5); i > 0 && block <= kFirstBlock + kBlocks; --i) {
    logs.push_back(any_log(input, block, logs.size()));
    block += input.below(3);
  }
  Json list = to_json(logs);
  if (input.flag()) std::reverse(list.begin(), list.end());
  SP_CHECK(to_json(parse_logs(list, filter()).value()) == to_json(logs));
  TxReceipt receipt{kAsked,
                    input.flag(),
                    block,
                    hash_of(block),
                    input.number<std::uint64_t>(),
                    {},
                    {any_log(input, block, 0)}};
  if (input.flag()) receipt.contract = input.fixed<Address>();
  Json json = to_json(receipt);
  SP_CHECK(to_json(parse_receipt(json, kAsked).value()) == json);
  Json other = json;
  other["logs"][0]["blockNumber"] = quantity_text(block + 1);
  SP_CHECK(!parse_receipt(other, kAsked).ok());
  spoil_json(input, json, kWords);
  spoil_json(input, list, kWords);
  check_receipt(json);
  check_logs(list);
  Json header = to_json(Block{block, hash_of(block), {}, input.number<std::uint32_t>()});
  SP_CHECK(to_json(parse_block(header).value()) == header);
  spoil_json(input, header, kWords);
  check_block(header);
}

/// Answers what it is asked by the balance of one account, or as the input says.
class Server final : public net::HttpCaller {
 public:
  Server(FuzzInput& input, bool& honest) : input_(input), honest_(honest) {}

 private:
  Result<net::HttpResponse> carry(const std::string& /*method*/, const std::string& /*url*/,
                                  ByteView body, const net::Headers& /*headers*/) override {
    const Json asked = parse_json(as_text(body), 1 << 16).value();
    Json answers = Json::array();
    for (const Json& one : asked.is_array() ? asked : Json::array({asked})) {
      answers.push_back({{"jsonrpc", "2.0"}, {"id", one["id"]}, {"result", "0x07"}});
    }
    if (input_.flag()) std::reverse(answers.begin(), answers.end());
    if (!asked.is_array()) answers = Json(answers[0]);
    net::HttpResponse response;
    if (input_.flag()) {
      honest_ = false;
      const std::string words = input_.text(400);
      const Json failure{{"code", 3}, {"message", words}, {"data", to_hex0x(input_.bytes(40))}};
      if (input_.flag()) answers = Json{{"jsonrpc", "2.0"}, {"id", 1}, {"error", failure}};
      if (input_.flag()) spoil_json(input_, answers, kWords);
      response.status = input_.one_of(std::array<unsigned, 5>{200, 200, 400, 429, 502});
      if (input_.flag()) response.headers["retry-after"] = input_.text(9);
    }
    response.body = to_bytes(as_bytes(sp::testing::json_text(answers)));
    return response;
  }

  FuzzInput& input_;
  bool& honest_;
};

void check_server(FuzzInput& input) {
  bool honest = true;
  const chain::testing::FakeClock clock;
  const auto endpoint =
      endpoint_over(std::make_unique<Server>(input, honest), "http://rpc", clock, 3);
  Chain chain(*endpoint);
  const Bytes seven{7};
  const auto single = chain.call(kContract, {});
  SP_CHECK(honest ? single.value() == seven : true);
  const std::vector<Chain::Read> reads(1 + input.below(2 * kRpcBatchMax), {kContract, {}});
  const auto results = chain.call_many(reads);
  SP_CHECK(results.size() == reads.size());
  for (const auto& result : results) {
    SP_CHECK(honest ? result.value() == seven : true);
    if (result) continue;
    for (const char c : result.error().message) SP_CHECK(c >= ' ' && c <= '~');
    const auto reverted = revert_data(result.error());
    SP_CHECK(!reverted || reverted->size() <= kRpcRevertDataMax);
  }
}

}  // namespace
}  // namespace sp::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  sp::testing::FuzzInput input(bytes);
  switch (data[0] % 3) {
    case 0:
      sp::chain::check_raw(bytes);
      break;
    case 1:
      sp::chain::check_built(input);
      break;
    default:
      sp::chain::check_server(input);
  }
  return 0;
}
