// A provider that swaps what the loader is started with: the evidence binds the order of the terms
// that the loader has, so the real broker gives it nothing and the chain pays for nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "crypto/hash.hpp"
#include "impostor.hpp"
#include "swap_provider.hpp"

namespace sp::hostile {
namespace {

using testing::Contains;
using testing::Not;
using testing::StartsWith;

class Swap : public testing::Test {
 protected:
  void SetUp() override {
    town.behave();
    town.stop_provider();
    placed = shop.place({.bought = true});
    honest = placed.terms;
  }
  void TearDown() override {
    town.start_provider();
    shop.rest();
  }

  std::size_t kept() {
    broker::BrokerClient client(town.http(), town.network().broker.url);
    return must(client.requests(placed.id)).size();
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  HostileProvider provider{shop};
  Placed placed;
  api::Terms honest;
};

struct Case {
  std::string name;
  std::function<void(api::Terms&)> swap;
};

std::vector<Case> swaps(const Digest32& other) {
  return {
      {"solution", [=](auto& t) { t.parts[1].digest = other; }},
      {"an input", [=](auto& t) { t.parts[2].digest = other; }},
      {"no input", [](auto& t) { t.parts.erase(t.parts.begin() + 2); }},
      {"arguments", [](auto& t) { t.parts[0].digest.data[0] ^= 1; }},
      {"result key", [](auto& t) { t.result_key.data[0] ^= 1; }},
      {"memory", [](auto& t) { t.memory_mib *= 2; }},
      {"time", [](auto& t) { t.ordered_seconds += 1; }},
      {"customer", [](auto& t) { t.customer.data[0] ^= 1; }},
      {"store", [](auto& t) { t.parts[3].store.data[0] ^= 1; }},
      {"price", [](auto& t) { t.parts[1].price = Amount(1); }},
      {"a part's broker", [](auto& t) { t.parts[1].brokers[0].data[0] ^= 1; }},
  };
}

TEST_F(Swap, IsAnotherOrderToTheBroker) {
  for (const auto& [name, swap] : swaps(shop.bring(town.image()).package)) {
    if (name == "a part's broker") continue;  // the loader asks a broker that nobody knows
    SCOPED_TRACE(name);
    api::Terms terms = honest;
    swap(terms);
    const api::OrderId id = terms.order_id(town.network().market);
    ASSERT_NE(id, placed.id);
    // As it is; then with every message said to be about the honest order.
    const api::Finish plain = provider.run(terms, {});
    EXPECT_EQ(plain.failure,
              "attestor: attest: the broker: no order " + id.hex0x() + " on the chain");
    EXPECT_THAT(provider.calls(), Not(Contains("release")));
    HostileProvider::Mischief lies;
    lies.accepts = placed.id;
    lies.on_call = [&](api::Call& call) {
      if (call.method == "nonce") {
        auto request = must(api::NonceRequest::decode(call.body));
        request.run.order = placed.id;
        call.body = request.encode();
      } else if (call.method == "attest") {
        auto proof = must(api::SessionProof::decode(call.body));
        proof.context.order = placed.id;
        call.body = proof.encode();
      }
    };
    const api::Finish lied = provider.run(terms, lies);
    // The loader refuses an acceptance of another order only where it can tell: not at all, as it
    // doesn't know the action account. The broker can: the evidence binds the loader's own terms.
    EXPECT_THAT(lied.failure, StartsWith("attestor: attest: the broker: report data is "));
    EXPECT_FALSE(plain.attestation || lied.attestation || plain.receipt || lied.receipt);
    EXPECT_THAT(provider.calls(), Not(Contains("release")));
    EXPECT_THAT(provider.calls(), Not(Contains("get")));
  }
  EXPECT_EQ(kept(), 0U);
  // An honest provider still runs it.
  town.start_provider();
  shop.expect_settled(placed, api::Outcome::success);
}

TEST_F(Swap, OfABrokerReachesNobody) {
  api::Terms terms = honest;
  terms.parts[1].brokers[0].data[0] ^= 1;
  const std::string stranger = terms.parts[1].brokers[0].hex0x();
  EXPECT_EQ(provider.run(terms, {}).failure,
            "nonce of broker " + stranger + ": nonce: this provider doesn't know the service " +
                stranger);
  EXPECT_EQ(kept(), 0U);
}

// The provider is attestor and broker itself, and runs an image of its own: the loader does as its
// terms say, and signs for those terms alone.
TEST_F(Swap, OfAllBrokersEarnsNothing) {
  const auto rogue = crypto::EthKey::generate(town.random());
  api::Terms terms = honest;
  terms.attestor = rogue.address();
  for (std::size_t i = 0; i < 3; ++i) terms.parts[i].brokers = {rogue.address()};
  const api::OrderId id = terms.order_id(town.network().market);
  const api::Eip712Domain& market = town.network().market;
  const auto nonce = crypto::random_fixed<api::Nonce>(town.random());
  HostileProvider::Mischief own;
  own.on_answer = [&](const api::Call& call) -> std::optional<Bytes> {
    if (call.service != api::ServiceKind::broker) return std::nullopt;
    if (call.method == "nonce") return to_bytes(nonce.view());
    if (call.method == "attest") {
      const auto proof = must(api::SessionProof::decode(call.body));
      const auto verdict = must(attest::verify(proof.evidence, town.chain_time()));
      api::Attestation word;
      word.kind = verdict.kind();
      word.vendor = verdict.vendor();
      word.tcb_status = verdict.tcb_status();
      word.chip = verdict.chip();
      word.measurement = verdict.measurement_digest();
      word.run = {id, 0, 0};
      word.session = proof.context.session;
      word.time = town.chain_time();
      word.acceptance = proof.acceptance;
      return api::Signed<api::Attestation>::make(word, market, rogue).encode();
    }
    // It has no key that fits the arguments' commitment, so it makes one up.
    const auto asked = must(api::ReleaseRequest::decode(call.body));
    api::ReleasedSecret made_up;
    made_up.secret.arguments = SecretBytes(api::Arguments{{"exit", "0"}, {}}.encode());
    const Bytes info = api::release_info(nonce, {id, 0, 0}, asked.request.statement.part);
    api::ReleaseAnswer answer;
    answer.sealed = must(crypto::hpke_seal(town.random(), asked.proof.context.session_key, info, {},
                                           made_up.encode().reveal()));
    const api::Release said{
        {id, 0, 0}, asked.request.statement.part, nonce, crypto::sha256(answer.sealed)};
    answer.signature = rogue.sign(said.digest(market));
    return answer.encode();
  };
  const api::Finish finish = provider.run(terms, own);
  EXPECT_EQ(finish.failure, "the arguments aren't those that the terms commit to");
  ASSERT_TRUE(finish.attestation && finish.receipt);
  EXPECT_EQ(finish.receipt->statement.outcome, api::Outcome::input) << "as its broker signed it";
  EXPECT_EQ(finish.receipt->statement.fault_part, api::Terms::kArguments);
  const Books before = shop.books();
  Impostor impostor(shop);
  EXPECT_EQ(words(impostor.settle(honest, *finish.attestation, *finish.receipt)),
            "refused: Market_WrongOrder");
  EXPECT_EQ(words(impostor.settle(terms, *finish.attestation, *finish.receipt)),
            "refused: Market_WrongPhase");
  EXPECT_EQ(changes(before, shop.books()), Changes());
  EXPECT_EQ(kept(), 0U);
}

}  // namespace
}  // namespace sp::hostile
