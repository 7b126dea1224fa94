#include "api/statements.hpp"

#include "api/run_codec.hpp"
#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::api {
namespace {

using crypto::Eip712Struct;

constexpr std::string_view kAcceptanceType =
    "Acceptance(bytes32 order,uint16 attempt,uint8 replica,address session)";
constexpr std::string_view kAttestationType =
    "Attestation(uint8 kind,uint8 vendor,uint8 tcbStatus,bytes32 chip,bytes32 measurement,"
    "bytes32 order,uint16 attempt,uint8 replica,address session,uint40 time,bytes acceptance)";
constexpr std::string_view kKeyRequestType =
    "KeyRequest(bytes32 order,uint16 attempt,uint8 replica,uint8 part,bytes32 attestation)";
constexpr std::string_view kRefusalType =
    "Refusal(bytes32 order,uint16 attempt,uint8 replica,uint8 part,uint8 reason)";
constexpr std::string_view kReceiptType =
    "Receipt(bytes32 order,uint16 attempt,uint8 replica,uint8 outcome,bool started,uint8 limit,"
    "uint8 faultPart,int32 exitCode,uint32 opened,uint64 durationMs,bytes32 result,"
    "bytes32 commitment)";

constexpr std::int64_t kTimeMax = (std::int64_t{1} << 40) - 1;

Eip712Struct& add_run(Eip712Struct& hash, const Run& run) {
  return hash.word(run.order.view()).number(run.attempt).number(run.replica);
}

Digest32 finish(const Eip712Domain& domain, const Eip712Struct& hash) {
  return crypto::eip712_digest(domain.separator(), hash.hash());
}

template <class Enum>
Enum read_enum(Reader& reader, std::uint8_t least, std::uint8_t greatest) {
  const std::uint8_t value = reader.u8();
  if (value < least || value > greatest) reader.fail(Errc::malformed, "unknown enum value");
  return static_cast<Enum>(value);
}

void write(Writer& writer, const Attestation& value) {
  writer.u8(static_cast<std::uint8_t>(value.kind)).u8(static_cast<std::uint8_t>(value.vendor));
  writer.u8(static_cast<std::uint8_t>(value.tcb_status));
  writer.raw(value.chip.view()).raw(value.measurement.view());
  write_run(writer, value.run);
  writer.raw(value.session.view()).u64(static_cast<std::uint64_t>(value.time));
  writer.raw(value.acceptance.view());
}

void read(Reader& reader, Attestation& value) {
  value.kind = read_enum<EvidenceKind>(reader, 1, 5);
  const std::uint8_t vendor = reader.u8();
  if (vendor != 1 && vendor != 2 && vendor != 255) reader.fail(Errc::malformed, "unknown vendor");
  value.vendor = static_cast<attest::Vendor>(vendor);
  value.tcb_status = read_enum<attest::TcbStatus>(reader, 1, 7);
  value.chip = reader.fixed<ChipId>();
  value.measurement = reader.fixed<attest::MeasurementDigest>();
  value.run = read_run(reader);
  value.session = reader.fixed<Address>();
  const std::uint64_t time = reader.u64();
  if (time > static_cast<std::uint64_t>(kTimeMax)) reader.fail(Errc::malformed, "time over 2^40-1");
  value.time = static_cast<std::int64_t>(time);
  value.acceptance = reader.fixed<EthSignature>();
}

void write(Writer& writer, const KeyRequest& value) {
  write_run(writer, value.run);
  writer.u8(value.part).raw(value.attestation.view());
}

void read(Reader& reader, KeyRequest& value) {
  value.run = read_run(reader);
  value.part = reader.u8();
  value.attestation = reader.fixed<Digest32>();
}

void write(Writer& writer, const Refusal& value) {
  write_run(writer, value.run);
  writer.u8(value.part).u8(static_cast<std::uint8_t>(value.reason));
}

void read(Reader& reader, Refusal& value) {
  value.run = read_run(reader);
  value.part = reader.u8();
  value.reason = read_enum<RefusalReason>(reader, 1, 2);
}

void write(Writer& writer, const Receipt& value) {
  write_run(writer, value.run);
  writer.u8(static_cast<std::uint8_t>(value.outcome)).u8(value.started ? 1 : 0);
  writer.u8(static_cast<std::uint8_t>(value.limit)).u8(value.fault_part);
  writer.u32(static_cast<std::uint32_t>(value.exit_code)).u32(value.opened);
  writer.u64(value.duration_ms).raw(value.result.view()).raw(value.commitment.view());
}

void read(Reader& reader, Receipt& value) {
  value.run = read_run(reader);
  value.outcome = read_enum<Outcome>(reader, 0, 4);
  value.started = reader.boolean();
  value.limit = read_enum<LimitHit>(reader, 0, 4);
  value.fault_part = reader.u8();
  value.exit_code = static_cast<std::int32_t>(reader.u32());
  value.opened = reader.u32();
  value.duration_ms = reader.u64();
  value.result = reader.fixed<Digest32>();
  value.commitment = reader.fixed<Digest32>();
}

}  // namespace

Digest32 Acceptance::digest(const Eip712Domain& domain) const {
  Eip712Struct hash(kAcceptanceType);
  return finish(domain, add_run(hash, run).address(session));
}

Digest32 Attestation::digest(const Eip712Domain& domain) const {
  SP_CHECK(time >= 0 && time <= kTimeMax);
  Eip712Struct hash(kAttestationType);
  hash.number(static_cast<std::uint8_t>(kind)).number(static_cast<std::uint8_t>(vendor));
  hash.number(static_cast<std::uint8_t>(tcb_status)).word(chip.view()).word(measurement.view());
  add_run(hash, run).address(session).number(static_cast<std::uint64_t>(time));
  return finish(domain, hash.dynamic(acceptance.view()));
}

Digest32 KeyRequest::digest(const Eip712Domain& domain) const {
  Eip712Struct hash(kKeyRequestType);
  return finish(domain, add_run(hash, run).number(part).word(attestation.view()));
}

Digest32 Refusal::digest(const Eip712Domain& domain) const {
  Eip712Struct hash(kRefusalType);
  return finish(domain, add_run(hash, run).number(part).number(static_cast<std::uint8_t>(reason)));
}

Digest32 Receipt::digest(const Eip712Domain& domain) const {
  Eip712Struct hash(kReceiptType);
  add_run(hash, run).number(static_cast<std::uint8_t>(outcome)).number(started ? 1 : 0);
  hash.number(static_cast<std::uint8_t>(limit)).number(fault_part).signed_number(exit_code);
  hash.number(opened).number(duration_ms).word(result.view());
  return finish(domain, hash.word(commitment.view()));
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
      return "success";
    case Outcome::workload:
      return "workload";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::input:
      return "input";
    case Outcome::provider:
      return "provider";
  }
  return "unknown";
}

std::string_view limit_name(LimitHit limit) {
  switch (limit) {
    case LimitHit::none:
      return "none";
    case LimitHit::time:
      return "time";
    case LimitHit::memory:
      return "memory";
    case LimitHit::disk:
      return "disk";
    case LimitHit::log:
      return "log";
  }
  return "unknown";
}

template <class Statement>
Bytes Signed<Statement>::encode() const {
  Writer writer;
  write(writer, statement);
  writer.raw(signature.view());
  return std::move(writer).take();
}

template <class Statement>
Result<Signed<Statement>> Signed<Statement>::decode(ByteView bytes) {
  Reader reader(bytes);
  Signed result;
  read(reader, result.statement);
  result.signature = reader.fixed<EthSignature>();
  SP_TRY(reader.finish());
  return result;
}

template struct Signed<Attestation>;
template struct Signed<KeyRequest>;
template struct Signed<Refusal>;
template struct Signed<Receipt>;

Status verify_acceptance(const Attestation& attestation, const Eip712Domain& domain,
                         const Address& action) {
  const Acceptance acceptance{attestation.run, attestation.session};
  return crypto::verify_eth(acceptance.digest(domain), attestation.acceptance, action);
}

Digest32 commitment_of(const Run& run, const Address& session, const Digest32& c) {
  Writer writer;
  writer.raw(run.order.view()).u16(run.attempt).u8(run.replica).raw(session.view()).raw(c.view());
  return crypto::keccak256(writer.bytes());
}

}  // namespace sp::api
