// Money: every way in which an order can end pays exactly what the rules say, and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "money.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;
using testing::HasSubstr;

TEST_F(MoneyTest, EachOutcomeOfTheRealLoaderPaysByItsRule) {
  struct Case {
    std::string name;
    Wish wish;
    Outcome outcome;
    std::int32_t exit_code;
    api::LimitHit limit;
  };
  const Sealed no_image = shop.bring(town.work() / "note");
  const std::vector<Case> cases = {
      {"success", {.bought = true}, Outcome::success, 0, api::LimitHit::none},
      {"success by the hour",
       {.argv = {"sleep", "2"}, .hourly = true},
       Outcome::success,
       0,
       api::LimitHit::none},
      {"exit code",
       {.argv = {"exit", "3"}, .bought = true},
       Outcome::workload,
       3,
       api::LimitHit::none},
      {"time by the hour",
       {.argv = {"loop"}, .seconds = 1, .hourly = true},
       Outcome::workload,
       -1,
       api::LimitHit::time},
      {"no image", {.image = &no_image}, Outcome::input, -1, api::LimitHit::none},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const Placed placed = shop.place(each.wish);
    shop.expect_settled(placed, each.outcome);
    const api::Receipt receipt = shop.receipt_of(placed.id);
    EXPECT_EQ(receipt.limit, each.limit);
    if (each.exit_code >= 0) {
      EXPECT_EQ(receipt.exit_code, each.exit_code);
    }
  }
}

TEST_F(MoneyTest, ACancelWhileItRunsPaysTheTimeUntilThen) {
  const Placed placed = shop.place({.argv = {"sleep", "30"}, .seconds = 60, .bought = true});
  shop.wait_for_workload(placed.id, {"sleep", "30"});
  town.pass_time(2);
  must(town.send(town.customer(), town.market().cancel(placed.terms)));
  shop.expect_settled(placed, Outcome::cancelled);
}

// The impostor signs what a loader could: every outcome, with parts opened or not, before a start
// or after.
TEST_F(MoneyTest, EachReceiptThatASessionCanSignPaysByItsRule) {
  town.stop_provider();
  struct Case {
    Outcome outcome;
    bool started;
    std::uint32_t opened;
    std::uint64_t duration_ms;
    std::string revert;  // empty: it settles
    bool cancel = false;
  };
  const std::vector<Case> cases = {
      {Outcome::success, true, 0b1111, 7'300, ""},
      {Outcome::success, true, 0b1111, 900'000, ""},
      {Outcome::success, true, 0b0111, 7'300, "Market_NoResult"},
      {Outcome::success, false, 0b1111, 7'300, "Market_BadReceipt"},
      {Outcome::workload, true, 0b0111, 12'000, ""},
      {Outcome::workload, false, 0b0111, 12'000, "Market_BadReceipt"},
      {Outcome::cancelled, true, 0b0111, 3'999, "Market_NotCancelled"},
      {Outcome::cancelled, true, 0b0111, 3'999, "", true},
      {Outcome::input, false, 0b0011, 0, ""},
      {Outcome::input, true, 0b0011, 0, "Market_BadReceipt"},
      {Outcome::provider, false, 0b0111, 0, ""},
      {Outcome::provider, true, 0b0101, 5'000, ""},
      {Outcome::provider, true, 0b1111, 5'000, ""},
      {Outcome::provider, true, 0b10000, 5'000, "Market_BadOpened"},
  };
  for (const bool hourly : {false, true}) {
    for (const Case& each : cases) {
      SCOPED_TRACE(std::string(api::outcome_name(each.outcome)) + (hourly ? " hourly" : ""));
      const Placed placed = shop.place({.bought = true, .hourly = hourly});
      const FakeSession session = impostor.attested(placed.id);
      api::Receipt receipt;
      receipt.outcome = each.outcome;
      receipt.started = each.started;
      receipt.opened = each.opened;
      receipt.duration_ms = each.duration_ms;
      receipt.result.data[0] = 1;
      const Books locked = shop.books();
      town.pass_time(8);
      if (each.cancel) must(town.send(town.customer(), town.market().cancel(placed.terms)));
      const Status settled =
          impostor.settle(placed.terms, session.attestation, impostor.sign(session, receipt));
      EXPECT_EQ(words(settled), each.revert.empty() ? "ok" : "refused: " + each.revert);
      const Books after = shop.books();
      EXPECT_TRUE(all_tokens(placed.before) == all_tokens(after));
      if (!each.revert.empty()) {
        EXPECT_EQ(changes(locked, after), Changes());
        continue;
      }
      const std::uint64_t newest = must(town.chain().block()).number;
      const auto event = must(town.market().find_settled(placed.id, placed.block, newest));
      const std::int64_t until = each.cancel ? must(town.market().order(placed.id)).cancelled_at
                                             : must(town.chain().block({event.block})).time;
      const std::int64_t seconds = until - session.attestation.statement.time;
      EXPECT_EQ(changes(placed.before, after),
                settled_changes(placed.terms, receipt, seconds, shop.people()));
    }
  }
  town.start_provider();
}

// Any attested session's receipt settles. Where that isn't the one that did the work, the provider
// says so, and the work that nobody pays isn't handed out.
TEST_F(MoneyTest, AnOrderThatAnotherSessionsReceiptSettledIsNotClaimed) {
  // The one that works has its result, and can't store it before the other's receipt has settled.
  hold_results();
  const Placed placed = shop.place({.bought = true});
  const FakeSession other = impostor.attested(placed.id);
  const auto deadline = town.clock().monotonic() + std::chrono::seconds(20);
  while (!has_result && town.clock().monotonic() < deadline) {
    town.clock().sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(has_result) << shop.progress(placed.id).failure;
  EXPECT_THROW(shop.finish_of(placed.id), std::runtime_error);
  town.pass_time(1);
  api::Receipt receipt;
  receipt.outcome = Outcome::provider;
  must(impostor.settle(placed.terms, other.attestation, impostor.sign(other, receipt)));
  go = true;
  const Progress end = shop.wait(placed.id);
  EXPECT_EQ(end.state, "settled");
  EXPECT_EQ(end.failure, "another session's receipt settled it: provider");
  EXPECT_THROW(shop.finish_of(placed.id), std::runtime_error);
  const std::string log(
      as_text(must(town.files().read(town.home() / "provider" / "provider.log", 64 << 20))));
  EXPECT_THAT(log, HasSubstr("\"order_settled_by_another\",\"order\":\"" + placed.id.hex0x()));
  EXPECT_THAT(log, testing::Not(HasSubstr("\"order_settled\",\"order\":\"" + placed.id.hex0x())));
}

// The customer sees the result and cancels at a higher fee: the cancel comes first in the block,
// and an older attestation is paid all the same.
TEST_F(MoneyTest, ACancelAtAHigherFeeDoesNotRobTheProvider) {
  std::atomic<bool> settling = false;
  town.provider_rpc->on_request([&](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (as_text(request.body).find("eth_sendRawTransaction") == std::string_view::npos) {
      return std::nullopt;
    }
    // From here on blocks wait for the test.
    if (!settling.exchange(true)) town.rpc("evm_setAutomine", Json::array({false}));
    return std::nullopt;
  });
  const Placed placed = shop.place({.bought = true});
  const auto deadline = town.clock().monotonic() + std::chrono::seconds(20);
  const auto pending = [&] {
    return settling && must(town.chain().nonce(town.action().address(), true)) >
                           must(town.chain().nonce(town.action().address(), false));
  };
  while (!pending() && town.clock().monotonic() < deadline) {
    town.clock().sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(pending());
  chain::Transaction cancel;
  cancel.chain_id = town.network().market.chain_id;
  cancel.nonce = must(town.chain().nonce(town.customer().address(), true));
  cancel.fees = must(town.chain().suggest_fees());
  cancel.fees.max_priority_fee_per_gas = Amount(100'000'000'000);
  cancel.fees.max_fee_per_gas = Amount(500'000'000'000);
  cancel.gas_limit = 1'000'000;
  const auto call = town.market().cancel(placed.terms);
  cancel.to = call.to;
  cancel.data = call.data;
  const auto raw = chain::sign(cancel, town.customer());
  must(town.chain().send_raw(raw.raw));
  town.rpc("evm_increaseTime", Json::array({2}));
  town.rpc("evm_mine", Json::array());
  const auto cancelled = must(town.chain().receipt(raw.hash));
  ASSERT_TRUE(cancelled && cancelled->success);
  town.rpc("evm_setAutomine", Json::array({true}));
  shop.expect_settled(placed, Outcome::success);
  const market::OrderRecord record = must(town.market().order(placed.id));
  EXPECT_NE(record.cancelled_at, 0) << "the cancel came first";
  const std::uint64_t newest = must(town.chain().block()).number;
  const auto settled = must(town.market().find_settled(placed.id, placed.block, newest));
  EXPECT_EQ(settled.block, cancelled->block_number) << "both in one block";
}

// An attestation that is younger than the cancel pays nothing.
TEST_F(MoneyTest, AnAttestationAfterTheCancelPaysNothing) {
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const FakeSession session = impostor.attested(placed.id);
  // The broker attests to no cancelled order, so the settlement says it itself.
  auto late = session.attestation;
  must(town.send(town.customer(), town.market().cancel(placed.terms)));
  late.statement.time = must(town.market().order(placed.id)).cancelled_at + 1;
  town.rpc("evm_increaseTime", Json::array({2}));
  town.rpc("evm_mine", Json::array());
  api::Receipt receipt;
  receipt.outcome = Outcome::provider;
  EXPECT_EQ(words(impostor.settle(placed.terms, late, impostor.sign(session, receipt))),
            "refused: Market_AttestedTooLate");
  town.start_provider();
  shop.wait(placed.id);
}

TEST_F(MoneyTest, ASilentProviderIsClosedAndTheCustomerWhole) {
  town.signal_provider(SIGSTOP);
  const Books before = shop.books();
  const CommandOutput created =
      town.spctl({"--json", "orders", "create", town.image().string(), "--time", "1", "--compute",
                  shop.compute().offer_id().hex0x(), "--", "exit", "0"});
  ASSERT_EQ(created.end.exit_code, 0) << created.text;
  const std::string text = created.text.substr(created.text.find("0x"), 66);
  const auto id = must(api::OrderId::from_hex(text));
  const auto block = must(town.chain().block()).number;
  const auto event = must(town.market().find_created(id, block - 3, block));
  const api::Terms& terms = event.terms;
  const CommandOutput early = town.spctl({"orders", "close", text});
  EXPECT_NE(early.end.exit_code, 0);
  EXPECT_THAT(early.text, HasSubstr("Market_WrongPhase"));
  town.pass_time(std::int64_t{terms.settle_by} + terms.settle_window + terms.claim_window + 1);
  const CommandOutput closed = town.spctl({"orders", "close", text});
  EXPECT_EQ(closed.end.exit_code, 0) << closed.text;
  EXPECT_EQ(changes(before, shop.books()), closed_changes(terms, {}, shop.people()));
  town.signal_provider(SIGCONT);
  const Progress end = shop.wait(id);
  EXPECT_EQ(end.state, "failed");
  EXPECT_EQ(end.failure, "the order ended or was cancelled before it ran");
}

// A customer who never comes back holds nobody's deposit: the provider closes the order with the
// terms from the chain, in a home without a record of it.
TEST_F(MoneyTest, AnybodyClosesWhatItsCustomerHasForgotten) {
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const api::Terms& terms = placed.terms;
  EXPECT_GT(shop.books().at("locked:provider"), placed.before.at("locked:provider"));
  const auto close = [this](const api::OrderId& id) {
    return town.spctl({"orders", "close", id.hex0x(), "--key", "provider"});
  };
  EXPECT_THAT(close(placed.id).text, HasSubstr("Market_WrongPhase"));
  town.pass_time(std::int64_t{terms.settle_by} + terms.settle_window + terms.claim_window + 1);
  api::OrderId unknown = placed.id;
  unknown.data[0] ^= 1;
  EXPECT_THAT(close(unknown).text, HasSubstr("no order " + unknown.hex0x() + " on the chain"));
  const CommandOutput closed = close(placed.id);
  EXPECT_EQ(closed.end.exit_code, 0) << closed.text;
  EXPECT_THAT(closed.text, HasSubstr("The customer has the deposit back"));
  EXPECT_EQ(changes(placed.before, shop.books()), closed_changes(terms, {}, shop.people()));
  town.start_provider();
}

// Offer and order name an attestor that the parts' owners don't: its word opens nothing of theirs.
TEST_F(MoneyTest, AnAttestorThatThePolicyDoesNotAcceptGetsNoKey) {
  town.stop_provider();
  const auto rogue = crypto::EthKey::generate(town.random());
  api::Compute compute = shop.compute();
  compute.attestors = {town.network().broker.address, rogue.address()};
  must(town.send(town.provider(), town.market().offer_compute(compute)));
  const Placed placed = shop.place({.bought = true, .change = [&](api::Terms& terms) {
                                      terms.choices = {compute};
                                      terms.attestor = rogue.address();
                                    }});
  const api::Eip712Domain& market = town.network().market;
  FakeSession session = impostor.open(placed.id, {});
  session.proof.context.nonces = {crypto::random_fixed<api::Nonce>(town.random()),
                                  must(impostor.nonce(placed.id, session.key.address()))};
  impostor.prove(session, impostor.honest_prover());
  EXPECT_EQ(words(impostor.attest(session.proof)),
            "unauthorised: broker: the order names another attestor");
  api::Attestation word;
  const auto verdict = must(attest::verify(session.proof.evidence, town.chain_time()));
  word.kind = verdict.kind();
  word.vendor = verdict.vendor();
  word.tcb_status = verdict.tcb_status();
  word.chip = verdict.chip();
  word.measurement = verdict.measurement_digest();
  word.run = session.run();
  word.session = session.key.address();
  word.time = town.chain_time();
  word.acceptance = session.proof.acceptance;
  session.attestation = api::Signed<api::Attestation>::make(word, market, rogue);
  for (std::uint8_t part = 0; part < 3; ++part) {
    const auto answer = must(impostor.ask_key(session, part));
    ASSERT_TRUE(answer.refusal && answer.sealed.empty()) << int{part};
    EXPECT_EQ(answer.refusal->statement.reason, api::RefusalReason::policy);
  }
  EXPECT_EQ(kept(placed.id).size(), 0U);
  town.start_provider();
  const Progress end = shop.wait(placed.id);
  EXPECT_EQ(end.failure, "this provider doesn't know the broker " + rogue.address().hex0x());
  shop.expect_refund({&placed});
}

// A store that the provider can't reach would be its fault once the workload has run: the
// solution's owner would be paid from its deposit, and the customer whole.
TEST_F(MoneyTest, AnOrderWithAStoreThatTheProviderDoesNotKnowIsNotBegun) {
  api::Part storage = shop.agree({}).parts.back();
  storage.store.data.fill(0x77);
  must(town.send(town.provider(), town.market().offer_part(storage)));
  const Placed placed = shop.place(
      {.bought = true, .change = [&](api::Terms& terms) { terms.parts.back() = storage; }});
  const Progress end = shop.wait(placed.id);
  EXPECT_EQ(end.state, "failed");
  EXPECT_EQ(end.failure, "this provider doesn't know the store " + storage.store.hex0x());
  EXPECT_EQ(town.provider_broker->count("/v1/nonce"), 0U) << "no loader is started";
  shop.expect_refund({&placed});
}

TEST_F(MoneyTest, NobodyIsPaidByAnUnfoundedClaim) {
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const FakeSession session = impostor.attested(placed.id);
  const FakeSession other = impostor.attested(placed.id);
  const auto good = impostor.key_request(session, 2).request;
  const api::Eip712Domain& market = town.network().market;
  const auto request_of = [&](std::uint8_t part, const crypto::EthKey& key) {
    return api::Signed<api::KeyRequest>::make(
        {session.run(), part, session.attestation.statement.digest(market)}, market, key);
  };
  // An owner attests to itself, without the order's attestor or the provider's acceptance.
  auto own_word = session.attestation;
  own_word = api::Signed<api::Attestation>::make(own_word.statement, market, shop.owner());
  auto unaccepted = session.attestation;
  unaccepted.statement.acceptance =
      shop.owner().sign(api::Acceptance{session.run(), session.key.address()}.digest(market));
  auto unattested_request = good;
  unattested_request.statement.attestation.data[0] ^= 1;
  town.pass_time(1);
  must(town.send(town.customer(), town.market().cancel(placed.terms)));
  town.pass_time(placed.terms.settle_window + 1);
  const Books before = shop.books();
  struct Case {
    std::string revert;
    api::Signed<api::Attestation> attestation;
    api::Signed<api::KeyRequest> request;
  };
  const std::vector<Case> cases = {
      {"Market_BadSignature", own_word, good},
      {"Market_BadSignature", unaccepted, good},
      {"Market_BadSignature", session.attestation, request_of(2, shop.owner())},
      {"Market_BadSignature", session.attestation, request_of(2, other.key)},
      {"Market_WrongAttestation", session.attestation, unattested_request},
      {"Market_WrongAttestation", other.attestation, good},
      {"Market_NothingToClaim", session.attestation, request_of(0, session.key)},
      {"Market_NothingToClaim", session.attestation, request_of(3, session.key)},
      {"Market_NothingToClaim", session.attestation, request_of(4, session.key)},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(words(impostor.claim(placed.terms, each.attestation, each.request)),
              "refused: " + each.revert);
  }
  EXPECT_EQ(changes(before, shop.books()), Changes());
  town.pass_time(placed.terms.claim_window + 1);
  must(town.send(town.customer(), town.market().close(placed.terms)));
  EXPECT_EQ(changes(placed.before, shop.books()), closed_changes(placed.terms, {}, shop.people()));
  town.start_provider();
}

}  // namespace
}  // namespace sp::hostile
