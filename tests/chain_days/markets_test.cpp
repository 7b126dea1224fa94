// Several chains at once: one broker, one provider, one store, chains with different ids and the
// same contracts at the same addresses, a customer on each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "side_chain.hpp"
#include "spctl/order_plan.hpp"

namespace sp::hostile {
namespace {

class Markets : public testing::Test {
 protected:
  void SetUp() override {
    town.behave();
    for (const bool provider : {false, true}) {
      town.reconfigure(provider ? "provider" : "broker", [&](Json& json) {
        json["markets"].push_back(left.market(provider));
        json["markets"].push_back(right.market(provider));
      });
    }
  }
  void TearDown() override {
    left.signal(SIGCONT);
    right.signal(SIGCONT);
    for (const char* name : {"broker", "provider"}) {
      town.reconfigure(name,
                       [](Json& json) { json["markets"] = Json::array({json["markets"][0]}); });
    }
  }
  api::OrderId id_on(SideChain& chain, const api::Terms& terms) {
    return terms.order_id(chain.network().market);
  }
  market::OrderStatus status_on(SideChain& chain, const api::Terms& terms) {
    return must(chain.session().market.order(id_on(chain, terms))).status;
  }
  /// Terms that both chains' markets take.
  api::Terms agree() {
    broker::ReleasePolicy policy = shop.own_policy();
    policy.chains = {{left.network().market, 1}, {right.network().market, 1}};
    const Sealed image = town.seal(town.image());
    must(shop.deposit(town.customer(), image.package, policy, {image.key.clone(), SecretBytes()}));
    const Secret32 secret = crypto::random_secret<32>(town.random());
    const api::Arguments arguments{{"exit", "0"}, {}};
    spctl::TermsInput input;
    input.resources.seconds = 20;
    input.resources.memory_mib = 64;
    input.resources.disk_mib = 48;
    input.resources.pids = 32;
    input.customer = town.customer().address();
    input.result_key = crypto::X25519KeyPair::generate(town.random()).public_key;
    input.salt = crypto::random_fixed<Digest32>(town.random());
    input.argument_commitment = api::argument_commitment(secret, arguments);
    input.compute = left.compute();
    input.storage = left.storage();
    input.solution =
        spctl::own_part(api::PartKind::solution, image.package, input.customer, left.network());
    must(shop.deposit(town.customer(), input.argument_commitment, policy,
                      {secret.clone(), SecretBytes(arguments.encode())}));
    return must(spctl::build_terms(input, left.network()));
  }
  void create(SideChain& chain, const api::Terms& terms) {
    chain.give(town.customer());
    must(chain.send(town.customer(), chain.session().token.approve(chain.network().market.contract,
                                                                   Amount(~Amount::Number{0}))));
    must(chain.send(town.customer(), chain.session().market.create(
                                         terms, spctl::build_hints(terms, chain.network()))));
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  // A new chain is a new id: daemons remember what they read of the old one.
  static inline std::uint64_t last_id = 41'000;
  SideChain left{town, ++last_id}, right{town, ++last_id};
};

TEST_F(Markets, EachCustomersOrderCompletesOnItsOwnChain) {
  ASSERT_EQ(left.network().market.contract, right.network().market.contract);
  auto other = std::async(std::launch::async, [this] { return right.run({"exit", "7"}); });
  EXPECT_EQ(left.run({"exit", "5"}), 5);
  EXPECT_EQ(other.get(), 7);
  // The town's own chain is served as before.
  shop.expect_settled(shop.place({.bought = true}), api::Outcome::success);
  const Path state = town.home() / "provider" / "state";
  for (const SideChain* chain : {&left, &right}) {
    const std::string name = std::to_string(chain->network().market.chain_id) + "-" +
                             chain->network().market.contract.hex().substr(0, 8);
    const auto orders = must(town.files().list(state / ("market-" + name) / "orders"));
    EXPECT_EQ(orders.size(), 1U) << "a ledger of its own";
  }
}

TEST_F(Markets, WhatSettlesOnOneChainSettlesNothingOnAnother) {
  const api::Terms terms = agree();
  ASSERT_NE(id_on(left, terms), id_on(right, terms));
  create(left, terms);
  EXPECT_EQ(shop.wait(id_on(left, terms)).state, "settled");
  const api::Finish finish = shop.finish_of(id_on(left, terms));
  ASSERT_TRUE(finish.attestation && finish.receipt);
  town.stop_provider();
  create(right, terms);
  const auto settled = right.send(
      town.action(), right.session().market.settle(terms, *finish.attestation, *finish.receipt));
  ASSERT_FALSE(settled.ok());
  // Same terms, same contracts: the ids differ by the chain alone, and statements name the id.
  EXPECT_EQ(revert_of(settled.error()), "Market_WrongOrder");
  EXPECT_EQ(status_on(right, terms), market::OrderStatus::open);
  // What one market's parties sign is void on the other in our own code, too.
  EXPECT_FALSE(finish.attestation->verify(right.network().market, terms.attestor).ok());
  EXPECT_TRUE(finish.attestation->verify(left.network().market, terms.attestor).ok());
  town.start_provider();
  EXPECT_EQ(shop.wait(id_on(right, terms)).state, "settled");
  EXPECT_EQ(status_on(right, terms), market::OrderStatus::settled);
}

TEST_F(Markets, AChainThatHangsStopsOnlyItsOwnOrders) {
  right.signal(SIGSTOP);
  EXPECT_EQ(left.run({"exit", "0"}), 0);
  // Also for daemons that start while it hangs.
  for (const char* name : {"broker", "provider"}) town.reconfigure(name, [](Json&) {});
  EXPECT_EQ(left.run({"exit", "6"}), 6);
  right.signal(SIGCONT);
  EXPECT_EQ(right.run({"exit", "8"}), 8);
}

}  // namespace
}  // namespace sp::hostile
