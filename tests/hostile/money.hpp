// What tests about money share: the shop, an impostor, and the requests that the broker has kept.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "impostor.hpp"

namespace sp::hostile {

class MoneyTest : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override {
    town.behave();
    town.rpc("evm_setAutomine", Json::array({true}));
    shop.rest();
  }
  std::vector<broker::KeptRequest> kept(const api::OrderId& order) {
    broker::BrokerClient client(town.http(), town.network().broker.url);
    return must(client.requests(order));
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  Impostor impostor{shop};
};

}  // namespace sp::hostile
