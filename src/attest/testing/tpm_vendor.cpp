#include "attest/testing/tpm_vendor.hpp"

#include "attest/azure_hcl.hpp"
#include "attest/little_endian.hpp"
#include "attest/tpm_quote.hpp"
#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::attest::testing {
namespace {

constexpr std::size_t kFillerSize = 256;

std::string base64url(ByteView bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) text += kAlphabet[bits >> (count - 6) & 63U];
  }
  if (count > 0) text += kAlphabet[bits << (6 - count) & 63U];
  return text;
}

std::string runtime_data() {
  const auto& ak = TpmVendor::ak();
  return R"({"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":")" +
         base64url(ak.exponent()) + R"(","n":")" + base64url(ak.modulus()) +
         R"("},{"kid":"HCLEkPub","key_ops":["encrypt"],"kty":"RSA","e":"AQAB","n":"AQAB"}],)" +
         R"("vm-configuration":{"secure-boot":true},"user-data":"00"})";
}

ReportData digest_of(std::string_view runtime) {
  ReportData data;
  const Digest32 digest = crypto::sha256(as_bytes(runtime));
  std::copy(digest.data.begin(), digest.data.end(), data.data.begin());
  return data;
}

void append_number(Bytes& to, std::uint64_t value) {
  std::array<std::uint8_t, 4> bytes{};
  put_little(value, bytes);
  append(to, bytes);
}

Bytes hcl_report(ByteView hardware_report, std::string_view runtime) {
  const std::size_t runtime_size = kHclRuntimeHeaderSize + runtime.size();
  Bytes report = to_bytes(as_bytes(kHclMagic));
  for (const std::size_t number :
       {std::size_t{1}, kHclHeaderSize + kHclHardwareSize + runtime_size, std::size_t{2},
        std::size_t{0}, std::size_t{0}, std::size_t{0}, std::size_t{0}}) {
    append_number(report, number);
  }
  append(report, hardware_report);
  for (const std::size_t number :
       {runtime_size, std::size_t{1}, std::size_t{kHclTypeSnp}, std::size_t{1}, runtime.size()}) {
    append_number(report, number);
  }
  append(report, as_bytes(runtime));
  report.resize(report.size() + kFillerSize);
  return report;
}

}  // namespace

const crypto::testing::RsaSigner& TpmVendor::ak() {
  static const crypto::testing::RsaSigner kKey;
  return kKey;
}

std::vector<std::optional<Digest32>> TpmVendor::pcrs() {
  std::vector<std::optional<Digest32>> values;
  for (std::size_t i = 0; i < kPcrCount; ++i) {
    values.emplace_back(crypto::sha256(Bytes{static_cast<std::uint8_t>(i)}));
  }
  return values;
}

Bytes TpmVendor::quote(ByteView extra_data) {
  const Bytes signer(34, 0x0b);
  Bytes values;
  for (const auto& pcr : pcrs()) append(values, pcr->view());
  Writer writer;
  writer.u32(0xff544347).u16(0x8018);
  writer.u16(static_cast<std::uint16_t>(signer.size())).raw(signer);
  writer.u16(static_cast<std::uint16_t>(extra_data.size())).raw(extra_data);
  writer.u64(1234).u32(2).u32(3).u8(1).u64(0x20230312);
  writer.u32(1).u16(kTpmSha256).u8(3).raw(Bytes{0xff, 0xff, 0xff});
  writer.u16(Digest32::kSize).raw(crypto::sha256(values).view());
  return std::move(writer).take();
}

TpmEvidence TpmVendor::evidence(const ReportData& report_data, const TpmOptions& options) const {
  std::string runtime = runtime_data();
  if (options.change_runtime) options.change_runtime(runtime);
  ReportData binding = digest_of(runtime);
  if (options.change_binding) options.change_binding(binding);
  TpmEvidence evidence;
  evidence.hcl_report = hcl_report(amd_.report(binding, options.snp), runtime);
  if (options.change_hcl) options.change_hcl(evidence.hcl_report);
  evidence.quote = quote(report_data.view());
  if (options.change_quote) options.change_quote(evidence.quote);
  evidence.signature = wrap_rsassa_sha256(ak().sign_sha256(evidence.quote));
  if (options.pcrs) evidence.pcrs = pcrs();
  if (options.change_evidence) options.change_evidence(evidence);
  return evidence;
}

Evidence TpmVendor::tpm(const ReportData& report_data, const TpmOptions& options) const {
  return {EvidenceKind::tpm, evidence(report_data, options).encode(),
          amd_.collateral(options.snp).encode()};
}

}  // namespace sp::attest::testing
