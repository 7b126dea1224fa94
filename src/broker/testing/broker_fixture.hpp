// A broker with a chain that a test makes up, an owner, a provider and a session: what the tests of
// this room stand on.
#pragma once

#include "broker/service.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/testing/temporary_folder.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "prove/dev.hpp"

namespace sp::broker {

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed value;
  value.data.fill(byte);
  return value;
}

class FakeView final : public ChainView {
 public:
  OrderFacts facts_now;
  Result<OrderFacts> facts(const api::OrderId& order) override {
    if (order != facts_now.terms.order_id(facts_now.market)) return Error{Errc::not_found, "none"};
    return facts_now;
  }
};

class BrokerTest : public ::testing::Test {
 protected:
  BrokerTest() {
    vault_.emplace(files_, folder_, keys_.vault.clone(), random_);
    view_.facts_now = facts();
    broker_.emplace(keys_, view_, *vault_, prover_, clock_, random_, Broker::Options{accepting()});
    deposit_data();
  }

  attest::AppraisalPolicy accepting() const {
    attest::AppraisalPolicy policy;
    policy.kinds = {attest::EvidenceKind::dev};
    policy.measurements = {measurement_};
    policy.tcb_statuses = {attest::TcbStatus::up_to_date};
    policy.dev_keys = {anchor_};
    return policy;
  }

  OrderFacts facts() {
    OrderFacts facts;
    facts.market = {31337, filled<Address>(0xaa)};
    api::Terms& terms = facts.terms;
    terms.customer = owner_.address();
    terms.attestor = keys_.signing.address();
    terms.result_key = filled<crypto::X25519Public>(1);
    terms.work_by = 100;
    api::Compute compute;
    compute.kind = attest::EvidenceKind::dev;
    compute.chip = chip_;
    terms.choices = {compute};
    api::Part part;
    part.owner = owner_.address();
    part.brokers = {keys_.signing.address()};
    for (const auto kind : {api::PartKind::arguments, api::PartKind::solution, api::PartKind::data,
                            api::PartKind::storage}) {
      part.kind = kind;
      part.digest = filled<Digest32>(static_cast<std::uint8_t>(kind));
      if (kind == api::PartKind::storage) part.brokers.clear();
      terms.parts.push_back(part);
    }
    facts.created_at = 1000;
    facts.now = 1010;
    facts.confirmations = 1;
    facts.action = action_.address();
    facts.part_enabled.assign(4, true);
    return facts;
  }

  ReleasePolicy policy() const {
    ReleasePolicy policy;
    policy.tee = accepting();
    policy.chains = {{view_.facts_now.market, 1}};
    policy.solutions.values = {filled<Digest32>(2)};
    policy.orders.any = true;
    policy.accounts.values = {owner_.address()};
    policy.recipients.any = true;
    policy.own_upload = true;
    policy.until = 5000;
    return policy;
  }

  // Of a deposit: each is signed a second after the one before.
  std::uint64_t later() { return static_cast<std::uint64_t>(clock_.unix_seconds()) + ++deposits_; }

  // Of a secret of 32 bytes 0x5e, as its owner signs it.
  api::Deposit signed_deposit(const crypto::EthKey& owner, std::uint8_t digest, std::uint64_t time,
                              const ReleasePolicy& policy) {
    api::Deposit deposit{keys_.signing.address(),
                         owner.address(),
                         filled<Digest32>(digest),
                         time,
                         policy.to_json(),
                         {},
                         {}};
    const api::PartSecret secret{Secret32::from(filled<Digest32>(0x5e).view()).value(), {}};
    deposit.sealed = crypto::hpke_seal(random_, keys_.deposit.public_key, deposit.info(), {},
                                       secret.encode().reveal())
                         .value();
    deposit.signature = owner.sign(deposit.digest_to_sign());
    return deposit;
  }

  void deposit_data(const std::optional<ReleasePolicy>& changed = {}) {
    const auto deposit = signed_deposit(owner_, 3, later(), changed.value_or(policy()));
    ASSERT_TRUE(broker_->deposit(deposit).ok());
  }

  // A session's proof as an honest loader makes it; `change` may spoil its context before it is
  // bound.
  api::SessionProof proof(const std::function<void(attest::OrderSession&)>& change = {}) {
    attest::OrderSession context;
    context.session_key = session_key_.public_key;
    context.session = session_.address();
    context.order = view_.facts_now.terms.order_id(view_.facts_now.market);
    const api::Run run{context.order, 0, 0};
    context.nonces = {broker_->nonce({run, context.session}).value()};
    if (change) change(context);
    const api::Acceptance acceptance{{context.order, 0, 0}, context.session};
    return {context, evidence_of(context.report_data()),
            action_.sign(acceptance.digest(view_.facts_now.market))};
  }

  api::ReleaseRequest request(const api::SessionProof& session_proof, std::uint8_t part = 2) {
    const auto attestation = broker_->attest(session_proof);
    EXPECT_TRUE(attestation.ok()) << attestation.error().message;
    return request_with(session_proof, attestation.value(), part);
  }
  api::ReleaseRequest request_with(const api::SessionProof& session_proof,
                                   const api::Signed<api::Attestation>& attestation,
                                   std::uint8_t part) {
    const auto& market = view_.facts_now.market;
    const api::KeyRequest key_request{attestation.statement.run, part,
                                      attestation.statement.digest(market)};
    return {session_proof, attestation,
            api::Signed<api::KeyRequest>::make(key_request, market, session_)};
  }

  Errc attest_error(const api::SessionProof& session_proof) {
    const auto answer = broker_->attest(session_proof);
    EXPECT_FALSE(answer.ok());
    return answer.ok() ? Errc::usage : answer.error().code;
  }

  /// What the platform signs: dev evidence, unless a test puts another platform there.
  std::function<attest::Evidence(const attest::ReportData&)> evidence_of =
      [this](const attest::ReportData& data) { return prover_.evidence(data).value(); };

  PosixFiles files_;
  SystemClock clock_;
  std::uint64_t deposits_ = 0;
  crypto::SystemRandom random_;
  sp::testing::TemporaryFolder folder_;
  BrokerKeys keys_ = BrokerKeys::generate(random_);
  crypto::EthKey owner_ = crypto::EthKey::generate(random_);
  crypto::EthKey action_ = crypto::EthKey::generate(random_);
  crypto::EthKey session_ = crypto::EthKey::generate(random_);
  crypto::X25519KeyPair session_key_ = crypto::X25519KeyPair::generate(random_);
  prove::DevPlatform platform_ = prove::DevPlatform::generate(random_);
  const attest::ChipId chip_ = platform_.chip();
  const Digest48 anchor_ = platform_.anchor();
  const attest::Measurement measurement_ = filled<attest::Measurement>(7);
  prove::DevProver prover_{std::move(platform_), measurement_};
  FakeView view_;
  std::optional<Vault> vault_;
  std::optional<Broker> broker_;
};

}  // namespace sp::broker
