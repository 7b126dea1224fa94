#include "chain/rpc_json.hpp"

#include <algorithm>

#include "base/printable.hpp"

namespace sp::chain {
namespace {

Error malformed(std::string_view where, std::string_view what) {
  return {Errc::malformed, "the endpoint's " + std::string(where) + " " + std::string(what)};
}

const Json kAbsent;
constexpr int kRpcLimitExceeded = -32005;

// The member of an object; null where there is none.
const Json& member(const Json& object, const char* name) {
  if (!object.is_object()) return kAbsent;
  const auto found = object.find(name);
  return found == object.end() ? kAbsent : *found;
}

template <class Fixed>
Result<Fixed> fixed(const Json& value, std::string_view where) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.starts_with("0x")) {
      if (auto read = Fixed::from_hex(text)) return read;
    }
  }
  return malformed(where, "must be 0x and " + std::to_string(Fixed::kSize * 2) + " digits");
}

Result<std::uint64_t> number_field(const Json& object, const char* name) {
  return quantity(member(object, name), name);
}

template <class Fixed>
Result<Fixed> fixed_field(const Json& object, const char* name) {
  return fixed<Fixed>(member(object, name), name);
}

Error refused(const Json& error, const std::string& method) {
  const Json& words = member(error, "message");
  std::string message = method + ": ";
  message +=
      words.is_string() ? printable(words.get_ref<const std::string&>(), kRpcWordsMax) : "refused";
  const Json& code = member(error, "code");
  if (code.is_number_integer()) message += " (" + std::to_string(code.get<std::int64_t>()) + ")";
  const auto data = data_bytes(member(error, "data"), "data");
  if (data && !data->empty() && data->size() <= kRpcRevertDataMax) {
    message += ", data " + to_hex0x(*data);
  }
  // EIP-1474: "limit exceeded" is about how often one asks, not about what; but some say so of too
  // many logs in one answer, which asking later doesn't change.
  const bool of_size = method == "eth_getLogs" && message.find("results") != std::string::npos;
  const bool later = code.is_number_integer() && code == kRpcLimitExceeded && !of_size;
  return {later ? Errc::unavailable : Errc::refused, message};
}

bool before(const Log& a, const Log& b) {
  return std::pair(a.block_number, a.index) < std::pair(b.block_number, b.index);
}

bool matches(const Log& entry, const LogFilter& filter) {
  if (entry.address != filter.address || entry.block_number < filter.from_block ||
      entry.block_number > filter.to_block || entry.topics.size() < filter.topics.size()) {
    return false;
  }
  for (std::size_t i = 0; i < filter.topics.size(); ++i) {
    if (filter.topics[i] && *filter.topics[i] != entry.topics[i]) return false;
  }
  return true;
}

}  // namespace

std::string quantity_text(std::uint64_t number) { return quantity_text(Amount(number)); }

std::string quantity_text(Amount amount) {
  std::string digits = amount.word().hex();
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return "0x" + digits;
}

Result<Amount> quantity_amount(const Json& value, std::string_view where) {
  const std::string* text = value.is_string() ? &value.get_ref<const std::string&>() : nullptr;
  if (text == nullptr || !text->starts_with("0x") || text->size() < 3 ||
      (text->size() > 3 && (*text)[2] == '0')) {
    return malformed(where, "must be a quantity such as 0x1f");
  }
  if (text->size() > 2 + 32) return Error{Errc::too_large, std::string(where) + " beyond 128 bits"};
  Digest32 word;
  if (!from_hex_into(std::string(66 - text->size(), '0') + text->substr(2), word.data)) {
    return malformed(where, "must be a quantity such as 0x1f");
  }
  return Amount::from_word(word);
}

Result<std::uint64_t> quantity(const Json& value, std::string_view where) {
  const auto amount = quantity_amount(value, where);
  if (!amount || amount->units() > ~std::uint64_t{0}) {
    return malformed(where, "must be a quantity of at most 64 bits");
  }
  return static_cast<std::uint64_t>(amount->units());
}

Result<Bytes> data_bytes(const Json& value, std::string_view where) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text.starts_with("0x")) {
      if (auto bytes = from_hex(text)) return bytes;
    }
  }
  return malformed(where, "must be 0x and pairs of digits");
}

Result<Block> parse_block(const Json& value) {
  Block block;
  SP_ASSIGN(block.number, number_field(value, "number"));
  SP_ASSIGN(block.hash, fixed_field<BlockHash>(value, "hash"));
  SP_ASSIGN(block.parent, fixed_field<BlockHash>(value, "parentHash"));
  SP_ASSIGN(const std::uint64_t time, number_field(value, "timestamp"));
  if (time > std::uint64_t{1} << 40) return malformed("timestamp", "is out of range");
  block.time = static_cast<std::int64_t>(time);
  return block;
}

Result<Log> parse_log(const Json& value) {
  Log entry;
  SP_ASSIGN(entry.address, fixed_field<Address>(value, "address"));
  const Json& topics = member(value, "topics");
  if (!topics.is_array() || topics.size() > kLogTopicsMax) {
    return malformed("topics", "must be a list of at most 4");
  }
  for (const Json& topic : topics) {
    SP_ASSIGN(const Digest32 word, fixed<Digest32>(topic, "topic"));
    entry.topics.push_back(word);
  }
  SP_ASSIGN(entry.data, data_bytes(member(value, "data"), "data"));
  SP_ASSIGN(entry.block_number, number_field(value, "blockNumber"));
  SP_ASSIGN(entry.block_hash, fixed_field<BlockHash>(value, "blockHash"));
  SP_ASSIGN(entry.tx_hash, fixed_field<TxHash>(value, "transactionHash"));
  SP_ASSIGN(entry.index, number_field(value, "logIndex"));
  const Json& removed = member(value, "removed");
  if (!removed.is_null() && removed != false) return malformed("log", "is a removed one");
  return entry;
}

Result<TxReceipt> parse_receipt(const Json& value, const TxHash& asked) {
  TxReceipt receipt;
  SP_ASSIGN(receipt.tx_hash, fixed_field<TxHash>(value, "transactionHash"));
  if (receipt.tx_hash != asked) return malformed("receipt", "is of another transaction");
  SP_ASSIGN(const std::uint64_t status, number_field(value, "status"));
  if (status > 1) return malformed("status", "must be 0x0 or 0x1");
  receipt.success = status == 1;
  SP_ASSIGN(receipt.block_number, number_field(value, "blockNumber"));
  SP_ASSIGN(receipt.block_hash, fixed_field<BlockHash>(value, "blockHash"));
  SP_ASSIGN(receipt.gas_used, number_field(value, "gasUsed"));
  if (!member(value, "contractAddress").is_null()) {
    SP_ASSIGN(receipt.contract, fixed_field<Address>(value, "contractAddress"));
  }
  const Json& logs = member(value, "logs");
  if (!logs.is_array()) return malformed("logs", "must be a list");
  if (logs.size() > kRpcLogsMax) return Error{Errc::too_large, "too many logs in a receipt"};
  for (const Json& entry : logs) {
    SP_ASSIGN(Log parsed, parse_log(entry));
    if (parsed.tx_hash != asked || parsed.block_hash != receipt.block_hash ||
        parsed.block_number != receipt.block_number) {
      return malformed("receipt", "has a log of another transaction");
    }
    receipt.logs.push_back(std::move(parsed));
  }
  return receipt;
}

Result<std::vector<Log>> parse_logs(const Json& value, const LogFilter& filter) {
  if (!value.is_array()) return malformed("logs", "must be a list");
  if (value.size() > kRpcLogsMax) {
    return Error{Errc::too_large, std::to_string(value.size()) + " logs in one answer, at most " +
                                      std::to_string(kRpcLogsMax)};
  }
  std::vector<Log> logs;
  for (const Json& entry : value) {
    SP_ASSIGN(Log parsed, parse_log(entry));
    if (!matches(parsed, filter)) return malformed("log", "doesn't match the filter");
    logs.push_back(std::move(parsed));
  }
  std::sort(logs.begin(), logs.end(), before);
  for (std::size_t i = 1; i < logs.size(); ++i) {
    const Log& last = logs[i - 1];
    if (!before(last, logs[i])) return malformed("logs", "hold one log twice");
    if (last.block_number == logs[i].block_number && last.block_hash != logs[i].block_hash) {
      return malformed("logs", "are of two blocks with one number");
    }
  }
  return logs;
}

Result<Json> parse_answer(const Json& answer, std::uint64_t id, const std::string& method) {
  if (!answer.is_object()) return malformed("answer", "must be an object");
  if (member(answer, "jsonrpc") != "2.0") return malformed("answer", "isn't JSON-RPC 2.0");
  const Json& error = member(answer, "error");
  if (!error.is_null()) return refused(error, method);
  if (member(answer, "id") != id) return malformed("answer", "is to another request");
  const auto result = answer.find("result");
  if (result == answer.end()) return malformed("answer", "has no result");
  return *result;
}

std::optional<Bytes> revert_data(const Error& error) {
  constexpr std::string_view kMark = ", data 0x";
  const std::size_t at = error.message.rfind(kMark);
  if (error.code != Errc::refused || at == std::string::npos) return {};
  auto data = from_hex(std::string_view(error.message).substr(at + kMark.size()));
  if (!data) return {};
  return std::move(*data);
}

}  // namespace sp::chain
