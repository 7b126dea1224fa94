// Proof bundles, trust files and hints: the first byte says whether the rest is one of them, or of
// what a proof is built that holds. In that one thing is changed, and signed anew by whoever could
// have: the check that is about it fails, and the proof with it. Damage to the text changes nothing
// that is proved.
#include "market/proof.hpp"

#include "api/testing/fuzz_terms.hpp"
#include "attest/dev.hpp"
#include "attest/testing/fuzz_policy.hpp"
#include "base/testing/fuzz_json.hpp"
#include "crypto/testing/fixed_keys.hpp"

namespace sp::market {
namespace {

using crypto::testing::eth_key;
using sp::testing::FuzzInput;

constexpr std::array<const char*, 4> kWords{"any", "dev", "0x", "super protocol proof bundle"};
const attest::HardwareId kHardware{.data = {3}};

const crypto::EthKey& attestor() {
  static const crypto::EthKey key = eth_key(1);
  return key;
}

const crypto::EthKey& session() {
  static const crypto::EthKey key = eth_key(2);
  return key;
}

const crypto::EthKey& stranger() {
  static const crypto::EthKey key = eth_key(3);
  return key;
}

const crypto::EcKey& platform() {
  static const crypto::EcKey key =
      crypto::EcKey::from_secret(crypto::Curve::p256, SecretBytes(Bytes(32, 7))).value();
  return key;
}

attest::Evidence evidence_of(const api::SessionProof& proof, std::uint8_t program) {
  return attest::make_dev_evidence(platform(), kHardware, {.data = {program}},
                                   proof.context.report_data());
}

void attest_again(ProofBundle& bundle) {
  bundle.attestation =
      api::Signed<Attestation>::make(bundle.attestation.statement, bundle.market, attestor());
}

void receive_again(ProofBundle& bundle) {
  bundle.receipt = api::Signed<Receipt>::make(bundle.receipt.statement, bundle.market, session());
}

/// Any terms, in the form that version 1 asks for.
Terms any_order(FuzzInput& input) {
  Terms terms = api::testing::any_terms(input);
  terms.mode = 0;
  terms.replicas = terms.quorum = 1;
  terms.egress.clear();
  terms.options.clear();
  terms.extensions = {};
  terms.result_key.data[0] |= 1;
  terms.attestor = attestor().address();
  terms.choices.resize(1 + input.below(2));
  for (Compute& choice : terms.choices) choice.kind = attest::EvidenceKind::dev;
  terms.choices[0].chip = attest::chip_id(attest::Vendor::dev, kHardware.view());
  terms.parts.resize(3 + input.below(3));
  for (Part& part : terms.parts) {
    part.kind = api::PartKind::data;
    part.brokers = {terms.attestor};
  }
  terms.parts.front().kind = api::PartKind::arguments;
  terms.parts[1].kind = api::PartKind::solution;
  terms.parts.back().kind = api::PartKind::storage;
  terms.parts.back().brokers.clear();
  return terms;
}

ProofBundle any_bundle(FuzzInput& input) {
  ProofBundle bundle;
  bundle.market = api::testing::any_market(input);
  bundle.market.chain_id >>= 1;
  bundle.terms = any_order(input);
  bundle.proof = api::testing::any_session_proof(input);
  attest::OrderSession& context = bundle.proof.context;
  context.session = session().address();
  context.order = bundle.terms.order_id(bundle.market);
  context.attempt = context.replica = 0;
  bundle.proof.evidence = evidence_of(bundle.proof, 1);
  const auto verdict = attest::verify(bundle.proof.evidence, 0).value();
  Attestation& attestation = bundle.attestation.statement;
  attestation = {verdict.kind(),
                 verdict.vendor(),
                 verdict.tcb_status(),
                 verdict.chip(),
                 verdict.measurement_digest(),
                 {context.order, 0, 0},
                 context.session,
                 input.number<std::uint32_t>(),
                 bundle.proof.acceptance};
  Receipt& receipt = bundle.receipt.statement;
  receipt = api::testing::any_receipt(input).statement;
  receipt.run = attestation.run;
  receipt.opened %= 1U << bundle.terms.parts.size();
  receipt.result.data[0] = receipt.commitment.data[0] = 1;
  attest_again(bundle);
  receive_again(bundle);
  bundle.created_tx = input.fixed<chain::TxHash>();
  bundle.created_block = input.number<std::uint32_t>();
  return bundle;
}

Trust trust_in(const ProofBundle& bundle) {
  Trust trust{bundle.market, attestor().address(), bundle.terms.order_id(bundle.market), {}};
  trust.tee.kinds = {attest::EvidenceKind::dev};
  trust.tee.measurements = {{.data = {1}}};
  trust.tee.tcb_statuses = {attest::TcbStatus::up_to_date};
  trust.tee.dev_keys = {attest::dev_anchor(platform().public_key())};
  return trust;
}

/// One thing that isn't as it should be, and the check that is about it.
struct Lie {
  std::string_view check;
  void (*tell)(FuzzInput& input, ProofBundle& bundle);
};

void change(FuzzInput& input, MutableByteView value) {
  value[input.below(value.size())] ^= static_cast<std::uint8_t>(1 + input.below(255));
}

constexpr std::array kLies{
    Lie{"chain", [](FuzzInput&, ProofBundle& bundle) { bundle.market.chain_id ^= 1; }},
    Lie{"market", [](FuzzInput& in, ProofBundle& b) { change(in, b.market.contract.data); }},
    Lie{"order", [](FuzzInput& in, ProofBundle& b) { change(in, b.terms.salt.data); }},
    Lie{"terms.version", [](FuzzInput& in, ProofBundle& b) { b.terms.egress = {in.text(9)}; }},
    Lie{"terms.attestor", [](FuzzInput& in, ProofBundle& b) { change(in, b.terms.attestor.data); }},
    Lie{"terms.device",
        [](FuzzInput& in, ProofBundle& b) { change(in, b.terms.choices[0].chip.data); }},
    Lie{"evidence", [](FuzzInput& in, ProofBundle& b) { change(in, b.proof.evidence.body); }},
    Lie{"evidence.binding",
        [](FuzzInput& in, ProofBundle& b) { change(in, b.proof.context.session_key.data); }},
    Lie{"evidence.tee.measurements",
        [](FuzzInput&, ProofBundle& b) { b.proof.evidence = evidence_of(b.proof, 2); }},
    Lie{"attestation.signature",
        [](FuzzInput&, ProofBundle& b) {
          const Attestation& statement = b.attestation.statement;
          b.attestation = api::Signed<Attestation>::make(statement, b.market, stranger());
        }},
    Lie{"attestation.order",
        [](FuzzInput& in, ProofBundle& b) {
          change(in, b.attestation.statement.run.order.data);
          attest_again(b);
        }},
    Lie{"attestation.session",
        [](FuzzInput&, ProofBundle& b) {
          b.attestation.statement.session = stranger().address();
          attest_again(b);
        }},
    Lie{"attestation.acceptance",
        [](FuzzInput& in, ProofBundle& b) { change(in, b.proof.acceptance.data); }},
    Lie{"attestation.device",
        [](FuzzInput& in, ProofBundle& b) {
          change(in, b.attestation.statement.measurement.data);
          attest_again(b);
        }},
    Lie{"receipt.signature",
        [](FuzzInput&, ProofBundle& b) {
          b.receipt = api::Signed<Receipt>::make(b.receipt.statement, b.market, stranger());
        }},
    Lie{"receipt.order",
        [](FuzzInput&, ProofBundle& b) {
          ++b.receipt.statement.run.attempt;
          receive_again(b);
        }},
    Lie{"receipt.opened",
        [](FuzzInput& in, ProofBundle& b) {
          b.receipt.statement.opened |= 1U << (b.terms.parts.size() + in.below(24));
          receive_again(b);
        }},
    Lie{"receipt.result", [](FuzzInput& in, ProofBundle& b) {
          b.receipt.statement.outcome = api::Outcome::success;
          (in.flag() ? b.receipt.statement.result : b.receipt.statement.commitment) = {};
          receive_again(b);
        }}};

/// As it comes out of its text.
ProofBundle read_back(const ProofBundle& bundle) {
  const std::string text = bundle.to_json();
  auto read = ProofBundle::parse(text);
  SP_CHECK(read.ok() && read->to_json() == text);
  return *read;
}

void check_lie(FuzzInput& input, const Lie& lie, ProofBundle bundle, const Trust& trust) {
  lie.tell(input, bundle);
  const auto checks = verify_proof(read_back(bundle), trust);
  SP_CHECK(!proof_holds(checks));
  const auto failed = std::ranges::find(checks, lie.check, &ProofCheck::name);
  SP_CHECK(failed != checks.end() && failed->result == CheckResult::failed);
}

void check_text(FuzzInput& input, const ProofBundle& bundle, const Trust& trust) {
  Json json = parse_json(bundle.to_json(), kBundleSizeMax).value();
  spoil_json(input, json, kWords);
  const auto read = ProofBundle::parse(sp::testing::json_text(json));
  if (!read || !proof_holds(verify_proof(read_back(*read), trust))) return;
  SP_CHECK(read->terms == bundle.terms && read->proof.context == bundle.proof.context);
  SP_CHECK(read->attestation.statement == bundle.attestation.statement);
  SP_CHECK(read->receipt.statement == bundle.receipt.statement);
}

void check_trust(std::string_view text) {
  const auto trust = Trust::parse(text);
  if (trust) SP_CHECK(Trust::parse(trust->to_json()).value().to_json() == trust->to_json());
}

void check_built(FuzzInput& input) {
  // Chosen first, so that a short input reaches each.
  const bool lies = input.flag();
  const Lie& lie = kLies[input.below(kLies.size())];
  const ProofBundle bundle = any_bundle(input);
  Trust trust = trust_in(bundle);
  SP_CHECK(proof_holds(verify_proof(read_back(bundle), trust)));
  if (lies) {
    check_lie(input, lie, bundle, trust);
  } else {
    check_text(input, bundle, trust);
  }
  trust.tee = attest::testing::any_appraisal_policy(input);
  SP_CHECK(Trust::parse(trust.to_json()).value().tee == trust.tee);
  Json json = parse_json(trust.to_json(), kTrustSizeMax).value();
  spoil_json(input, json, kWords);
  check_trust(sp::testing::json_text(json));
}

void check_raw(ByteView bytes) {
  check_trust(as_text(bytes));
  const auto bundle = ProofBundle::parse(as_text(bytes));
  if (bundle) SP_CHECK(!proof_holds(verify_proof(read_back(*bundle), Trust{})));
  const auto hints = decode_hints(bytes);
  if (!hints) return;
  const Bytes again = encode_hints(*hints);  // may be longer: each address has its 0x
  SP_CHECK(again.size() > kHintsSizeMax || decode_hints(again).value() == *hints);
}

}  // namespace
}  // namespace sp::market

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  if (data[0] % 4 == 0) {
    sp::market::check_raw(bytes);
  } else {
    sp::testing::FuzzInput input(bytes);
    sp::market::check_built(input);
  }
  return 0;
}
