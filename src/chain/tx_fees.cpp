#include "chain/tx_fees.hpp"

#include <algorithm>

namespace sp::chain {
namespace {

// At least one unit more: an eighth of nothing is nothing.
std::optional<Amount> raised(Amount last) {
  const auto eighth_more = last.scaled_up(kBumpNumerator, kBumpDenominator);
  const auto one_more = last.plus(Amount(1));
  if (!eighth_more || !one_more) return std::nullopt;
  return std::max(*eighth_more, *one_more);
}

}  // namespace

std::optional<Fees> bumped_fees(const Fees& first, const Fees& last, const Fees& suggested) {
  const auto least = raised(last.max_fee_per_gas);
  const auto least_tip = raised(last.max_priority_fee_per_gas);
  const auto cap = first.max_fee_per_gas.scaled_down(kFeeGrowthMax, 1);
  if (!least || !least_tip || !cap || *least > *cap) return std::nullopt;
  Fees fees;
  fees.max_fee_per_gas = std::min(std::max(*least, suggested.max_fee_per_gas), *cap);
  // EIP-1559: the tip is part of the fee.
  fees.max_priority_fee_per_gas =
      std::min(std::max(*least_tip, suggested.max_priority_fee_per_gas), fees.max_fee_per_gas);
  if (fees.max_priority_fee_per_gas < *least_tip) return std::nullopt;
  return fees;
}

}  // namespace sp::chain
