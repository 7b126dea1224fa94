#include "attest/evidence.hpp"

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kEvidenceMagic = "SPEV";
constexpr std::uint16_t kVersion = 1;

// Domain tags of the binding contexts. "gateway identity", "TLS key" and "confirmation block" are
// reserved.
constexpr std::string_view kOrderSessionTag = "sp binding: order session v1";
constexpr std::string_view kBrokerIdentityTag = "sp binding: broker identity v1";
constexpr std::string_view kChipTag = "sp chip v1";
constexpr std::string_view kMeasurementTag = "sp measurement v1";

ReportData bind(std::string_view tag, ByteView context) {
  Writer writer;
  writer.text(tag).raw(context);
  ReportData data;
  data.data = crypto::sha512(writer.bytes()).data;
  return data;
}

struct KindName {
  EvidenceKind kind;
  std::string_view name;
};
constexpr KindName kKindNames[] = {{EvidenceKind::dev, "dev"},
                                   {EvidenceKind::sev_snp, "snp"},
                                   {EvidenceKind::tdx, "tdx"},
                                   {EvidenceKind::sgx, "sgx"},
                                   {EvidenceKind::tpm, "tpm"}};

struct TcbName {
  TcbStatus status;
  std::string_view name;
};
constexpr TcbName kTcbNames[] = {
    {TcbStatus::up_to_date, "UpToDate"},
    {TcbStatus::sw_hardening_needed, "SWHardeningNeeded"},
    {TcbStatus::configuration_needed, "ConfigurationNeeded"},
    {TcbStatus::configuration_and_sw_hardening_needed, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::out_of_date, "OutOfDate"},
    {TcbStatus::out_of_date_configuration_needed, "OutOfDateConfigurationNeeded"},
    {TcbStatus::revoked, "Revoked"}};

}  // namespace

std::string_view kind_name(EvidenceKind kind) {
  for (const auto& entry : kKindNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "none";
}

std::string_view tcb_name(TcbStatus status) {
  for (const auto& entry : kTcbNames) {
    if (entry.status == status) return entry.name;
  }
  return "unknown";
}

Result<EvidenceKind> kind_from_name(std::string_view name) {
  for (const auto& entry : kKindNames) {
    if (entry.name == name) return entry.kind;
  }
  return Error{Errc::malformed, "unknown kind of evidence; known are dev, snp, tdx, sgx, tpm"};
}

Result<TcbStatus> tcb_from_name(std::string_view name) {
  for (const auto& entry : kTcbNames) {
    if (entry.name == name) return entry.status;
  }
  return Error{Errc::malformed, "unknown TCB status"};
}

Bytes Evidence::encode() const {
  Writer writer;
  writer.raw(as_bytes(kEvidenceMagic)).u16(kVersion).u8(static_cast<std::uint8_t>(kind));
  writer.var(body).var(collateral);
  return std::move(writer).take();
}

Result<Evidence> Evidence::decode(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kEvidenceMagic.size())) != kEvidenceMagic) {
    reader.fail(Errc::malformed, "not evidence: it doesn't begin with SPEV");
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of evidence");
  Evidence evidence;
  const std::uint8_t kind = reader.u8();
  if (kind < 1 || kind > 5) reader.fail(Errc::unsupported, "unknown kind of evidence");
  evidence.kind = static_cast<EvidenceKind>(kind);
  evidence.body = to_bytes(reader.var(kEvidenceBodyMax));
  evidence.collateral = to_bytes(reader.var(kCollateralMax));
  SP_TRY(reader.finish());
  return evidence;
}

Bytes OrderSession::encode() const {
  SP_CHECK(nonces.size() <= kNoncesMax);
  Writer writer;
  writer.raw(session_key.view()).raw(session.view());
  writer.u16(static_cast<std::uint16_t>(nonces.size()));
  for (const Nonce& nonce : nonces) writer.raw(nonce.view());
  writer.raw(order.view()).u16(attempt).u8(replica);
  return std::move(writer).take();
}

Result<OrderSession> OrderSession::decode(ByteView bytes) {
  Reader reader(bytes);
  OrderSession session;
  session.session_key = reader.fixed<crypto::X25519Public>();
  session.session = reader.fixed<Address>();
  const std::size_t count = reader.count(kNoncesMax);
  for (std::size_t i = 0; i < count; ++i) session.nonces.push_back(reader.fixed<Nonce>());
  session.order = reader.fixed<OrderId>();
  session.attempt = reader.u16();
  session.replica = reader.u8();
  SP_TRY(reader.finish());
  return session;
}

ReportData OrderSession::report_data() const { return bind(kOrderSessionTag, encode()); }

Bytes BrokerIdentity::encode() const {
  Writer writer;
  writer.raw(deposit_key.view()).raw(broker.view()).raw(nonce.view());
  return std::move(writer).take();
}

ReportData BrokerIdentity::report_data() const { return bind(kBrokerIdentityTag, encode()); }

ChipId chip_id(Vendor vendor, ByteView hardware_id) {
  Writer writer;
  writer.text(kChipTag).u8(static_cast<std::uint8_t>(vendor)).var(hardware_id);
  ChipId id;
  id.data = crypto::sha256(writer.bytes()).data;
  return id;
}

MeasurementDigest measurement_digest(EvidenceKind kind, const Measurement& measurement) {
  Writer writer;
  writer.text(kMeasurementTag).u8(static_cast<std::uint8_t>(kind)).raw(measurement.view());
  MeasurementDigest digest;
  digest.data = crypto::sha256(writer.bytes()).data;
  return digest;
}

}  // namespace sp::attest
