#include "broker/service.hpp"

#include "broker/testing/broker_fixture.hpp"

namespace sp::broker {
namespace {

TEST_F(BrokerTest, ReleasesTheKeyToTheSessionAndKeepsTheRequest) {
  const auto session_proof = proof();
  const auto asked = request(session_proof);
  const auto answer = broker_->release(asked);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  ASSERT_FALSE(answer->refusal.has_value());
  const api::Release said{asked.request.statement.run, 2, session_proof.context.nonces[0],
                          crypto::sha256(answer->sealed)};
  EXPECT_TRUE(crypto::verify_eth(said.digest(view_.facts_now.market), answer->signature,
                                 keys_.signing.address()));
  const Bytes info =
      api::release_info(session_proof.context.nonces[0], asked.request.statement.run, 2);
  const auto opened = crypto::hpke_open(session_key_, info, {}, answer->sealed);
  ASSERT_TRUE(opened.ok());
  const auto released = api::ReleasedSecret::decode(opened->reveal());
  ASSERT_TRUE(released.ok());
  EXPECT_TRUE(std::ranges::equal(released->secret.key.reveal(), filled<Digest32>(0x5e).view()));
  const auto kept = broker_->requests(session_proof.context.order);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ((*kept)[0].request, asked.request);
}

TEST_F(BrokerTest, AttestsNoSpoiltSession) {
  EXPECT_EQ(attest_error(proof([](auto& c) { c.order = filled<api::OrderId>(9); })),
            Errc::not_found);
  EXPECT_EQ(attest_error(proof([](auto& c) { c.attempt = 1; })), Errc::mismatch);
  EXPECT_EQ(attest_error(proof([](auto& c) { c.nonces[0].data[0] ^= 1; })), Errc::expired);
  EXPECT_EQ(attest_error(proof([](auto& c) { c.nonces.push_back(c.nonces[0]); })), Errc::mismatch);
  EXPECT_EQ(attest_error(proof([](auto& c) { c.session = filled<Address>(1); })), Errc::expired);

  auto swapped_key = proof();
  swapped_key.context.session_key = filled<crypto::X25519Public>(4);
  EXPECT_EQ(attest_error(swapped_key), Errc::mismatch);  // the evidence binds another key
  auto flipped = proof();
  flipped.evidence.body[100] ^= 1;
  EXPECT_EQ(attest_error(flipped), Errc::bad_signature);
  auto unaccepted = proof();
  unaccepted.acceptance = owner_.sign(filled<Digest32>(1));
  EXPECT_EQ(attest_error(unaccepted), Errc::unauthorised);
}

TEST_F(BrokerTest, TheNewestBlockForbids) {
  const auto session_proof = proof();
  view_.facts_now.cancelled = true;
  EXPECT_EQ(attest_error(session_proof), Errc::conflict);
  view_.facts_now.cancelled = false;
  view_.facts_now.ended = true;
  EXPECT_EQ(attest_error(session_proof), Errc::conflict);
  view_.facts_now.ended = false;
  view_.facts_now.now = 1101;
  EXPECT_EQ(attest_error(session_proof), Errc::expired);
}

TEST_F(BrokerTest, AnotherChipOrKindIsRefused) {
  view_.facts_now.terms.choices[0].chip = filled<attest::ChipId>(1);
  EXPECT_EQ(attest_error(proof()), Errc::mismatch);
}

TEST_F(BrokerTest, ReleaseChecksEverythingAgain) {
  const auto session_proof = proof();
  const auto good = request(session_proof);
  const auto error_of = [&](const api::ReleaseRequest& asked) {
    const auto answer = broker_->release(asked);
    return answer.ok() ? Errc::usage : answer.error().code;
  };
  auto forged = good;
  forged.attestation = api::Signed<api::Attestation>::make(good.attestation.statement,
                                                           view_.facts_now.market, owner_);
  EXPECT_EQ(error_of(forged), Errc::bad_signature);
  auto other_signer = good;
  other_signer.request =
      api::Signed<api::KeyRequest>::make(good.request.statement, view_.facts_now.market, owner_);
  EXPECT_EQ(error_of(other_signer), Errc::bad_signature);
  auto unclaimable = good.attestation.statement;
  unclaimable.acceptance.data[0] ^= 1;
  EXPECT_EQ(error_of(request_with(session_proof,
                                  api::Signed<api::Attestation>::make(
                                      unclaimable, view_.facts_now.market, keys_.signing),
                                  2)),
            Errc::mismatch);
  EXPECT_EQ(error_of(request_with(session_proof, good.attestation, 9)), Errc::not_found);
  EXPECT_EQ(error_of(request_with(session_proof, good.attestation, 3)), Errc::unauthorised);
  view_.facts_now.part_enabled[2] = false;
  EXPECT_EQ(error_of(good), Errc::conflict);
  view_.facts_now.part_enabled[2] = true;
  view_.facts_now.cancelled = true;
  EXPECT_EQ(error_of(good), Errc::conflict);
}

TEST_F(BrokerTest, WhatThePolicyForbidsIsASignedRefusal) {
  const auto refused_with = [&](const std::function<void(ReleasePolicy&)>& change) {
    ReleasePolicy changed = policy();
    change(changed);
    deposit_data(changed);
    const auto answer = broker_->release(request(proof()));
    if (!answer.ok() || !answer->refusal) return false;
    EXPECT_EQ(answer->refusal->statement.reason, api::RefusalReason::policy);
    return answer->refusal->verify(view_.facts_now.market, keys_.signing.address()).ok();
  };
  EXPECT_TRUE(refused_with([](auto& p) { p.solutions.values = {filled<Digest32>(8)}; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.orders = {}; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.accounts = {}; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.recipients = {}; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.own_upload = false; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.attestor_is_broker = false; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.modes = {}; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.until = 1010; }));
  EXPECT_TRUE(refused_with([](auto& p) { p.chains[0].market.chain_id = 1; }));
  EXPECT_FALSE(refused_with([](auto&) {}));
}

// With a signed refusal the market would pay a provider for each order that its device fails.
TEST_F(BrokerTest, ADeviceThatThePolicyForbidsIsNoFaultOfThePart) {
  const std::function<void(ReleasePolicy&)> changes[] = {
      [](auto& p) { p.tee.kinds = {attest::EvidenceKind::tdx}; },
      [](auto& p) { p.tee.dev_keys = {}; },
      [](auto& p) { p.tee.measurements = {}; },
  };
  for (const auto& change : changes) {
    ReleasePolicy changed = policy();
    change(changed);
    deposit_data(changed);
    EXPECT_EQ(broker_->release(request(proof())).error().code, Errc::refused);
  }
}

TEST_F(BrokerTest, AFixedPriceOfAnothersOrderNeedsTimeToClaimIt) {
  const auto verdict = attest::verify(*prover_.evidence({}), 0);
  ASSERT_TRUE(verdict.ok());
  api::Terms& terms = view_.facts_now.terms;
  const auto allowed = [&] {
    const ReleaseCase release{view_.facts_now.market, terms, 2, keys_.signing.address(), 1010};
    for (const auto& rule : evaluate(policy(), release, *verdict)) {
      if (rule.rule == "claimWindow") return rule.allowed;
    }
    return false;
  };
  terms.claim_window = kClaimWindowDefault - 1;
  EXPECT_TRUE(allowed()) << "nothing is owed for an own upload";
  terms.parts[2].price = Amount(5);
  EXPECT_TRUE(allowed()) << "the customer owes it to themselves";
  terms.customer = filled<Address>(0x66);
  EXPECT_FALSE(allowed());
  terms.claim_window = kClaimWindowDefault;
  EXPECT_TRUE(allowed());
  terms.claim_window = 0;
  terms.parts[2].price_type = api::PriceType::per_hour;
  EXPECT_TRUE(allowed()) << "nothing is locked for prices per hour";
}

TEST_F(BrokerTest, DepthIsWaitedForAndNotRefused) {
  ReleasePolicy deep = policy();
  deep.chains[0].confirmations = 5;
  deposit_data(deep);
  EXPECT_EQ(broker_->release(request(proof())).error().code, Errc::unavailable);
  view_.facts_now.confirmations = 5;
  EXPECT_TRUE(broker_->release(request(proof())).ok());
}

TEST_F(BrokerTest, SessionsOfAnAttemptAreLimited) {
  for (std::uint32_t i = 0; i < kSessionsDefault; ++i) {
    session_ = crypto::EthKey::generate(random_);
    ASSERT_TRUE(broker_->release(request(proof())).ok());
  }
  session_ = crypto::EthKey::generate(random_);
  EXPECT_EQ(broker_->release(request(proof())).error().code, Errc::refused);
}

TEST_F(BrokerTest, AStrangersUploadOfTheSameDigestHasNoSecret) {
  view_.facts_now.terms.parts[2].owner = filled<Address>(0x66);
  const auto answer = broker_->release(request(proof()));
  ASSERT_TRUE(answer.ok() && answer->refusal.has_value());
  EXPECT_EQ(answer->refusal->statement.reason, api::RefusalReason::unknown);
}

TEST_F(BrokerTest, DepositsAreTheOwnersAlone) {
  api::Deposit deposit{keys_.signing.address(),
                       owner_.address(),
                       filled<Digest32>(3),
                       later(),
                       policy().to_json(),
                       Bytes(100),
                       {}};
  deposit.signature = action_.sign(deposit.digest_to_sign());
  EXPECT_EQ(broker_->deposit(deposit).error().code, Errc::bad_signature);
  deposit.signature = owner_.sign(deposit.digest_to_sign());
  EXPECT_EQ(broker_->deposit(deposit).error().code, Errc::bad_signature);  // doesn't open
  deposit.broker = filled<Address>(1);
  EXPECT_EQ(broker_->deposit(deposit).error().code, Errc::mismatch);
}

// An owner replaces a policy; whoever saw the earlier deposit sends it again.
TEST_F(BrokerTest, AnEarlierDepositBringsNoPolicyBack) {
  const auto sealed = [&](std::uint64_t time, const ReleasePolicy& policy) {
    return signed_deposit(owner_, 3, time, policy);
  };
  ReleasePolicy strict = policy();
  strict.solutions.values = {filled<Digest32>(8)};
  const std::uint64_t time = later();
  const api::Deposit first = sealed(time, policy());
  const api::Deposit second = sealed(later(), strict);
  ASSERT_TRUE(broker_->deposit(first).ok());
  ASSERT_TRUE(broker_->release(request(proof())).value().refusal == std::nullopt);
  ASSERT_TRUE(broker_->deposit(second).ok());
  EXPECT_EQ(broker_->deposit(first).error().code, Errc::expired);
  EXPECT_EQ(broker_->deposit(sealed(second.time, policy())).error().code, Errc::expired);
  EXPECT_TRUE(broker_->deposit(second).ok());  // whose answer was lost
  EXPECT_TRUE(broker_->release(request(proof())).value().refusal.has_value());
  const auto now = static_cast<std::uint64_t>(clock_.unix_seconds());
  for (const std::uint64_t off : {now - api::kDepositClockWindow - 5, std::uint64_t{0},
                                  now + api::kDepositClockWindow + 5, UINT64_MAX}) {
    EXPECT_EQ(broker_->deposit(sealed(off, policy())).error().code, Errc::expired) << off;
  }
  api::Deposit redated = first;
  redated.time = later();
  EXPECT_EQ(broker_->deposit(redated).error().code, Errc::bad_signature);
}

// A policy with the required fields, and `more` in front of the end.
std::string minimal(const std::string& more = "", const std::string& kind = "dev") {
  return R"({"version":1,"tee":{"kinds":[")" + kind +
         R"("],"measurements":[]},"chains":[],"until":"2030-01-01T00:00:00Z")" + more + "}";
}

TEST(Policy, DeniesByDefault) {
  const auto policy = ReleasePolicy::parse(minimal());
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_FALSE(policy->solutions.any || policy->orders.any || policy->accounts.any ||
               policy->recipients.any || policy->offers.any || policy->own_upload);
  EXPECT_TRUE(policy->tee.dev_keys.empty());
  EXPECT_EQ(policy->max_orders, 1U);
  EXPECT_EQ(policy->arguments.size(), 2U);  // none allowed
  const auto again = ReleasePolicy::parse(policy->to_json());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *policy);
}

TEST(Policy, RefusesWhatItDoesNotKnow) {
  const std::string wrong[] = {
      "{}",
      R"({"version":2})",
      "[]",
      R"({"version":1,"version":1})",
      R"({"version":1,"tee":{"kinds":["dev"],"measurements":[]},"chains":[]})",
      minimal("", "x"),
      minimal(R"(,"ordres":"any")"),
      minimal(R"(,"orders":"all")"),
      minimal(R"(,"sessions":1000)"),
  };
  for (const std::string& text : wrong) EXPECT_FALSE(ReleasePolicy::parse(text).ok()) << text;
}

}  // namespace
}  // namespace sp::broker
