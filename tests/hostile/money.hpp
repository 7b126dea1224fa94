// What tests about money share: the shop, an impostor, and the requests that the broker has kept.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "impostor.hpp"

namespace sp::hostile {

class MoneyTest : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override {
    go = true;
    town.behave();
    town.rpc("evm_setAutomine", Json::array({true}));
    shop.rest();
  }
  std::vector<broker::KeptRequest> kept(const api::OrderId& order) {
    broker::BrokerClient client(town.http(), town.network().broker.url);
    return must(client.requests(order));
  }
  /// Loaders can't store their results until `go`.
  void hold_results() {
    town.provider_store->on_request([this](net::HttpRequest& request) {
      const bool held = request.method == "PUT";
      if (held) has_result = true;
      while (held && !go) town.clock().sleep_for(std::chrono::milliseconds(2));
      return std::optional<net::HttpResponse>();
    });
  }

  std::atomic<bool> has_result = false;
  std::atomic<bool> go = false;

  Shop& shop = Shop::get();
  Town& town = shop.town();
  Impostor impostor{shop};
};

}  // namespace sp::hostile
