#include "books.hpp"

#include "base/testing/must.hpp"

namespace sp::hostile {
namespace {

constexpr Money kHour = 3600;

Money money(const Amount& amount) { return static_cast<Money>(amount.units()); }

std::string text(Money amount) {
  const bool negative = amount < 0;
  const std::string digits =
      Amount(static_cast<Amount::Number>(negative ? -amount : amount)).text();
  return (negative ? "-" : "+") + digits;
}

Money hourly_up(const Amount& price, Money seconds) {
  return (money(price) * seconds + kHour - 1) / kHour;
}
Money hourly_down(const Amount& price, Money seconds) { return money(price) * seconds / kHour; }

const std::string& name_of(const People& people, const Address& address) {
  for (const auto& [name, account] : people) {
    if (account == address) return name;
  }
  throw std::runtime_error("nobody has the account " + address.hex0x());
}

bool works(api::Outcome outcome) {
  return outcome == api::Outcome::success || outcome == api::Outcome::workload ||
         outcome == api::Outcome::cancelled;
}

Money part_earns(const api::Part& part, Money seconds) {
  return part.price_type == api::PriceType::fixed ? money(part.price)
                                                  : hourly_down(part.price, seconds);
}

Money compute_earns(const api::Compute& compute, api::Outcome outcome, Money seconds) {
  if (outcome == api::Outcome::provider) return 0;
  if (outcome == api::Outcome::input) return money(compute.base_fee);
  return money(compute.base_fee) + hourly_down(compute.price_per_hour, seconds);
}

}  // namespace

Books read_books(Town& town, const People& people) {
  Books books;
  const Address token = town.network().token;
  for (const auto& [name, account] : people) {
    books["token:" + name] = money(must(town.token().balance(account)));
    books["credit:" + name] = money(must(town.market().balance(account, token)));
    const auto [deposit, locked] = must(town.market().deposit_of(account, token));
    books["deposit:" + name] = money(deposit);
    books["locked:" + name] = money(locked);
  }
  return books;
}

Changes changes(const Books& before, const Books& after) {
  Moves moves;
  for (const auto& [account, amount] : after) moves.add(account, amount);
  for (const auto& [account, amount] : before) moves.add(account, -amount);
  return moves.list();
}

Money all_tokens(const Books& books) {
  Money all = 0;
  for (const auto& [account, amount] : books) {
    if (account.starts_with("token:")) all += amount;
  }
  return all;
}

Moves& Moves::add(const std::string& account, Money amount) {
  moved_[account] += amount;
  return *this;
}

Changes Moves::list() const {
  Changes list;
  for (const auto& [account, amount] : moved_) {
    if (amount != 0) list[account] = text(amount);
  }
  return list;
}

Money required(const api::Terms& terms) {
  const api::Compute& compute = terms.choices[0];
  const Money seconds = terms.ordered_seconds;
  Money all = money(compute.base_fee) + hourly_up(compute.price_per_hour, seconds);
  for (const api::Part& part : terms.parts) {
    all += part.price_type == api::PriceType::fixed ? money(part.price)
                                                    : hourly_up(part.price, seconds);
  }
  return all;
}

Money exposed(const api::Part& part, const Address& customer) {
  const bool counts = part.price_type == api::PriceType::fixed && part.owner != customer;
  return counts ? money(part.price) : 0;
}

Money claimable(const api::Part& part, const Address& customer) {
  return part.kind == api::PartKind::storage ? 0 : exposed(part, customer);
}

Changes settled_changes(const api::Terms& terms, const api::Receipt& receipt, std::int64_t seconds,
                        const People& people) {
  const Money billable = std::min({static_cast<Money>(receipt.duration_ms / 1000),
                                   static_cast<Money>(seconds), Money{terms.ordered_seconds}});
  const std::string customer = name_of(people, terms.customer);
  const std::string provider = name_of(people, terms.choices[0].provider);
  const Money deposit = required(terms);
  Money paid = compute_earns(terms.choices[0], receipt.outcome, billable);
  Money from_lock = 0;
  Moves moves;
  moves.add("credit:" + provider, paid);
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    const api::Part& part = terms.parts[i];
    const bool by_lock = receipt.outcome == api::Outcome::provider;
    const bool earns = receipt.started && (receipt.opened >> i & 1U) == 1;
    if (!earns || (!by_lock && !works(receipt.outcome))) {
      moves.add("locked:" + provider, claimable(part, terms.customer));
      continue;
    }
    const Money earned = by_lock ? exposed(part, terms.customer) : part_earns(part, billable);
    (by_lock ? from_lock : paid) += earned;
    moves.add("credit:" + name_of(people, part.owner), earned);
  }
  moves.add("token:" + customer, -deposit).add("token:market", deposit + from_lock);
  moves.add("token:registry", -from_lock).add("deposit:" + provider, -from_lock);
  moves.add("credit:" + customer, deposit - paid);
  return moves.list();
}

Changes closed_changes(const api::Terms& terms, const std::vector<std::size_t>& claimed,
                       const People& people) {
  const std::string customer = name_of(people, terms.customer);
  const Money deposit = required(terms);
  Moves moves;
  moves.add("token:" + customer, -deposit).add("token:market", deposit);
  moves.add("credit:" + customer, deposit);
  for (const std::size_t part : claimed) {
    const Money price = exposed(terms.parts.at(part), terms.customer);
    moves.add("token:registry", -price).add("token:market", price);
    moves.add("deposit:" + name_of(people, terms.choices[0].provider), -price);
    moves.add("credit:" + name_of(people, terms.parts[part].owner), price);
  }
  return moves.list();
}

}  // namespace sp::hostile
