#include "attest/azure_hcl.hpp"

#include <nlohmann/json.hpp>

#include "attest/check.hpp"
#include "attest/little_endian.hpp"
#include "crypto/pem.hpp"

namespace sp::attest {
namespace {

constexpr std::uint32_t kRequestReport = 2;
constexpr std::uint32_t kRuntimeVersion = 1;
constexpr std::uint32_t kHashSha256 = 1;
constexpr std::string_view kAkName = "HCLAkPub";
constexpr std::size_t kKeysMax = 8;
constexpr std::size_t kTextMax = 128;
constexpr std::size_t kNumberTextMax = 1024;  // base64 of RSA-4096

// The header of 32 bytes, and what of it the rest is checked with.
Result<std::uint32_t> read_header(LittleReader& reader) {
  const bool magic_good = as_text(reader.raw(kHclMagic.size())) == kHclMagic;
  SP_REQUIRE(Check::tpm_hcl_magic, magic_good, kHclMagic, "another value");
  const std::uint32_t version = reader.u32();
  const std::uint32_t size = reader.u32();
  const std::uint32_t request = reader.u32();
  const std::uint32_t status = reader.u32();
  SP_REQUIRE(Check::tpm_hcl_version, version == 1 || version == 2, "1 or 2",
             std::to_string(version));
  SP_REQUIRE(Check::tpm_hcl_request, request == kRequestReport, std::to_string(kRequestReport),
             std::to_string(request));
  SP_REQUIRE(Check::tpm_hcl_status, status == 0, "0", std::to_string(status));
  return size;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Takes the only text of a list of one; empty where it isn't that.
std::string only_text(const Json& list) {
  if (!list.is_array() || list.size() != 1 || !list[0].is_string()) return {};
  return list[0].get<std::string>();
}

Result<TpmKey> read_ak(const Json& json) {
  JsonObject object(json, "AK");
  object.text("kid", kTextMax);
  if (only_text(object.any("key_ops")) != "sign") object.fail("key_ops", "must be [\"sign\"]");
  if (object.text("kty", kTextMax) != "RSA") object.fail("kty", "must be RSA");
  const auto exponent = from_any_base64(object.text("e", kNumberTextMax));
  const auto modulus = from_any_base64(object.text("n", kNumberTextMax));
  if (!exponent || exponent->empty()) object.fail("e", "must be base64url");
  if (!modulus || modulus->empty()) object.fail("n", "must be base64url");
  SP_TRY(object.finish());
  return TpmKey{*modulus, *exponent, {}};
}

Result<TpmKey> find_ak(const Json& keys) {
  if (!keys.is_array() || keys.size() > kKeysMax) {
    return Error{Errc::malformed, "keys must be a list of at most " + std::to_string(kKeysMax)};
  }
  std::optional<TpmKey> ak;
  for (const Json& key : keys) {
    const bool named = key.is_object() && key.contains("kid") && key["kid"].is_string();
    if (!named) return Error{Errc::malformed, "a key without a name"};
    if (key["kid"].get<std::string>() != kAkName) continue;
    if (ak) return Error{Errc::malformed, "two keys that are each " + std::string(kAkName)};
    SP_ASSIGN(ak, read_ak(key));
  }
  if (!ak) return Error{Errc::malformed, "no key " + std::string(kAkName)};
  return *ak;
}

}  // namespace

Result<HclReport> parse_hcl_report(ByteView report) {
  constexpr std::size_t kRuntimeAt = kHclHeaderSize + kHclHardwareSize;
  constexpr std::size_t kHeadSize = kRuntimeAt + kHclRuntimeHeaderSize;
  SP_REQUIRE(Check::tpm_hcl_size, report.size() >= kHeadSize && report.size() <= kHclReportSizeMax,
             std::to_string(kHeadSize) + " to " + std::to_string(kHclReportSizeMax),
             std::to_string(report.size()));
  LittleReader reader(report);
  SP_ASSIGN(const std::uint32_t size, read_header(reader));
  const ByteView reserved = reader.raw(kHclHeaderSize - 5 * sizeof(std::uint32_t));
  HclReport hcl;
  hcl.hardware_report = to_bytes(reader.raw(kHclHardwareSize));
  const std::uint32_t runtime_size = reader.u32();
  const std::uint32_t version = reader.u32();
  hcl.type = reader.u32();
  const std::uint32_t hash = reader.u32();
  const std::uint32_t data_size = reader.u32();
  const bool fits = data_size <= reader.remaining() &&
                    runtime_size == data_size + kHclRuntimeHeaderSize &&
                    size == kRuntimeAt + runtime_size;
  SP_REQUIRE(Check::tpm_hcl_size, fits, "sizes that fit together",
             std::to_string(size) + ", " + std::to_string(runtime_size) + " and " +
                 std::to_string(data_size));
  SP_REQUIRE(Check::tpm_hcl_runtime_version, version == kRuntimeVersion,
             std::to_string(kRuntimeVersion), std::to_string(version));
  SP_REQUIRE(Check::tpm_hcl_type, hcl.type == kHclTypeSnp || hcl.type == kHclTypeTdx, "2 or 4",
             std::to_string(hcl.type));
  SP_REQUIRE(Check::tpm_hcl_hash, hash == kHashSha256, std::to_string(kHashSha256),
             std::to_string(hash));
  hcl.runtime_data = to_bytes(reader.raw(data_size));
  SP_REQUIRE(Check::tpm_hcl_reserved, all_zero(reserved) && all_zero(reader.rest()), "zeros",
             "another value");
  return hcl;
}

Result<HclRuntime> parse_hcl_runtime(ByteView json) {
  const auto parsed = parse_json(as_text(json), kHclReportSizeMax);
  SP_REQUIRE_OK(Check::tpm_runtime_json, parsed);
  JsonObject object(*parsed, "runtime data");
  HclRuntime runtime;
  const Json& keys = object.any("keys");
  runtime.configuration = object.any("vm-configuration");
  if (!runtime.configuration.is_object()) object.fail("vm-configuration", "must be an object");
  runtime.user_data = object.text("user-data", 2 * kHclReportSizeMax);
  SP_REQUIRE_OK(Check::tpm_runtime_json, object.finish());
  auto ak = find_ak(keys);
  SP_REQUIRE_OK(Check::tpm_runtime_key, ak);
  runtime.ak = std::move(*ak);
  return runtime;
}

Result<Bytes> from_any_base64(std::string_view text) {
  std::string usual(text);
  std::replace(usual.begin(), usual.end(), '-', '+');
  std::replace(usual.begin(), usual.end(), '_', '/');
  while (usual.size() % 4 != 0) usual += '=';
  return crypto::from_base64(usual);
}

}  // namespace sp::attest
