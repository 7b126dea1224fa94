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
  for (const Placed& placed : shop.all()) {
    const auto status = must(town.market().order(placed.id)).status;
    EXPECT_TRUE(status == market::OrderStatus::settled || status == market::OrderStatus::closed);
  }
  RecordProperty("orders", static_cast<int>(shop.all().size()));
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
