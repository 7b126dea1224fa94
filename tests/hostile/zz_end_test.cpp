// The end of the town, behind all other tests: every order has ended, and every token is where the
// books say.
#include <gtest/gtest.h>

#include "base/testing/must.hpp"
#include "orders.hpp"

namespace sp::hostile {
namespace {

// Without an own turn where a single test is chosen: there is nothing to end then but its orders.
TEST(ZzEnd, EveryOrderEndsAndNoTokenIsLost) {
  Shop& shop = Shop::get();
  Town& town = shop.town();
  town.behave();
  shop.rest();
  std::int64_t longest = 0;
  for (const Placed& placed : shop.all()) {
    longest = std::max(longest, std::int64_t{placed.terms.settle_by} + placed.terms.settle_window +
                                    placed.terms.claim_window);
  }
  town.pass_time(longest + 1);
  std::size_t closed = 0;
  for (const Placed& placed : shop.all()) {
    if (must(town.market().order(placed.id)).status != market::OrderStatus::open) continue;
    must(town.send(town.customer(), town.market().close(placed.terms)));
    ++closed;
  }
  RecordProperty("orders", static_cast<int>(shop.all().size()));
  RecordProperty("closed", static_cast<int>(closed));
  const Books books = shop.books();
  Money credits = 0, deposits = 0;
  for (const auto& [account, amount] : books) {
    const bool locked = account.starts_with("locked:") && amount != 0;
    EXPECT_FALSE(locked) << account;
    if (account.starts_with("credit:")) credits += amount;
    if (account.starts_with("deposit:")) deposits += amount;
  }
  EXPECT_TRUE(books.at("token:market") == credits);
  EXPECT_TRUE(books.at("token:registry") == deposits);
}

}  // namespace
}  // namespace sp::hostile
