// Evidence of Azure's confidential VMs in the forms that guests' agents write it in.
#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/little_endian.hpp"
#include "attest/snp.hpp"
#include "attest/tpm_quote.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kJsonSizeMax = 256 * 1024;
constexpr std::size_t kFieldMax = 128 * 1024;
constexpr std::size_t kQuoteTextMax = 4096;
constexpr std::uint64_t kVersion = 1;

Bytes take_base64(JsonObject& object, std::string_view key) {
  auto bytes = from_any_base64(object.text(key, kFieldMax));
  if (!bytes) object.fail(key, bytes.error().message);
  return bytes ? std::move(*bytes) : Bytes();
}

Bytes take_hex(JsonObject& object, std::string_view key, std::size_t size_max) {
  auto bytes = from_hex(object.text(key, kQuoteTextMax));
  if (bytes && bytes->size() <= size_max) return std::move(*bytes);
  object.fail(key, "must be hexadecimal, and not that long");
  return {};
}

Result<std::vector<std::optional<Digest32>>> read_pcrs(const Json& list) {
  if (!list.is_array() || list.size() != kPcrCount) {
    return Error{Errc::malformed, "pcrs must be a list of " + std::to_string(kPcrCount)};
  }
  std::vector<std::optional<Digest32>> pcrs;
  for (const Json& entry : list) {
    if (!entry.is_string()) return Error{Errc::malformed, "pcrs must be texts"};
    SP_ASSIGN(const Digest32 pcr, Digest32::from_hex(entry.get<std::string>()));
    pcrs.emplace_back(pcr);
  }
  return pcrs;
}

Status read_quote(const Json& json, TpmEvidence& evidence) {
  JsonObject object(json, "tpm_quote");
  evidence.quote = take_hex(object, "message", kQuoteTextMax);
  evidence.signature = wrap_rsassa_sha256(take_hex(object, "signature", kTpmSignatureMax));
  const Json& pcrs = object.any("pcrs");
  SP_TRY(object.finish());
  SP_ASSIGN(evidence.pcrs, read_pcrs(pcrs));
  return {};
}

// The chip certificate: PEM, or DER in base64.
Result<Collateral> read_vcek(JsonObject& object) {
  const std::string text = object.text("vcek", kFieldMax);
  if (text.starts_with("-----BEGIN")) return collateral_from_amd_certificates(as_bytes(text));
  SP_ASSIGN(const Bytes der, from_any_base64(text));
  return collateral_from_amd_certificates(der);
}

// u64 size and so many bytes.
Bytes take_sized(LittleReader& reader, std::size_t size_max) {
  const std::uint64_t size = reader.u64();
  if (size > size_max) {
    reader.fail(Errc::too_large, "a field of " + std::to_string(size) + " bytes, at most " +
                                     std::to_string(size_max));
    return {};
  }
  return to_bytes(reader.raw(size));
}

}  // namespace

Result<AzureEvidence> azure_evidence_from_json(std::string_view json) {
  SP_ASSIGN(const Json parsed, parse_json(json, kJsonSizeMax));
  JsonObject object(parsed, "evidence");
  AzureEvidence read;
  if (object.number("version", kVersion) != kVersion) object.fail("version", "must be 1");
  read.evidence.hcl_report = take_base64(object, "hcl_report");
  const Json& quote = object.any("tpm_quote");
  if (object.has("td_quote")) read.evidence.td_quote = take_base64(object, "td_quote");
  if (object.has("vcek")) {
    SP_ASSIGN(read.collateral, read_vcek(object));
  }
  SP_TRY(object.finish());
  if (read.evidence.hcl_report.size() > kHclReportSizeMax) {
    return Error{Errc::too_large, "evidence.hcl_report of " +
                                      std::to_string(read.evidence.hcl_report.size()) +
                                      " bytes, at most " + std::to_string(kHclReportSizeMax)};
  }
  SP_TRY(read_quote(quote, read.evidence));
  return read;
}

Result<TpmEvidence> azure_quote_from_v0(ByteView bytes) {
  LittleReader reader(bytes);
  TpmEvidence evidence;
  evidence.signature = wrap_rsassa_sha256(take_sized(reader, kTpmSignatureMax));
  evidence.quote = take_sized(reader, kQuoteTextMax);
  const std::uint64_t count = reader.u64();
  if (count != kPcrCount) reader.fail(Errc::malformed, "PCRs must be 24");
  for (std::size_t i = 0; i < kPcrCount; ++i) evidence.pcrs.emplace_back(reader.fixed<Digest32>());
  SP_TRY(reader.status());
  if (reader.remaining() != 0) return Error{Errc::malformed, "bytes left over"};
  return evidence;
}

}  // namespace sp::attest
