#include "attest/dev.hpp"

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kDevMagic = "SPDV";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kPointSize = 64;
constexpr std::size_t kSignatureSize = 64;

}  // namespace

Bytes DevReport::encode() const {
  SP_CHECK(public_key.size() == kPointSize);
  Writer writer;
  writer.raw(as_bytes(kDevMagic)).u16(kVersion);
  writer.raw(hardware_id.view()).raw(measurement.view()).raw(report_data.view());
  writer.raw(public_key).raw(signature);
  return std::move(writer).take();
}

Result<DevReport> DevReport::decode_unverified(ByteView bytes) {
  Reader reader(bytes);
  if (as_text(reader.raw(kDevMagic.size())) != kDevMagic) {
    reader.fail(Errc::malformed, "not a dev report: it doesn't begin with SPDV");
  }
  if (reader.u16() != kVersion) reader.fail(Errc::unsupported, "unknown version of dev report");
  DevReport report;
  report.hardware_id = reader.fixed<HardwareId>();
  report.measurement = reader.fixed<Measurement>();
  report.report_data = reader.fixed<ReportData>();
  report.public_key = to_bytes(reader.raw(kPointSize));
  report.signature = to_bytes(reader.raw(kSignatureSize));
  SP_TRY(reader.finish());
  return report;
}

Evidence make_dev_evidence(const crypto::EcKey& key, const HardwareId& hardware_id,
                           const Measurement& measurement, const ReportData& report_data) {
  SP_CHECK(key.public_key().curve() == crypto::Curve::p256);
  DevReport report{hardware_id, measurement, report_data, key.public_key().point(), {}};
  report.signature = key.sign_raw(report.encode());
  return {EvidenceKind::dev, report.encode(), {}};
}

Digest48 dev_anchor(const crypto::EcPublic& key) { return crypto::sha384(key.point()); }

}  // namespace sp::attest
