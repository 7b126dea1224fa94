// What members of a quorum answered, in the one form in which answers are compared. Pure; safe to
// call from any thread.
#pragma once

#include "chain/rpc.hpp"

namespace sp::chain {

/// How an answer to `method` is compared: of blocks, logs and receipts the fields that rpc_json.hpp
/// reads and "baseFeePerGas", logs in one order, a receipt without a block as null, hexadecimal in
/// small letters. Errors stay as they are.
Result<Json> comparable(const std::string& method, Result<Json> answer);

/// Whether the endpoint said no for itself (a revert, a range that it won't answer), rather than
/// not at all.
bool is_refusal(const Error& error);

/// Two comparable answers say the same: equal values, or refusals with the same revert data.
bool same_answer(const Result<Json>& a, const Result<Json>& b);

/// A few words for people: the beginning of a value, "refuses (words)", "no answer (words)".
std::string answer_words(const Result<Json>& answer);

}  // namespace sp::chain
