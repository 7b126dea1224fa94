// What a transaction bids that replaces one nobody took. Pure.
#pragma once

#include <optional>

#include "chain/rpc.hpp"

namespace sp::chain {

/// A replacement bids at least 9/8 of what it replaces: pools ask for a tenth more (go-ethereum's
/// txpool.pricebump) or an eighth (others).
inline constexpr std::uint64_t kBumpNumerator = 9;
inline constexpr std::uint64_t kBumpDenominator = 8;
/// Replacements never bid more than this many times what the first transaction did.
inline constexpr std::uint64_t kFeeGrowthMax = 16;

/// The fees of a replacement: an eighth more than `last` in both fields, or what is suggested now
/// where that is more; at most kFeeGrowthMax times `first`. Empty where that cap leaves less than
/// an eighth more: there is nothing left to bid.
std::optional<Fees> bumped_fees(const Fees& first, const Fees& last, const Fees& suggested);

}  // namespace sp::chain
