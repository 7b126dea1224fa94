// What the tests of the chain's bad days share: a chain that takes back its newest blocks, and
// orders that are held at a named stage while it does.
#pragma once

#include <gtest/gtest.h>

#include <atomic>

#include "orders.hpp"

namespace sp::hostile {

class Days : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override;

  /// Replaces the newest `depth` blocks by as many empty ones; `back`, a transaction as it was
  /// sent, is in the first of them.
  void reorganise(int depth, const std::string& back = "");
  void mine(int blocks);
  /// The transaction that created the order, as it was sent.
  std::string creation_of(const Placed& placed);
  void send_raw(const std::string& raw);
  void automine(bool on);
  void wait_until(const std::function<bool()>& holds, const std::string& what = "");
  market::OrderStatus status_of(const Placed& placed);

  /// Holds every request to this path until go(); reached() once one has come.
  void hold(HostileProxy& proxy, const std::string& path);
  void hold_transactions();
  [[nodiscard]] bool reached() const { return reached_; }
  void go() { go_ = true; }

  Shop& shop = Shop::get();
  Town& town = shop.town();

 private:
  std::atomic<bool> reached_ = false;
  std::atomic<bool> go_ = false;
};

/// Deeper than any reorganisation of these tests: empty blocks between one order and the next.
inline constexpr int kApart = 14;

}  // namespace sp::hostile
