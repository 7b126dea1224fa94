#include "market/pricing.hpp"

#include <algorithm>

namespace sp::market {
namespace {

constexpr std::uint64_t kSecondsPerHour = 3600;

Result<Amount> sum(const std::vector<Amount>& amounts) {
  Amount total;
  for (const Amount amount : amounts) {
    SP_ASSIGN(total, total.plus(amount));
  }
  return total;
}

Result<Amount> price_down(const Part& part, std::uint64_t seconds) {
  if (part.price_type == api::PriceType::fixed) return part.price;
  return part.price.scaled_down(seconds, kSecondsPerHour);
}

bool pays_work(api::Outcome outcome) {
  switch (outcome) {
    case api::Outcome::success:
    case api::Outcome::workload:
    case api::Outcome::cancelled:
      return true;
    case api::Outcome::input:
    case api::Outcome::provider:
      return false;
  }
  return false;
}

bool is_opened(const Receipt& receipt, std::size_t part) {
  return receipt.started && (receipt.opened >> part & 1U) != 0;
}

// What the provider's deposit answers for.
Amount exposed(const Terms& terms, const Part& part) {
  const bool own = part.owner == terms.customer;
  return !own && part.price_type == api::PriceType::fixed ? part.price : Amount();
}

}  // namespace

Result<Amount> part_price(const Part& part, std::uint64_t seconds) {
  if (part.price_type == api::PriceType::fixed) return part.price;
  return part.price.scaled_up(seconds, kSecondsPerHour);
}

Result<std::vector<Amount>> price_list(const Terms& terms, std::uint16_t attempt) {
  SP_ASSIGN(const Compute compute, terms.compute_of(attempt, 0));
  SP_ASSIGN(const Amount time,
            compute.price_per_hour.scaled_up(terms.ordered_seconds, kSecondsPerHour));
  std::vector<Amount> prices(1 + terms.parts.size());
  SP_ASSIGN(prices[0], compute.base_fee.plus(time));
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    SP_ASSIGN(prices[1 + i], part_price(terms.parts[i], terms.ordered_seconds));
  }
  return prices;
}

Result<Amount> required_deposit(const Terms& terms, std::uint16_t attempt) {
  SP_ASSIGN(const std::vector<Amount> prices, price_list(terms, attempt));
  return sum(prices);
}

Result<Amount> exposure(const Terms& terms) {
  std::vector<Amount> fixed;
  for (const Part& part : terms.parts) fixed.push_back(exposed(terms, part));
  return sum(fixed);
}

Amount claimable(const Terms& terms, std::size_t part) {
  if (part >= terms.parts.size() || terms.parts[part].kind == api::PartKind::storage) return {};
  return exposed(terms, terms.parts[part]);
}

bool leaves_claims(const Terms& terms, const Receipt& receipt) {
  for (std::size_t part = 0; part < terms.parts.size(); ++part) {
    if (!is_opened(receipt, part) && claimable(terms, part) != Amount()) return true;
  }
  return false;
}

Result<Settlement> settlement(const Terms& terms, const Receipt& receipt,
                              std::uint64_t chain_seconds) {
  SP_ASSIGN(const Compute compute, terms.compute_of(receipt.run.attempt, receipt.run.replica));
  SP_ASSIGN(const Amount deposited, required_deposit(terms, receipt.run.attempt));
  const std::uint64_t billable =
      std::min({receipt.duration_ms / 1000, chain_seconds, std::uint64_t{terms.ordered_seconds}});
  Settlement result;
  result.parts.resize(terms.parts.size());
  result.from_lock.resize(terms.parts.size());
  if (receipt.outcome == api::Outcome::input) result.compute = compute.base_fee;
  if (pays_work(receipt.outcome)) {
    SP_ASSIGN(const Amount time, compute.price_per_hour.scaled_down(billable, kSecondsPerHour));
    SP_ASSIGN(result.compute, compute.base_fee.plus(time));
  }
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    const Part& part = terms.parts[i];
    if (!is_opened(receipt, i)) continue;
    if (pays_work(receipt.outcome)) {
      SP_ASSIGN(result.parts[i], price_down(part, billable));
    }
    if (receipt.outcome == api::Outcome::provider) result.from_lock[i] = exposed(terms, part);
  }
  SP_ASSIGN(const Amount parts_paid, sum(result.parts));
  SP_ASSIGN(const Amount paid, result.compute.plus(parts_paid));
  SP_ASSIGN(result.refund, deposited.minus(paid));
  return result;
}

}  // namespace sp::market
