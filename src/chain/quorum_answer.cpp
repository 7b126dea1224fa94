#include "chain/quorum_answer.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.hpp"

namespace sp::chain {
namespace {

constexpr std::size_t kAnswerWordsMax = 100;

constexpr std::array<const char*, 5> kBlockFields{"number", "hash", "parentHash", "timestamp",
                                                  "baseFeePerGas"};
constexpr std::array<const char*, 7> kLogFields{
    "address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"};
constexpr std::array<const char*, 6> kReceiptFields{
    "transactionHash", "status", "blockNumber", "blockHash", "gasUsed", "contractAddress"};

std::string in_small_letters(std::string text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return text;
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Texts of a value and of the values of a list; nothing that we read is nested deeper.
Json small(const Json& value) {
  if (value.is_string()) return in_small_letters(value.get_ref<const std::string&>());
  if (!value.is_array()) return value;
  Json list = Json::array();
  for (const Json& element : value) {
    const bool text = element.is_string();
    list.push_back(text ? Json(in_small_letters(element.get_ref<const std::string&>())) : element);
  }
  return list;
}

// The named fields of an object, null where there are none. What isn't an object stays.
template <std::size_t N>
Json picked(const Json& object, const std::array<const char*, N>& names) {
  if (!object.is_object()) return object;
  Json kept = Json::object();
  for (const char* name : names) {
    const auto found = object.find(name);
    kept[name] = found == object.end() ? Json() : small(*found);
  }
  return kept;
}

Json comparable_logs(const Json& logs) {
  if (!logs.is_array()) return logs;
  // By their texts: whole numbers and fractions of a hostile answer have no order among them that
  // a sort could rely on.
  std::vector<std::pair<std::string, Json>> entries;
  for (const Json& entry : logs) {
    Json kept = picked(entry, kLogFields);
    const bool removed = entry.is_object() && entry.contains("removed") &&
                         !entry["removed"].is_null() && entry["removed"] != false;
    if (removed) kept["removed"] = true;
    std::string text = kept.dump(-1, ' ', false, Json::error_handler_t::replace);
    entries.emplace_back(std::move(text), std::move(kept));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Json list = Json::array();
  for (auto& [text, entry] : entries) list.push_back(std::move(entry));
  return list;
}

Json comparable_receipt(const Json& receipt) {
  if (!receipt.is_object()) return receipt;
  Json kept = picked(receipt, kReceiptFields);
  if (kept["blockHash"].is_null()) return {};
  const auto logs = receipt.find("logs");
  kept["logs"] = logs == receipt.end() ? Json() : comparable_logs(*logs);
  return kept;
}

std::string cut(const std::string& text) {
  return printable(text, kAnswerWordsMax) + (text.size() > kAnswerWordsMax ? "..." : "");
}

std::string value_words(const Json& value) {
  if (value.is_array()) return "a list of " + std::to_string(value.size());
  if (value.is_object() && value.contains("number") && value.contains("hash")) {
    return value_words(value["number"]) + " " + value_words(value["hash"]);
  }
  if (value.is_object()) return "an object";
  if (value.is_string()) return cut(value.get<std::string>());
  return value.is_null() ? "null" : "a value of another type";
}

}  // namespace

Result<Json> comparable(const std::string& method, Result<Json> answer) {
  if (!answer) return answer;
  if (method == "eth_getBlockByNumber") return picked(*answer, kBlockFields);
  if (method == "eth_getLogs") return comparable_logs(*answer);
  if (method == "eth_getTransactionReceipt") return comparable_receipt(*answer);
  return small(*answer);
}

bool is_refusal(const Error& error) {
  // A range of logs with too much in it is refused by some and answered beyond our limits by
  // others: both say no.
  return error.code == Errc::refused || error.code == Errc::too_large;
}

bool same_answer(const Result<Json>& a, const Result<Json>& b) {
  if (a && b) return *a == *b;
  if (a || b || !is_refusal(a.error()) || !is_refusal(b.error())) return false;
  return revert_data(a.error()) == revert_data(b.error());
}

std::string answer_words(const Result<Json>& answer) {
  if (answer) return value_words(*answer);
  const std::string words = " (" + cut(answer.error().message) + ")";
  return (is_refusal(answer.error()) ? "refuses" : "no answer") + words;
}

}  // namespace sp::chain
