// Terms, statements and messages of a fuzzer's choices: every one encodes. For fuzz targets alone.
#pragma once

#include "api/broker.hpp"
#include "api/window.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::api::testing {

using sp::testing::FuzzInput;

inline Amount any_amount(FuzzInput& input) {
  const Amount::Number high = input.number<std::uint64_t>();
  return Amount(high << 64 | input.number<std::uint64_t>());
}

template <class Value, class Make>
std::vector<Value> any_list(FuzzInput& input, std::size_t count_max, Make make) {
  std::vector<Value> list(input.below(count_max + 1));
  for (Value& value : list) value = make(input);
  return list;
}

inline Part any_part(FuzzInput& input) {
  Part part;
  part.kind = static_cast<PartKind>(1 + input.below(4));
  part.price_type = static_cast<PriceType>(input.below(2));
  part.max_orders = input.number<std::uint32_t>();
  part.price = any_amount(input);
  part.owner = input.fixed<Address>();
  part.token = input.fixed<Address>();
  part.store = input.fixed<Address>();
  part.brokers =
      any_list<Address>(input, kBrokersMax, [](FuzzInput& from) { return from.fixed<Address>(); });
  part.digest = input.fixed<Digest32>();
  part.info = input.fixed<Digest32>();
  return part;
}

inline Compute any_compute(FuzzInput& input) {
  Compute compute;
  compute.kind = static_cast<EvidenceKind>(1 + input.below(5));
  for (std::uint32_t* field :
       {&compute.min_seconds, &compute.max_seconds, &compute.min_work_by, &compute.min_settle_by,
        &compute.min_settle_window, &compute.min_claim_window, &compute.cpu_milli,
        &compute.memory_mib, &compute.disk_mib, &compute.pids}) {
    *field = input.number<std::uint32_t>();
  }
  compute.price_per_hour = any_amount(input);
  compute.base_fee = any_amount(input);
  compute.max_exposure = any_amount(input);
  compute.provider = input.fixed<Address>();
  compute.token = input.fixed<Address>();
  compute.attestors = any_list<Address>(input, kAttestorsMax,
                                        [](FuzzInput& from) { return from.fixed<Address>(); });
  compute.chip = input.fixed<ChipId>();
  compute.info = input.fixed<Digest32>();
  return compute;
}

/// Few of each list, so that an input of some hundred bytes says all of it.
inline Terms any_terms(FuzzInput& input) {
  Terms terms;
  terms.mode = static_cast<std::uint8_t>(input.below(2));
  terms.replicas = input.byte();
  terms.quorum = input.byte();
  for (std::uint32_t* field :
       {&terms.ordered_seconds, &terms.work_by, &terms.settle_by, &terms.settle_window,
        &terms.claim_window, &terms.cpu_milli, &terms.memory_mib, &terms.disk_mib, &terms.pids}) {
    *field = input.number<std::uint32_t>();
  }
  terms.customer = input.fixed<Address>();
  terms.token = input.fixed<Address>();
  terms.attestor = input.fixed<Address>();
  terms.result_key = input.fixed<crypto::X25519Public>();
  terms.salt = input.fixed<Digest32>();
  terms.extensions = input.fixed<Digest32>();
  terms.egress =
      any_list<std::string>(input, 3, [](FuzzInput& from) { return from.text(kEgressTextMax); });
  terms.options =
      any_list<Digest32>(input, 3, [](FuzzInput& from) { return from.fixed<Digest32>(); });
  terms.choices = any_list<Compute>(input, 2, any_compute);
  terms.parts = any_list<Part>(input, 4, any_part);
  return terms;
}

inline Eip712Domain any_market(FuzzInput& input) {
  return {input.number<std::uint64_t>(), input.fixed<Address>()};
}

inline Run any_run(FuzzInput& input) {
  return {input.fixed<OrderId>(), input.number<std::uint16_t>(), input.byte()};
}

inline Start any_start(FuzzInput& input) {
  Start start;
  start.market = any_market(input);
  start.attempt = input.number<std::uint16_t>();
  start.replica = input.byte();
  start.terms = any_terms(input);
  return start;
}

inline SessionProof any_session_proof(FuzzInput& input) {
  SessionProof proof;
  proof.context.session_key = input.fixed<crypto::X25519Public>();
  proof.context.session = input.fixed<Address>();
  proof.context.nonces =
      any_list<Nonce>(input, 4, [](FuzzInput& from) { return from.fixed<Nonce>(); });
  proof.context.order = input.fixed<OrderId>();
  proof.context.attempt = input.number<std::uint16_t>();
  proof.context.replica = input.byte();
  proof.evidence = {static_cast<EvidenceKind>(1 + input.below(5)), to_bytes(input.bytes(200)),
                    to_bytes(input.bytes(200))};
  proof.acceptance = input.fixed<EthSignature>();
  return proof;
}

inline Signed<Attestation> any_attestation(FuzzInput& input) {
  Attestation attestation;
  attestation.kind = static_cast<EvidenceKind>(1 + input.below(5));
  attestation.vendor =
      input.one_of(std::array{attest::Vendor::amd, attest::Vendor::intel, attest::Vendor::dev});
  attestation.tcb_status = static_cast<attest::TcbStatus>(1 + input.below(7));
  attestation.chip = input.fixed<ChipId>();
  attestation.measurement = input.fixed<attest::MeasurementDigest>();
  attestation.run = any_run(input);
  attestation.session = input.fixed<Address>();
  attestation.time = input.number<std::uint32_t>();
  attestation.acceptance = input.fixed<EthSignature>();
  return {attestation, input.fixed<EthSignature>()};
}

inline Signed<Receipt> any_receipt(FuzzInput& input) {
  Receipt receipt;
  receipt.run = any_run(input);
  receipt.outcome = static_cast<Outcome>(input.below(5));
  receipt.started = input.flag();
  receipt.limit = static_cast<LimitHit>(input.below(5));
  receipt.fault_part = input.byte();
  receipt.exit_code = static_cast<std::int32_t>(input.number<std::uint32_t>());
  receipt.opened = input.number<std::uint32_t>();
  receipt.duration_ms = input.number<std::uint64_t>();
  receipt.result = input.fixed<Digest32>();
  receipt.commitment = input.fixed<Digest32>();
  return {receipt, input.fixed<EthSignature>()};
}

inline Finish any_finish(FuzzInput& input) {
  Finish finish;
  if (input.flag()) finish.proof = any_session_proof(input);
  if (input.flag()) finish.attestation = any_attestation(input);
  if (input.flag()) finish.receipt = any_receipt(input);
  finish.c = input.fixed<Digest32>();
  finish.failure = input.text(1024);
  return finish;
}

}  // namespace sp::api::testing
