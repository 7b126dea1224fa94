// Reads what an endpoint answered: each field must have exactly the form of Ethereum's JSON-RPC
// (quantities "0x0", "0x1f" without leading zeros; data in whole bytes). Fields that nobody asks
// for are ignored, since endpoints add their own. Pure; safe to call from any thread.
#pragma once

#include <nlohmann/json.hpp>

#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::size_t kLogTopicsMax = 4;  // of the EVM

std::string quantity_text(std::uint64_t number);
std::string quantity_text(Amount amount);
/// Errc::malformed; Errc::too_large beyond 128 bits.
Result<Amount> quantity_amount(const Json& value, std::string_view where);
/// Errc::malformed, also beyond 64 bits.
Result<std::uint64_t> quantity(const Json& value, std::string_view where);
Result<Bytes> data_bytes(const Json& value, std::string_view where);

/// The parts of an answer's fields; Errc::malformed.
Result<Block> parse_block(const Json& value);
Result<Log> parse_log(const Json& value);
Result<TxReceipt> parse_receipt(const Json& value, const TxHash& asked);
/// As Chain::logs.
Result<std::vector<Log>> parse_logs(const Json& value, const LogFilter& filter);

/// The result of one answer object to the request `id` of `method`. Errc::refused with the
/// endpoint's words for an error; Errc::malformed.
Result<Json> parse_answer(const Json& answer, std::uint64_t id, const std::string& method);

}  // namespace sp::chain
