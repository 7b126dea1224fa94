#include "broker/service.hpp"

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/log.hpp"
#include "collateral/complete.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::broker {
namespace {

constexpr std::string_view kKeysMagic = "SPBK";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kKeysSize = 4 + 2 + 3 * 32;

api::Run run_of(const attest::OrderSession& context) {
  return {context.order, context.attempt, context.replica};
}

Status check_live(const OrderFacts& facts, const attest::OrderSession& context) {
  if (facts.ended) return Error{Errc::conflict, "the order has ended"};
  if (facts.cancelled) return Error{Errc::conflict, "the order has been cancelled"};
  if (context.attempt != facts.attempt || context.replica >= facts.terms.replicas) {
    return Error{Errc::mismatch, "the order is at attempt " + std::to_string(facts.attempt) +
                                     ", the session is for attempt " +
                                     std::to_string(context.attempt)};
  }
  if (facts.now > facts.created_at + facts.terms.work_by) {
    return Error{Errc::expired, "the order's time to begin work is over"};
  }
  return {};
}

Status check_device(const attest::Verdict& verdict, const api::Compute& compute) {
  if (verdict.kind() != compute.kind) {
    return Error{Errc::mismatch, "the evidence is of kind " +
                                     std::string(attest::kind_name(verdict.kind())) +
                                     ", the compute offer promises " +
                                     std::string(attest::kind_name(compute.kind))};
  }
  if (verdict.chip() != compute.chip) {
    return Error{Errc::mismatch, "the evidence is from chip " + verdict.chip().hex() +
                                     ", the compute offer is of chip " + compute.chip.hex()};
  }
  return {};
}

// What isn't current any more its vendor renews: that is tried again, unlike what is wrong.
Result<attest::Verdict> current_verdict(const attest::Evidence& evidence, std::int64_t now,
                                        const attest::Anchors& anchors) {
  auto verdict = attest::verify(evidence, now, anchors);
  if (verdict || verdict.error().code != Errc::expired) return verdict;
  return Error{Errc::unavailable, "collateral isn't current: " + verdict.error().message};
}

// After the window, the vault may have erased what replaced the deposit.
Status check_deposit_time(std::uint64_t signed_at, std::int64_t now) {
  const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0));
  const std::uint64_t off = time > signed_at ? time - signed_at : signed_at - time;
  if (off <= api::kDepositClockWindow) return {};
  return Error{Errc::expired, "the deposit was signed for " + std::to_string(signed_at) +
                                  ", the broker's clock says " + std::to_string(now) +
                                  ": set the clock that is wrong and deposit it again"};
}

}  // namespace

BrokerKeys BrokerKeys::generate(Random& random) {
  return {crypto::EthKey::generate(random), crypto::X25519KeyPair::generate(random),
          crypto::random_secret<32>(random)};
}

SecretBytes BrokerKeys::encode() const {
  SecretBytes bytes(kKeysSize);
  const MutableByteView out = bytes.writable();
  std::copy(kKeysMagic.begin(), kKeysMagic.end(), out.begin());
  out[5] = kVersion;
  std::size_t at = 6;
  for (const ByteView part : {signing.secret().reveal(), deposit.secret.reveal(), vault.reveal()}) {
    std::copy(part.begin(), part.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    at += part.size();
  }
  return bytes;
}

Result<BrokerKeys> BrokerKeys::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(4)) != kKeysMagic) reader.fail(Errc::malformed, "not a broker's keys");
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of keys");
  const ByteView signing = reader.raw(32);
  const ByteView deposit = reader.raw(32);
  const ByteView vault = reader.raw(32);
  SP_TRY(reader.finish());
  SP_ASSIGN(Secret32 signing_secret, Secret32::from(signing));
  SP_ASSIGN(crypto::EthKey key, crypto::EthKey::from_secret(std::move(signing_secret)));
  SP_ASSIGN(Secret32 deposit_secret, Secret32::from(deposit));
  SP_ASSIGN(Secret32 vault_secret, Secret32::from(vault));
  return BrokerKeys{std::move(key), crypto::X25519KeyPair::from_secret(std::move(deposit_secret)),
                    std::move(vault_secret)};
}

NonceBook::NonceBook(const Clock& clock, Random& random)
    : clock_(clock), random_(random), key_(crypto::random_secret<32>(random)) {}

// The nonce with its last bytes made of all before, and of whom it is for.
api::Nonce NonceBook::with_mac(api::Nonce nonce, const api::NonceRequest& request) const {
  constexpr std::size_t kHead = kTimeSize + kFreshSize;
  Bytes covered = to_bytes(nonce.view().first(kHead));
  append(covered, request.encode());
  const Digest32 mac = crypto::hmac_sha256(key_.reveal(), covered);
  std::copy_n(mac.data.begin(), nonce.data.size() - kHead, nonce.data.begin() + kHead);
  return nonce;
}

api::Nonce NonceBook::issue(const api::NonceRequest& request) {
  const auto now = static_cast<std::uint64_t>(clock_.monotonic().count());
  auto nonce = crypto::random_fixed<api::Nonce>(random_);
  Writer writer;
  writer.u64(now);
  const Bytes& time = writer.bytes();
  std::copy(time.begin(), time.end(), nonce.data.begin());
  return with_mac(nonce, request);
}

Status NonceBook::check(const api::Nonce& nonce, const api::NonceRequest& request) const {
  const std::uint64_t issued = Reader(nonce.view()).u64();
  const auto now = static_cast<std::uint64_t>(clock_.monotonic().count());
  constexpr std::uint64_t kLifetime =
      std::chrono::nanoseconds(std::chrono::seconds(api::kNonceLifetimeSeconds)).count();
  const bool ours = crypto::equal_constant_time(with_mac(nonce, request).view(), nonce.view());
  if (!ours || issued > now || now - issued >= kLifetime) {
    return Error{Errc::expired, "the evidence holds no live nonce of this broker for the session"};
  }
  return {};
}

Broker::Broker(const BrokerKeys& keys, ChainView& view, Vault& vault, prove::Prover& prover,
               const Clock& clock, Random& random, Options options)
    : keys_(keys),
      view_(view),
      vault_(vault),
      prover_(prover),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      nonces_(clock, random) {}

Result<api::Nonce> Broker::nonce(const api::NonceRequest& request) {
  return nonces_.issue(request);
}

Result<api::Nonce> Broker::own_nonce(const api::Terms& terms, const api::SessionProof& proof) {
  const std::vector<Address> brokers = terms.brokers_in_order();
  const attest::OrderSession& context = proof.context;
  if (context.nonces.size() != brokers.size()) {
    return Error{Errc::mismatch, "the session binds " + std::to_string(context.nonces.size()) +
                                     " nonces, the order has " + std::to_string(brokers.size()) +
                                     " brokers"};
  }
  const auto own = std::find(brokers.begin(), brokers.end(), keys_.signing.address());
  if (own == brokers.end()) {
    return Error{Errc::unauthorised, "the order doesn't name this broker"};
  }
  const api::Nonce nonce = context.nonces[static_cast<std::size_t>(own - brokers.begin())];
  SP_TRY(nonces_.check(nonce, {run_of(context), context.session}));
  return nonce;
}

Result<Broker::Session> Broker::check_session(const api::SessionProof& proof) {
  const attest::OrderSession& context = proof.context;
  SP_ASSIGN(OrderFacts facts, view_.facts(context.order));
  SP_TRY(facts.terms.check_version_1());
  SP_TRY(check_live(facts, context));
  SP_ASSIGN(const api::Compute compute, facts.terms.compute_of(context.attempt, context.replica));
  const api::Acceptance acceptance{run_of(context), context.session};
  if (!crypto::verify_eth(acceptance.digest(facts.market), proof.acceptance, facts.action)) {
    return Error{Errc::unauthorised, "the provider's action account hasn't accepted this session"};
  }
  SP_ASSIGN(const api::Nonce nonce, own_nonce(facts.terms, proof));
  attest::Evidence evidence = proof.evidence;
  if (options_.collateral != nullptr) {
    SP_ASSIGN(evidence, collateral::complete(std::move(evidence), *options_.collateral));
  }
  SP_ASSIGN(attest::Verdict verdict, current_verdict(evidence, facts.now, options_.anchors));
  SP_TRY(verdict.binds(context.report_data()));
  SP_TRY(check_device(verdict, compute));
  metrics_.saw(verdict);
  return Session{std::move(facts), std::move(verdict), nonce};
}

Result<api::Signed<api::Attestation>> Broker::attest(const api::SessionProof& proof) {
  auto word = attest_session(proof);
  metrics_.count(word ? Metrics::Event::attested : Metrics::Event::failed);
  return word;
}

Result<api::Signed<api::Attestation>> Broker::attest_session(const api::SessionProof& proof) {
  SP_ASSIGN(const Session session, check_session(proof));
  if (session.facts.terms.attestor != keys_.signing.address()) {
    return Error{Errc::unauthorised, "the order names another attestor"};
  }
  SP_TRY(attest::all_allowed(attest::appraise(session.verdict, options_.attestor_policy)));
  const CrashEffect effect(CrashSite::broker_attest);
  api::Attestation attestation;
  attestation.kind = session.verdict.kind();
  attestation.vendor = session.verdict.vendor();
  attestation.tcb_status = session.verdict.tcb_status();
  attestation.chip = session.verdict.chip();
  attestation.measurement = session.verdict.measurement_digest();
  attestation.run = run_of(proof.context);
  attestation.session = proof.context.session;
  attestation.time = session.facts.now;
  attestation.acceptance = proof.acceptance;
  log(LogLevel::info, "session_attested",
      {{"order", attestation.run.order.hex0x()}, {"session", attestation.session.hex0x()}});
  return api::Signed<api::Attestation>::make(attestation, session.facts.market, keys_.signing);
}

Status Broker::check_request(const api::ReleaseRequest& request, const Session& session) {
  const OrderFacts& facts = session.facts;
  const api::Attestation& attestation = request.attestation.statement;
  const api::KeyRequest& asked = request.request.statement;
  const api::Run run = run_of(request.proof.context);
  SP_TRY(request.attestation.verify(facts.market, facts.terms.attestor));
  if (attestation.run != run || attestation.session != request.proof.context.session) {
    return Error{Errc::mismatch, "the attestation is of another session"};
  }
  // The part's owner claims with this very attestation: what the market refuses gets no key.
  if (attestation.acceptance != request.proof.acceptance) {
    return Error{Errc::mismatch, "the attestation holds another acceptance of the session"};
  }
  if (attestation.chip != session.verdict.chip() || attestation.kind != session.verdict.kind() ||
      attestation.measurement != session.verdict.measurement_digest()) {
    return Error{Errc::mismatch, "the attestation is of another device or loader"};
  }
  if (attestation.time < facts.created_at ||
      attestation.time > facts.created_at + facts.terms.work_by) {
    return Error{Errc::expired, "the attestation is out of the order's time"};
  }
  SP_TRY(request.request.verify(facts.market, attestation.session));
  if (asked.run != run || asked.attestation != attestation.digest(facts.market)) {
    return Error{Errc::mismatch, "the key request is for another run or attestation"};
  }
  if (asked.part >= facts.terms.parts.size()) {
    return Error{Errc::not_found, "the order has no part " + std::to_string(asked.part)};
  }
  const auto& brokers = facts.terms.parts[asked.part].brokers;
  if (std::find(brokers.begin(), brokers.end(), keys_.signing.address()) == brokers.end()) {
    return Error{Errc::unauthorised, "the part names another broker"};
  }
  if (!facts.part_enabled[asked.part]) {
    return Error{Errc::conflict, "the part's offer is disabled"};
  }
  return {};
}

Result<api::ReleaseAnswer> Broker::refuse(const api::KeyRequest& request, api::RefusalReason reason,
                                          const api::Eip712Domain& domain) {
  const api::Refusal refusal{request.run, request.part, reason};
  return api::ReleaseAnswer{
      {}, {}, api::Signed<api::Refusal>::make(refusal, domain, keys_.signing)};
}

Result<api::ReleaseAnswer> Broker::release_secret(const api::ReleaseRequest& request,
                                                  const Session& session) {
  const OrderFacts& facts = session.facts;
  const api::KeyRequest& asked = request.request.statement;
  const api::Part& part = facts.terms.parts[asked.part];
  auto deposited = vault_.get(part.owner, part.digest);
  if (!deposited && deposited.error().code == Errc::not_found) {
    return refuse(asked, api::RefusalReason::unknown, facts.market);
  }
  if (!deposited) return deposited.error();
  SP_ASSIGN(const ReleasePolicy policy, ReleasePolicy::parse(deposited->policy));
  const ReleaseCase release{facts.market, facts.terms, asked.part, keys_.signing.address(),
                            facts.now};
  const auto refused = [&](const Error& why) {
    log(LogLevel::warning, "release_refused",
        {{"order", asked.run.order.hex0x()}, {"part", asked.part}, {"reason", why.message}});
  };
  // A device that isn't good enough is its provider's matter, who may mend it: a signed refusal
  // would blame the part, and pay the provider for having tried.
  const Status device = attest::all_allowed(attest::appraise(session.verdict, policy.tee));
  if (!device) {
    refused(device.error());
    return device.error();
  }
  const Status allowed = attest::all_allowed(evaluate(policy, release, session.verdict));
  if (!allowed) {
    refused(allowed.error());
    return refuse(asked, api::RefusalReason::policy, facts.market);
  }
  for (const PolicyChain& chain : policy.chains) {
    if (chain.market == facts.market && facts.confirmations < chain.confirmations) {
      return Error{Errc::unavailable, "the order has " + std::to_string(facts.confirmations) +
                                          " of " + std::to_string(chain.confirmations) +
                                          " confirmations"};
    }
  }
  // Kept before the key goes out, so that the owner can claim whatever happens next.
  SP_TRY(vault_.keep_request({request.attestation, request.request}, policy.sessions));
  const CrashEffect effect(CrashSite::broker_release);
  const api::ReleasedSecret released{std::move(deposited->secret), policy.arguments};
  const Bytes info = api::release_info(session.own_nonce, asked.run, asked.part);
  SP_ASSIGN(Bytes sealed, crypto::hpke_seal(random_, request.proof.context.session_key, info, {},
                                            released.encode().reveal()));
  log(LogLevel::info, "key_released", {{"order", asked.run.order.hex0x()}, {"part", asked.part}});
  const api::Release said{asked.run, asked.part, session.own_nonce, crypto::sha256(sealed)};
  const crypto::EthSignature signature = keys_.signing.sign(said.digest(facts.market));
  return api::ReleaseAnswer{std::move(sealed), signature, std::nullopt};
}

Result<api::ReleaseAnswer> Broker::release(const api::ReleaseRequest& request) {
  auto answer = release_checked(request);
  metrics_.count(!answer           ? Metrics::Event::failed
                 : answer->refusal ? Metrics::Event::refused
                                   : Metrics::Event::released);
  return answer;
}

Result<api::ReleaseAnswer> Broker::release_checked(const api::ReleaseRequest& request) {
  SP_ASSIGN(const Session session, check_session(request.proof));
  SP_TRY(check_request(request, session));
  return release_secret(request, session);
}

Result<api::BrokerIdentityAnswer> Broker::identity(const api::Nonce& nonce) {
  const attest::BrokerIdentity context{keys_.deposit.public_key, keys_.signing.address(), nonce};
  SP_ASSIGN(attest::Evidence evidence, prover_.evidence(context.report_data()));
  return api::BrokerIdentityAnswer{context.deposit_key, context.broker, std::move(evidence)};
}

Status Broker::deposit(const api::Deposit& deposit) {
  if (deposit.broker != keys_.signing.address()) {
    return Error{Errc::mismatch, "the deposit is meant for broker " + deposit.broker.hex0x()};
  }
  SP_TRY(crypto::verify_eth(deposit.digest_to_sign(), deposit.signature, deposit.owner));
  const std::int64_t now = clock_.unix_seconds();
  SP_TRY(check_deposit_time(deposit.time, now));
  SP_ASSIGN(const ReleasePolicy policy, ReleasePolicy::parse(deposit.policy));
  SP_ASSIGN(const SecretBytes opened,
            crypto::hpke_open(keys_.deposit, deposit.info(), {}, deposit.sealed));
  SP_ASSIGN(api::PartSecret secret, api::PartSecret::decode(opened.reveal()));
  SP_TRY(
      vault_.put({deposit.owner, deposit.digest, deposit.time, deposit.policy, std::move(secret)},
                 policy.until, now));
  log(LogLevel::info, "secret_deposited",
      {{"owner", deposit.owner.hex0x()}, {"digest", deposit.digest.hex()}});
  return {};
}

bool Broker::holds(const Address& owner, const Digest32& digest) const {
  return vault_.has(owner, digest);
}

Result<std::vector<KeptRequest>> Broker::requests(const api::OrderId& order) {
  return vault_.requests(order);
}

}  // namespace sp::broker
