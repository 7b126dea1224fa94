// What one order, session or device has said, said again for another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/must.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using testing::StartsWith;

const std::string kNothing = "nothing to settle with: ";
const std::string kBroker = kNothing + "attestor: attest: the broker: ";

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    town.behave();
    // An honest order, of which everything is recorded.
    first = shop.place({.bought = true});
    shop.expect_settled(first, api::Outcome::success);
    finish = shop.finish_of(first.id);
    const auto released = town.provider_broker->seen("/v1/release");
    ASSERT_EQ(released.size(), 3U);
    release_answer = released[0].response;
    attest_request = town.provider_broker->seen("/v1/attest").at(0).request;
    attest_answer = town.provider_broker->seen("/v1/attest").at(0).response;
    town.behave();
  }
  void TearDown() override {
    shop.rest();
    town.behave();
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  Placed first;
  api::Finish finish;
  Bytes release_answer, attest_request, attest_answer;
};

HostileProxy::OnRequest replaced(const std::string& path, const Bytes& body) {
  return [path, body](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.path == path) request.body = body;
    return std::nullopt;
  };
}

HostileProxy::OnResponse answered(const std::string& path, const Bytes& body) {
  return [path, body](const net::HttpRequest& request, net::HttpResponse& response) {
    if (request.path == path) response.body = body;
  };
}

TEST_F(Replay, OfAnOldSessionDoesNotAttestANewOrder) {
  const auto old = must(api::SessionProof::decode(attest_request));
  struct Case {
    std::string name;
    std::function<void(HostileProxy&)> replay;
    std::string words;
  };
  const std::vector<Case> cases = {
      {"the whole old request",
       [&](HostileProxy& proxy) { proxy.on_request(replaced("/v1/attest", attest_request)); },
       kBroker + "the order has ended"},
      {"the old evidence",
       [&](HostileProxy& proxy) {
         proxy.on_request([&](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
           if (request.path != "/v1/attest") return std::nullopt;
           auto proof = must(api::SessionProof::decode(request.body));
           proof.evidence = old.evidence;
           request.body = proof.encode();
           return std::nullopt;
         });
       },
       kBroker + "report data is "},
      {"the old attestation",
       [&](HostileProxy& proxy) { proxy.on_response(answered("/v1/attest", attest_answer)); },
       kNothing + "attestation: it is about another run"},
      {"the old nonce",
       [&](HostileProxy& proxy) {
         proxy.on_response(answered("/v1/nonce", to_bytes(old.context.nonces[0].view())));
       },
       kBroker + "the evidence holds no live nonce of this broker for the session"},
  };
  std::vector<Placed> placed;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    each.replay(*town.provider_broker);
    placed.push_back(shop.place({.bought = true}));
    const Progress end = shop.wait(placed.back().id);
    EXPECT_EQ(end.state, "failed");
    EXPECT_THAT(end.failure, StartsWith(each.words));
    EXPECT_EQ(town.provider_broker->count("/v1/release"), 0U);
    town.behave();
  }
  std::vector<const Placed*> all;
  for (const Placed& one : placed) all.push_back(&one);
  shop.expect_refund(all);
}

TEST_F(Replay, OfAnOldKeyOpensNothing) {
  town.provider_broker->on_response(answered("/v1/release", release_answer));
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, api::Outcome::provider);
  EXPECT_THAT(shop.finish_of(placed.id).failure,
              StartsWith("the key of part 0 (arguments): secp256k1 signature: made by 0x"));
}

TEST_F(Replay, OfAnOldSettlementPaysNothing) {
  Impostor impostor(shop);
  town.stop_provider();
  const Placed second = shop.place({.bought = true});
  const Books before = shop.books();
  EXPECT_EQ(words(impostor.settle(first.terms, *finish.attestation, *finish.receipt)),
            "refused: Market_WrongPhase");
  EXPECT_EQ(words(impostor.settle(second.terms, *finish.attestation, *finish.receipt)),
            "refused: Market_WrongOrder");
  const FakeSession session = impostor.attested(second.id);
  EXPECT_EQ(words(impostor.settle(second.terms, session.attestation, *finish.receipt)),
            "refused: Market_WrongOrder");
  EXPECT_EQ(changes(before, shop.books()), Changes());
  town.start_provider();
  shop.expect_settled(second, api::Outcome::success);
}

TEST_F(Replay, OfNoncesAndSessionsOnOneOrder) {
  Impostor impostor(shop);
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const FakeSession honest = impostor.attested(placed.id);
  // Another session with the nonce of this one.
  const FakeSession thief = impostor.open(placed.id, honest.proof.context.nonces);
  const std::string no_nonce =
      "expired: broker: the evidence holds no live nonce of this broker for the session";
  EXPECT_EQ(words(impostor.attest(thief.proof)), no_nonce);
  // Its own nonce, and the other's attestation.
  FakeSession other = impostor.open(placed.id);
  other.attestation = honest.attestation;
  EXPECT_EQ(words(impostor.ask_key(other, 1)),
            "mismatch: broker: the attestation is of another session");
  // The proof of the one, the key request of the other.
  api::ReleaseRequest mixed = impostor.key_request(honest, 1);
  mixed.request = impostor.key_request(other, 1).request;
  EXPECT_THAT(words(impostor.release(mixed)),
              StartsWith("bad_signature: broker: secp256k1 signature: made by 0x"));
  EXPECT_EQ(words(impostor.ask_key(honest, 1)), "ok");
  town.start_provider();
  shop.expect_settled(placed, api::Outcome::success);
}

}  // namespace
}  // namespace sp::hostile
