#include "attest/snp_report.hpp"

#include <nlohmann/json.hpp>

#include "attest/check.hpp"
#include "attest/little_endian.hpp"

namespace sp::attest {
namespace {

constexpr std::size_t kNumberSize = 48;  // of P-384
constexpr std::uint32_t kEcdsaP384Sha384 = 1;
constexpr std::uint32_t kVmplMax = 3;  // 0xffffffff: the host asked for the report

// Guest policy (56860 section 4.3).
constexpr unsigned kPolicyOneBit = 17;
constexpr unsigned kPolicyDebugBit = 19;
constexpr unsigned kPolicyReservedFrom = 26;
struct Bit {
  unsigned bit;
  std::string_view name;
};
constexpr Bit kPolicyBits[] = {{16, "smt"},
                               {18, "migrationAgent"},
                               {kPolicyDebugBit, "debug"},
                               {20, "singleSocket"},
                               {21, "cxl"},
                               {22, "memAes256Xts"},
                               {23, "raplDisabled"},
                               {24, "ciphertextHiding"},
                               {25, "pageSwapDisabled"}};
// PLATFORM_INFO (56860 section 7.3). Bit 6 is reserved.
constexpr Bit kPlatformBits[] = {{0, "smt"},
                                 {1, "tsme"},
                                 {2, "ecc"},
                                 {3, "raplDisabled"},
                                 {4, "ciphertextHiding"},
                                 {5, "aliasCheckComplete"},
                                 {7, "tio"}};

bool bit_of(std::uint64_t value, unsigned bit) { return (value >> bit & 1U) != 0; }

std::uint64_t mask_of(std::span<const Bit> bits) {
  std::uint64_t mask = 0;
  for (const Bit& entry : bits) mask |= std::uint64_t{1} << entry.bit;
  return mask;
}

std::string number_hex(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  put_little(value, bytes);
  std::reverse(bytes.begin(), bytes.end());
  return to_hex0x(bytes);
}

// The bytes that are reserved up to a version, both offsets from the report's start.
struct Reserved {
  std::size_t from, end;
  std::uint32_t until_version;
};
constexpr std::uint32_t kVersionMax = 5;
constexpr std::size_t kROffset = kSnpSignedSize;
constexpr std::size_t kSOffset = kSnpSignedSize + kSnpNumberSize;
constexpr Reserved kReserved[] = {
    {0x04c, 0x050, kVersionMax},
    {0x188, 0x18b, 2},
    {0x18b, 0x1a0, kVersionMax},
    {0x1eb, 0x1ec, kVersionMax},
    {0x1ef, 0x1f0, kVersionMax},
    {0x1f8, 0x208, 3},
    {0x208, kSnpSignedSize, kVersionMax},
    // Of a number's 72 bytes P-384 needs 48.
    {kROffset + kNumberSize, kSOffset, kVersionMax},
    {kSOffset + kNumberSize, kSnpReportSize, kVersionMax},
};

// The offset of a reserved byte that isn't zero; kSnpReportSize where there is none.
std::size_t reserved_violation(ByteView report, std::uint32_t version) {
  constexpr std::size_t kKeyInformationOffset = 0x48;
  // Bits 5 to 31 of the key information.
  if (little_number(report.subspan(kKeyInformationOffset, 4)) >> 5 != 0) {
    return kKeyInformationOffset;
  }
  for (const Reserved& range : kReserved) {
    if (version > range.until_version) continue;
    for (std::size_t i = range.from; i < range.end; ++i) {
      if (report[i] != 0) return i;
    }
  }
  return kSnpReportSize;
}

template <std::size_t N>
std::array<std::uint8_t, N> take(LittleReader& reader) {
  std::array<std::uint8_t, N> value{};
  const ByteView bytes = reader.raw(N);
  std::copy(bytes.begin(), bytes.end(), value.begin());
  return value;
}

SnpTcb take_tcb(LittleReader& reader) { return {take<8>(reader)}; }

SnpFirmware take_firmware(LittleReader& reader) {
  SnpFirmware firmware;
  firmware.build = reader.u8();
  firmware.minor = reader.u8();
  firmware.major = reader.u8();
  reader.u8();
  return firmware;
}

// Fields up to REPORTED_TCB.
void read_first(LittleReader& reader, SnpReport& report) {
  report.version = reader.u32();
  report.guest_svn = reader.u32();
  report.policy = reader.u64();
  report.family_id = take<16>(reader);
  report.image_id = take<16>(reader);
  report.vmpl = reader.u32();
  report.algorithm = reader.u32();
  report.current_tcb = take_tcb(reader);
  report.platform = reader.u64();
  const std::uint32_t keys = reader.u32();
  report.author_key = bit_of(keys, 0);
  report.mask_chip_key = bit_of(keys, 1);
  report.signing_key = static_cast<std::uint8_t>(keys >> 2 & 7U);
  reader.u32();
  report.report_data = reader.fixed<ReportData>();
  report.measurement = reader.fixed<Measurement>();
  report.host_data = reader.fixed<Digest32>();
  report.id_key_digest = reader.fixed<Digest48>();
  report.author_key_digest = reader.fixed<Digest48>();
  report.report_id = reader.fixed<Digest32>();
  report.report_id_ma = reader.fixed<Digest32>();
  report.reported_tcb = take_tcb(reader);
}

void read_rest(LittleReader& reader, SnpReport& report) {
  const auto cpuid = take<3>(reader);
  if (report.version >= 3) report.cpuid = SnpCpuid{cpuid[0], cpuid[1], cpuid[2]};
  reader.raw(21);
  report.chip_id = take<kSnpChipIdSize>(reader);
  report.committed_tcb = take_tcb(reader);
  report.current = take_firmware(reader);
  report.committed = take_firmware(reader);
  report.launch_tcb = take_tcb(reader);
  if (report.version < 5) return;
  report.launch_mitigations = reader.u64();
  report.current_mitigations = reader.u64();
}

Json bits_json(std::uint64_t value, std::span<const Bit> bits) {
  Json json = Json::object();
  for (const Bit& entry : bits) json[std::string(entry.name)] = bit_of(value, entry.bit);
  return json;
}

Json firmware_json(const SnpFirmware& firmware) {
  return std::to_string(firmware.major) + "." + std::to_string(firmware.minor) + "." +
         std::to_string(firmware.build);
}

std::string_view key_name(std::uint8_t key) {
  switch (key) {
    case 0:
      return "VCEK";
    case 1:
      return "VLEK";
    case 7:
      return "none";
    default:
      return "unknown";
  }
}

Json policy_json(std::uint64_t policy) {
  Json json = bits_json(policy, kPolicyBits);
  json["value"] = number_hex(policy);
  json["abiMinor"] = policy & 0xffU;
  json["abiMajor"] = policy >> 8 & 0xffU;
  return json;
}

}  // namespace

bool SnpReport::debug() const { return bit_of(policy, kPolicyDebugBit); }

std::optional<SnpFamily> SnpReport::family() const {
  if (!cpuid) return std::nullopt;
  return family_from_cpuid(cpuid->family, cpuid->model);
}

Result<SnpReport> parse_snp_report(ByteView report) {
  SP_REQUIRE(Check::snp_report_size, report.size() == kSnpReportSize,
             std::to_string(kSnpReportSize), std::to_string(report.size()));
  LittleReader reader(report);
  SnpReport fields;
  read_first(reader, fields);
  const std::uint32_t version = fields.version;
  SP_REQUIRE(Check::snp_report_version, version == 2 || version == 3 || version == 5, "2, 3 or 5",
             std::to_string(version));
  const std::size_t violation = reserved_violation(report, version);
  SP_REQUIRE(Check::snp_report_reserved, violation == kSnpReportSize, "zeros",
             "another value at byte " + std::to_string(violation));
  read_rest(reader, fields);
  SP_TRY(reader.status());
  return fields;
}

Status check_snp_report(const SnpReport& report) {
  const bool policy_good =
      bit_of(report.policy, kPolicyOneBit) && report.policy >> kPolicyReservedFrom == 0;
  SP_REQUIRE(Check::snp_report_policy, policy_good, "bit 17 and none above 25",
             number_hex(report.policy));
  SP_REQUIRE(Check::snp_report_platform, (report.platform & ~mask_of(kPlatformBits)) == 0,
             "bits of " + number_hex(mask_of(kPlatformBits)), number_hex(report.platform));
  SP_REQUIRE(Check::snp_report_vmpl, report.vmpl <= kVmplMax, "0 to 3",
             std::to_string(report.vmpl));
  SP_REQUIRE(Check::snp_report_algorithm, report.algorithm == kEcdsaP384Sha384,
             std::to_string(kEcdsaP384Sha384), std::to_string(report.algorithm));
  const bool signed_by_amd = report.signing_key == static_cast<std::uint8_t>(SnpKey::vcek) ||
                             report.signing_key == static_cast<std::uint8_t>(SnpKey::vlek);
  SP_REQUIRE(Check::snp_report_key, signed_by_amd, "VCEK or VLEK", key_name(report.signing_key));
  SP_REQUIRE(Check::snp_report_masked, !report.mask_chip_key, "MASK_CHIP_KEY 0", "1");
  SP_REQUIRE(Check::snp_report_cpuid, !report.cpuid || report.family().has_value(),
             "Milan, Genoa or Turin",
             "family " + std::to_string(report.cpuid->family) + " model " +
                 std::to_string(report.cpuid->model));
  return {};
}

Bytes snp_signature(ByteView report) {
  SP_CHECK(report.size() == kSnpReportSize);
  Bytes signature;
  for (const std::size_t offset : {kROffset, kSOffset}) {
    const ByteView number = report.subspan(offset, kNumberSize);
    signature.insert(signature.end(), number.rbegin(), number.rend());
  }
  return signature;
}

Json snp_report_json(const SnpReport& report, SnpFamily family) {
  Json json = {{"version", report.version},
               {"guestSvn", report.guest_svn},
               {"policy", policy_json(report.policy)},
               {"familyId", to_hex(report.family_id)},
               {"imageId", to_hex(report.image_id)},
               {"vmpl", report.vmpl},
               {"platform", bits_json(report.platform, kPlatformBits)},
               {"signingKey", key_name(report.signing_key)},
               {"chipKeyMasked", report.mask_chip_key},
               {"reportData", report.report_data.hex()},
               {"measurement", report.measurement.hex()},
               {"hostData", report.host_data.hex()},
               {"idKeyDigest", report.id_key_digest.hex()},
               {"reportId", report.report_id.hex()},
               {"reportIdMa", report.report_id_ma.hex()},
               {"chipId", to_hex(report.chip_id)},
               {"reportedTcb", report.reported_tcb.parts(family)},
               {"currentTcb", report.current_tcb.parts(family)},
               {"committedTcb", report.committed_tcb.parts(family)},
               {"launchTcb", report.launch_tcb.parts(family)},
               {"currentFirmware", firmware_json(report.current)},
               {"committedFirmware", firmware_json(report.committed)},
               {"family", family_name(family)}};
  if (report.author_key) json["authorKeyDigest"] = report.author_key_digest.hex();
  if (report.cpuid) {
    json["cpuid"] = {{"family", report.cpuid->family},
                     {"model", report.cpuid->model},
                     {"stepping", report.cpuid->stepping}};
  }
  if (report.launch_mitigations) json["launchMitigations"] = number_hex(*report.launch_mitigations);
  if (report.current_mitigations) {
    json["currentMitigations"] = number_hex(*report.current_mitigations);
  }
  return json;
}

}  // namespace sp::attest
