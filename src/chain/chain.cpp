// The typed calls of Chain.
#include "chain/rpc.hpp"
#include "chain/rpc_json.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

Json tag_text(const BlockTag& tag) {
  return tag.number ? Json(quantity_text(*tag.number)) : Json("latest");
}

Json call_object(const std::optional<Address>& from, const std::optional<Address>& to,
                 ByteView data, Amount value) {
  Json object = {{"data", to_hex0x(data)}};
  if (from) object["from"] = from->hex0x();
  if (to) object["to"] = to->hex0x();
  if (value.units() != 0) object["value"] = quantity_text(value);
  return object;
}

// From the answers to eth_getBlockByNumber and eth_maxPriorityFeePerGas.
Result<Fees> fees_of(const Result<Json>& block, const Result<Json>& tip) {
  if (!block) return block.error();
  const bool has_base = block->is_object() && block->contains("baseFeePerGas");
  if (!has_base) return Error{Errc::unsupported, "the chain has no base fee (EIP-1559)"};
  SP_ASSIGN(const Amount base, quantity_amount((*block)["baseFeePerGas"], "baseFeePerGas"));
  Fees fees;
  fees.max_priority_fee_per_gas = Amount(kTipDefault);
  if (tip) {
    SP_ASSIGN(fees.max_priority_fee_per_gas, quantity_amount(*tip, "maxPriorityFeePerGas"));
  } else if (tip.error().code != Errc::refused) {
    return tip.error();
  }
  SP_ASSIGN(const Amount twice, base.plus(base));
  SP_ASSIGN(fees.max_fee_per_gas, twice.plus(fees.max_priority_fee_per_gas));
  return fees;
}

}  // namespace

Result<std::uint64_t> Chain::chain_id() {
  SP_ASSIGN(const Json answer, endpoint_.call("eth_chainId", Json::array()));
  return quantity(answer, "chain id");
}

Result<Block> Chain::block(BlockTag tag) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_getBlockByNumber", Json::array({tag_text(tag), false})));
  if (answer.is_null()) return Error{Errc::not_found, "the endpoint has no such block"};
  SP_ASSIGN(const Block block, parse_block(answer));
  if (tag.number && block.number != *tag.number) {
    return Error{Errc::malformed, "the endpoint answers with block " +
                                      std::to_string(block.number) + ", asked for " +
                                      std::to_string(*tag.number)};
  }
  return block;
}

Result<Amount> Chain::balance(const Address& account) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_getBalance", Json::array({account.hex0x(), "latest"})));
  return quantity_amount(answer, "balance");
}

Result<std::uint64_t> Chain::nonce(const Address& account, bool pending) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_getTransactionCount",
                           Json::array({account.hex0x(), pending ? "pending" : "latest"})));
  return quantity(answer, "nonce");
}

Result<std::uint64_t> Chain::nonce_at(const Address& account, BlockTag tag) {
  SP_ASSIGN(const Json answer, endpoint_.call("eth_getTransactionCount",
                                              Json::array({account.hex0x(), tag_text(tag)})));
  return quantity(answer, "nonce");
}

Result<Bytes> Chain::code(const Address& account, BlockTag tag) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_getCode", Json::array({account.hex0x(), tag_text(tag)})));
  return data_bytes(answer, "code");
}

Result<Bytes> Chain::call(const Address& to, ByteView data, BlockTag tag,
                          const std::optional<Address>& from) {
  SP_ASSIGN(
      const Json answer,
      endpoint_.call("eth_call", Json::array({call_object(from, to, data, {}), tag_text(tag)})));
  return data_bytes(answer, "eth_call result");
}

std::vector<Result<Bytes>> Chain::call_many(const std::vector<Read>& reads, BlockTag tag) {
  std::vector<Result<Bytes>> results;
  while (results.size() < reads.size()) {
    const std::size_t count = std::min(reads.size() - results.size(), kRpcBatchMax);
    Json params = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      const Read& read = reads[results.size() + i];
      params.push_back(Json::array({call_object({}, read.to, read.data, {}), tag_text(tag)}));
    }
    const std::vector<std::string> methods(count, "eth_call");
    for (const Result<Json>& answer : endpoint_.call_many(methods, params)) {
      results.push_back(answer ? data_bytes(*answer, "eth_call result") : answer.error());
    }
  }
  return results;
}

Result<std::uint64_t> Chain::estimate_gas(const Address& from, const std::optional<Address>& to,
                                          ByteView data, Amount value) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_estimateGas", Json::array({call_object(from, to, data, value)})));
  return quantity(answer, "gas estimate");
}

Result<TxOutlook> Chain::outlook(const Address& from, const std::optional<Address>& to,
                                 ByteView data, Amount value) {
  const auto answers =
      endpoint_.call_many({"eth_estimateGas", "eth_getTransactionCount", "eth_getBlockByNumber",
                           "eth_maxPriorityFeePerGas"},
                          Json::array({Json::array({call_object(from, to, data, value)}),
                                       Json::array({from.hex0x(), "pending"}),
                                       Json::array({"latest", false}), Json::array()}));
  SP_CHECK(answers.size() == 4);
  if (!answers[0]) return answers[0].error();
  if (!answers[1]) return answers[1].error();
  TxOutlook outlook;
  SP_ASSIGN(outlook.gas, quantity(*answers[0], "gas estimate"));
  SP_ASSIGN(outlook.nonce, quantity(*answers[1], "nonce"));
  SP_ASSIGN(outlook.fees, fees_of(answers[2], answers[3]));
  return outlook;
}

Result<Fees> Chain::suggest_fees() {
  const auto answers =
      endpoint_.call_many({"eth_getBlockByNumber", "eth_maxPriorityFeePerGas"},
                          Json::array({Json::array({"latest", false}), Json::array()}));
  SP_CHECK(answers.size() == 2);
  return fees_of(answers[0], answers[1]);
}

Result<TxHash> Chain::send_raw(ByteView transaction) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_sendRawTransaction", Json::array({to_hex0x(transaction)})));
  SP_ASSIGN(const Bytes hash, data_bytes(answer, "transaction hash"));
  const Digest32 expected = crypto::keccak256(transaction);
  if (hash != to_bytes(expected.view())) {
    return Error{Errc::mismatch, "the endpoint names the transaction " +
                                     to_hex0x(hash).substr(0, 80) + ", it is " + expected.hex0x()};
  }
  return TxHash::from(hash);
}

Result<std::optional<TxReceipt>> Chain::receipt(const TxHash& hash) {
  SP_ASSIGN(const Json answer,
            endpoint_.call("eth_getTransactionReceipt", Json::array({hash.hex0x()})));
  // Some endpoints give pending transactions a receipt without a block.
  if (answer.is_null() ||
      (answer.is_object() && answer.contains("blockHash") && answer["blockHash"].is_null())) {
    return std::optional<TxReceipt>();
  }
  SP_ASSIGN(TxReceipt receipt, parse_receipt(answer, hash));
  return std::optional<TxReceipt>(std::move(receipt));
}

Result<std::vector<Log>> Chain::logs(const LogFilter& filter) {
  Json topics = Json::array();
  for (const auto& topic : filter.topics) topics.push_back(topic ? Json(topic->hex0x()) : Json());
  const Json asked = {{"address", filter.address.hex0x()},
                      {"topics", topics},
                      {"fromBlock", quantity_text(filter.from_block)},
                      {"toBlock", quantity_text(filter.to_block)}};
  SP_ASSIGN(const Json answer, endpoint_.call("eth_getLogs", Json::array({asked})));
  return parse_logs(answer, filter);
}

}  // namespace sp::chain
