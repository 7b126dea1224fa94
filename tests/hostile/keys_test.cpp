// Keys that are asked for by who must not have them: the real broker is asked over HTTP by a
// session that the test makes itself, with the real machine's platform.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using testing::StartsWith;

class Keys : public testing::Test {
 protected:
  void SetUp() override {
    town.behave();
    town.stop_provider();
  }
  // The provider takes what is still open, as an honest one.
  void TearDown() override {
    town.start_provider();
    shop.rest();
  }

  std::size_t kept(const api::OrderId& order) {
    broker::BrokerClient client(town.http(), town.network().broker.url);
    return must(client.requests(order)).size();
  }
  void expect_refused(const Result<api::ReleaseAnswer>& answer, api::RefusalReason reason) {
    ASSERT_TRUE(answer.ok()) << words(answer);
    ASSERT_TRUE(answer->refusal);
    EXPECT_TRUE(answer->sealed.empty());
    EXPECT_EQ(answer->refusal->statement.reason, reason);
    EXPECT_TRUE(answer->refusal->verify(town.network().market, town.network().broker.address).ok());
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  Impostor impostor{shop};
};

TEST_F(Keys, WithoutAnOrderAreNotGiven) {
  const auto nowhere = crypto::random_fixed<api::OrderId>(town.random());
  const FakeSession session = impostor.open(nowhere);
  EXPECT_EQ(words(impostor.attest(session.proof)),
            "not_found: broker: no order " + nowhere.hex0x() + " on the chain");
  EXPECT_EQ(words(impostor.ask_key(session, 1)),
            "not_found: broker: no order " + nowhere.hex0x() + " on the chain");
}

TEST_F(Keys, OfAnotherOrderAreNotGiven) {
  const Placed a = shop.place({.bought = true});
  const Placed b = shop.place({.bought = true});
  const FakeSession session = impostor.attested(a.id);
  FakeSession moved = impostor.attested(a.id);
  // The key request alone names the other order.
  api::ReleaseRequest request = impostor.key_request(session, 1);
  request.request.statement.run.order = b.id;
  request.request = api::Signed<api::KeyRequest>::make(request.request.statement,
                                                       town.network().market, session.key);
  EXPECT_EQ(words(impostor.release(request)),
            "mismatch: broker: the key request is for another run or attestation");
  // The session that one order bound, said to be of the other.
  moved.proof.context.order = b.id;
  EXPECT_EQ(words(impostor.ask_key(moved, 1)),
            "unauthorised: broker: the provider's action account hasn't accepted this session");
  impostor.prove(moved, impostor.honest_prover());
  EXPECT_EQ(words(impostor.ask_key(moved, 1)),
            "expired: broker: the evidence holds no live nonce of this broker for the session");
  moved.proof.context.nonces = {must(impostor.nonce(b.id, moved.key.address()))};
  impostor.prove(moved, impostor.honest_prover());
  EXPECT_EQ(words(impostor.ask_key(moved, 1)),
            "mismatch: broker: the attestation is of another session");
  EXPECT_EQ(kept(a.id) + kept(b.id), 0U);
}

TEST_F(Keys, OfNoPartOrAStorageAreNotGiven) {
  const Placed placed = shop.place({.bought = true});
  const FakeSession session = impostor.attested(placed.id);
  EXPECT_EQ(words(impostor.ask_key(session, 3)),
            "unauthorised: broker: the part names another broker");
  EXPECT_EQ(words(impostor.ask_key(session, 4)), "not_found: broker: the order has no part 4");
  EXPECT_EQ(words(impostor.ask_key(session, 255)), "not_found: broker: the order has no part 255");
  EXPECT_EQ(kept(placed.id), 0U);
}

TEST_F(Keys, OfMoreSessionsThanThePolicySaysAreNotGiven) {
  const Placed placed = shop.place({.bought = true});
  for (unsigned i = 0; i < broker::kSessionsDefault; ++i) {
    const FakeSession session = impostor.attested(placed.id);
    EXPECT_EQ(words(impostor.ask_key(session, 1)), "ok");
    EXPECT_EQ(words(impostor.ask_key(session, 1)), "ok") << "the same one may ask again";
  }
  EXPECT_EQ(words(impostor.ask_key(impostor.attested(placed.id), 1)),
            "refused: broker: 3 sessions of this attempt have had the key already");
  EXPECT_EQ(kept(placed.id), std::size_t{broker::kSessionsDefault});
}

TEST_F(Keys, BeyondWhatTheOwnerSellsAreNotGiven) {
  // The policy allows one order of the offer, the offer allows any number.
  broker::ReleasePolicy policy = shop.open_policy(shop.sold_data().offer_id());
  policy.max_orders = 1;
  api::Part part = shop.sold_data();
  part.info = crypto::random_fixed<Digest32>(town.random());
  policy.offers.values = {part.offer_id()};
  part.digest = town.seal(town.image()).package;
  policy.offers.values = {part.offer_id()};
  must(shop.deposit(shop.owner(), part.digest, policy, {}));
  must(town.send(shop.owner(), town.market().offer_part(part)));
  const Placed placed = shop.place({.change = [&](api::Terms& t) { t.parts[2] = part; }});
  expect_refused(impostor.ask_key(impostor.attested(placed.id), 2), api::RefusalReason::policy);
  // The offer allows one, and has it.
  part.max_orders = 1;
  must(town.send(shop.owner(), town.market().offer_part(part)));
  const api::Terms one = shop.agree({.change = [&](api::Terms& t) { t.parts[2] = part; }});
  const api::Terms two = shop.agree({.change = [&](api::Terms& t) { t.parts[2] = part; }});
  static_cast<void>(shop.create(one));
  try {
    static_cast<void>(shop.create(two));
    ADD_FAILURE() << "a second order of an offer for one";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "create: Market_OfferExhausted");
  }
  // Disabled while the order runs: no key any more.
  must(town.send(shop.owner(), town.market().set_enabled(part.offer_id(), false)));
  EXPECT_EQ(words(impostor.ask_key(impostor.attested(one.order_id(town.network().market)), 2)),
            "conflict: broker: the part's offer is disabled");
}

TEST_F(Keys, WithAWrongSolutionAreNotGiven) {
  broker::ReleasePolicy policy = shop.open_policy({});
  policy.solutions = {false, {shop.sold_solution().digest}};
  api::Part part = shop.sold_data();
  part.digest = town.seal(town.image()).package;
  policy.offers.values = {part.offer_id()};
  must(shop.deposit(shop.owner(), part.digest, policy, {}));
  must(town.send(shop.owner(), town.market().offer_part(part)));
  const auto with_data = [&](api::Terms& t) { t.parts[2] = part; };
  const Placed wrong = shop.place({.change = with_data});
  const Placed right = shop.place({.bought = true, .change = with_data});
  expect_refused(impostor.ask_key(impostor.attested(wrong.id), 2), api::RefusalReason::policy);
  EXPECT_EQ(kept(wrong.id), 0U);
  EXPECT_EQ(words(impostor.ask_key(impostor.attested(right.id), 2)), "ok");
}

TEST_F(Keys, OfSomebodysUploadAreNotGivenToAStranger) {
  // A stranger orders what the customer has uploaded, as if it were the stranger's own.
  const Placed own = shop.place();
  api::Terms stolen = own.terms;
  stolen.customer = shop.seller().address();
  for (std::size_t i = 0; i < 3; ++i) stolen.parts[i].owner = stolen.customer;
  const Address market = town.network().market.contract;
  must(town.send(shop.seller(), town.token().approve(market, tokens(100))));
  must(town.send(shop.seller(), town.market().create(stolen, {})));
  const FakeSession session = impostor.attested(stolen.order_id(town.network().market));
  for (std::uint8_t part = 0; part < 3; ++part) {
    expect_refused(impostor.ask_key(session, part), api::RefusalReason::unknown);
  }
}

TEST_F(Keys, AnAttestorThatTheOrderDoesNotNameIsNone) {
  const Placed placed = shop.place({.bought = true});
  FakeSession session = impostor.attested(placed.id);
  const auto rogue = crypto::EthKey::generate(town.random());
  session.attestation = api::Signed<api::Attestation>::make(session.attestation.statement,
                                                            town.network().market, rogue);
  EXPECT_EQ(words(impostor.ask_key(session, 1)),
            "bad_signature: broker: secp256k1 signature: made by " + rogue.address().hex0x() +
                ", not by " + town.network().broker.address.hex0x());
  EXPECT_EQ(kept(placed.id), 0U);
}

TEST_F(Keys, OtherDevicesAndProgramsAreNotAttested) {
  const Placed placed = shop.place({.bought = true});
  FakeSession session = impostor.open(placed.id);
  prove::DevProver chip = Impostor::other_chip(shop);
  impostor.prove(session, chip);
  EXPECT_EQ(words(impostor.attest(session.proof)),
            "mismatch: broker: the evidence is from chip " + chip.identity().chip.hex() +
                ", the compute offer is of chip " + shop.compute().chip.hex());
  EXPECT_EQ(words(impostor.ask_key(session, 1)),
            "mismatch: broker: the evidence is from chip " + chip.identity().chip.hex() +
                ", the compute offer is of chip " + shop.compute().chip.hex());
  prove::DevProver program = Impostor::other_program(shop);
  impostor.prove(session, program);
  EXPECT_THAT(words(impostor.attest(session.proof)), StartsWith("refused: broker: "));
  // Another program with an honest session's attestation.
  FakeSession honest = impostor.attested(placed.id);
  impostor.prove(honest, program);
  EXPECT_EQ(words(impostor.ask_key(honest, 1)),
            "mismatch: broker: the attestation is of another device or loader");
  EXPECT_EQ(kept(placed.id), 0U);
}

TEST_F(Keys, ASessionThatTheProviderHasNotAcceptedIsNone) {
  const Placed placed = shop.place({.bought = true});
  FakeSession session = impostor.open(placed.id);
  const api::Acceptance acceptance{session.run(), session.key.address()};
  session.proof.acceptance = shop.seller().sign(acceptance.digest(town.network().market));
  EXPECT_EQ(words(impostor.attest(session.proof)),
            "unauthorised: broker: the provider's action account hasn't accepted this session");
}

TEST_F(Keys, AReceiptOfAnotherSessionSettlesNothing) {
  const Placed placed = shop.place({.bought = true});
  const FakeSession session = impostor.attested(placed.id);
  const FakeSession other = impostor.attested(placed.id);
  api::Receipt receipt;
  receipt.outcome = api::Outcome::workload;
  receipt.started = true;
  receipt.opened = 0b0111;
  const Books before = shop.books();
  EXPECT_EQ(
      words(impostor.settle(placed.terms, session.attestation, impostor.sign(other, receipt))),
      "refused: Market_BadSignature");
  EXPECT_EQ(changes(before, shop.books()), Changes());
}

TEST_F(Keys, AreNotGivenAfterACancelAnEndOrTheTimeToWork) {
  const Placed cancelled = shop.place({.bought = true});
  const Placed late = shop.place({.bought = true});
  const FakeSession one = impostor.attested(cancelled.id);
  const FakeSession two = impostor.attested(late.id);
  must(town.send(town.customer(), town.market().cancel(cancelled.terms)));
  EXPECT_EQ(words(impostor.ask_key(one, 1)), "conflict: broker: the order has been cancelled");
  EXPECT_EQ(words(impostor.attest(one.proof)), "conflict: broker: the order has been cancelled");
  town.pass_time(late.terms.work_by + 1);
  EXPECT_EQ(words(impostor.ask_key(two, 1)),
            "expired: broker: the order's time to begin work is over");
  must(town.send(town.customer(), town.market().close(cancelled.terms)));
  EXPECT_EQ(words(impostor.ask_key(one, 1)), "conflict: broker: the order has ended");
  EXPECT_EQ(kept(cancelled.id) + kept(late.id), 0U);
}

// docs/OPERATIONS.md, "Backups": the chain says what has ended, whatever a broker remembers.
TEST_F(Keys, OfAnOrderThatEndedSinceABackupAreNotGivenByItsBroker) {
  const Placed ended = shop.place({.bought = true});
  const Path folder = town.home() / "broker";
  const Path backup = town.work() / "broker-backup";
  const auto copy = [](const Path& from, const Path& to) {
    ProcessOptions options;
    options.argv = {"cp", "-a", from.string(), to.string()};
    options.environment = basic_environment();
    ASSERT_EQ(must(run_command(options, std::chrono::seconds(30), 4096)).end.exit_code, 0);
  };
  town.reconfigure("broker", [&](Json&) { copy(folder, backup); });
  EXPECT_EQ(words(impostor.ask_key(impostor.attested(ended.id), 1)), "ok");
  must(town.send(town.customer(), town.market().cancel(ended.terms)));
  town.pass_time(std::int64_t{ended.terms.settle_window} + ended.terms.claim_window + 1);
  must(town.send(town.customer(), town.market().close(ended.terms)));
  town.reconfigure("broker", [&](Json&) {
    std::filesystem::remove_all(folder);
    copy(backup, folder);
  });
  // It remembers nothing of the key that it gave.
  EXPECT_EQ(kept(ended.id), 0U);
  const FakeSession session = impostor.open(ended.id);
  EXPECT_EQ(words(impostor.ask_key(session, 1)), "conflict: broker: the order has ended");
  EXPECT_EQ(words(impostor.attest(session.proof)), "conflict: broker: the order has ended");
  EXPECT_EQ(kept(ended.id), 0U);
  // Of one that hasn't it gives the key.
  EXPECT_EQ(words(impostor.ask_key(impostor.attested(shop.place({.bought = true}).id), 1)), "ok");
}

}  // namespace
}  // namespace sp::hostile
