#include "sim/contracts_values.hpp"

namespace sp::sim {
namespace {

using chain::AbiValue;

Result<api::Run> run_at(const std::vector<AbiValue>& list, std::size_t at) {
  api::Run run;
  SP_ASSIGN(const Digest32 order, list[at].as_word());
  run.order = {order.data};
  SP_ASSIGN(const std::uint64_t attempt, list[at + 1].as_number(0xffff));
  SP_ASSIGN(const std::uint64_t replica, list[at + 2].as_number(0xff));
  run.attempt = static_cast<std::uint16_t>(attempt);
  run.replica = static_cast<std::uint8_t>(replica);
  return run;
}

}  // namespace

Result<api::Attestation> attestation_from_abi(const AbiValue& value) {
  SP_ASSIGN(const std::vector<AbiValue> list, value.as_list());
  if (list.size() != 11) return Error{Errc::mismatch, "not an attestation"};
  api::Attestation result;
  SP_ASSIGN(const std::uint64_t kind, list[0].as_number(5));
  SP_ASSIGN(const std::uint64_t vendor, list[1].as_number(0xff));
  SP_ASSIGN(const std::uint64_t tcb, list[2].as_number(0xff));
  result.kind = static_cast<attest::EvidenceKind>(kind);
  result.vendor = static_cast<attest::Vendor>(vendor);
  result.tcb_status = static_cast<attest::TcbStatus>(tcb);
  SP_ASSIGN(const Digest32 chip, list[3].as_word());
  SP_ASSIGN(const Digest32 measurement, list[4].as_word());
  result.chip = {chip.data};
  result.measurement = {measurement.data};
  SP_ASSIGN(result.run, run_at(list, 5));
  SP_ASSIGN(result.session, list[8].as_address());
  SP_ASSIGN(const std::uint64_t time, list[9].as_number((std::uint64_t{1} << 40) - 1));
  result.time = static_cast<std::int64_t>(time);
  SP_ASSIGN(const Bytes acceptance, list[10].as_bytes_value());
  SP_ASSIGN(result.acceptance, crypto::EthSignature::from(acceptance));
  return result;
}

Result<api::Receipt> receipt_from_abi(const AbiValue& value) {
  SP_ASSIGN(const std::vector<AbiValue> list, value.as_list());
  if (list.size() != 12) return Error{Errc::mismatch, "not a receipt"};
  api::Receipt result;
  SP_ASSIGN(result.run, run_at(list, 0));
  SP_ASSIGN(const std::uint64_t outcome, list[3].as_number(4));
  SP_ASSIGN(const std::uint64_t started, list[4].as_number(1));
  SP_ASSIGN(const std::uint64_t limit, list[5].as_number(0xff));
  SP_ASSIGN(const std::uint64_t fault, list[6].as_number(0xff));
  SP_ASSIGN(const std::int64_t exit_code, list[7].as_signed());
  SP_ASSIGN(const std::uint64_t opened, list[8].as_number(0xffffffff));
  SP_ASSIGN(result.duration_ms, list[9].as_number(~std::uint64_t{0}));
  SP_ASSIGN(result.result, list[10].as_word());
  SP_ASSIGN(result.commitment, list[11].as_word());
  result.outcome = static_cast<api::Outcome>(outcome);
  result.started = started == 1;
  result.limit = static_cast<api::LimitHit>(limit);
  result.fault_part = static_cast<std::uint8_t>(fault);
  result.exit_code = static_cast<std::int32_t>(exit_code);
  result.opened = static_cast<std::uint32_t>(opened);
  return result;
}

Result<api::KeyRequest> key_request_from_abi(const AbiValue& value) {
  SP_ASSIGN(const std::vector<AbiValue> list, value.as_list());
  if (list.size() != 5) return Error{Errc::mismatch, "not a key request"};
  api::KeyRequest result;
  SP_ASSIGN(result.run, run_at(list, 0));
  SP_ASSIGN(const std::uint64_t part, list[3].as_number(0xff));
  SP_ASSIGN(result.attestation, list[4].as_word());
  result.part = static_cast<std::uint8_t>(part);
  return result;
}

}  // namespace sp::sim
