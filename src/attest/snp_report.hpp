// The fields of an SEV-SNP attestation report (AMD 56860 revision 1.58, section 7.3 table
// "ATTESTATION_REPORT"): 1184 bytes, numbers little-endian, the last 512 the signature.
//
// Version 3 adds CPUID family, model and stepping; version 5 adds the mitigation vectors. Values;
// pure; safe to call from any thread.
#pragma once

#include <array>
#include <optional>

#include "attest/evidence.hpp"
#include "base/json.hpp"

namespace sp::attest {

inline constexpr std::size_t kSnpReportSize = 1184;
inline constexpr std::size_t kSnpSignedSize = 0x2a0;  ///< the signature covers what is before it
inline constexpr std::size_t kSnpNumberSize = 72;     ///< r and s, each little-endian
inline constexpr std::size_t kSnpChipIdSize = 64;

/// Families of processors, each with a root and a layout of TCB versions of its own.
enum class SnpFamily : std::uint8_t { milan, genoa, turin };
/// "Milan", "Genoa", "Turin": the names in AMD's certificates.
std::string_view family_name(SnpFamily family);
/// Empty for a name that isn't known.
std::optional<SnpFamily> family_from_name(std::string_view name);
/// By CPUID's combined family and model (57230 section 1.5); empty for a processor that isn't
/// known.
std::optional<SnpFamily> family_from_cpuid(std::uint8_t family, std::uint8_t model);

/// TCB_VERSION (56860 section 2.2): 8 bytes, a security version number of each part.
struct SnpTcb {
  std::array<std::uint8_t, 8> bytes{};

  /// The parts by name: bootloader, tee, snp, microcode, and fmc on Turin.
  [[nodiscard]] Json parts(SnpFamily family) const;
  /// Whether all bytes that the family reserves are zero.
  [[nodiscard]] bool reserved_zero(SnpFamily family) const;
  /// Whether any part is lower than that of `other`: bytes that are reserved are zero in both.
  [[nodiscard]] bool any_below(const SnpTcb& other) const;
  /// As AMD writes a TCB version: 16 digits, the highest byte first.
  [[nodiscard]] std::string hex() const;
  bool operator==(const SnpTcb&) const = default;
};

/// The parts, each where the family's layout has it.
struct SnpTcbParts {
  std::uint8_t fmc = 0;  ///< Turin only
  std::uint8_t bootloader = 0;
  std::uint8_t tee = 0;
  std::uint8_t snp = 0;
  std::uint8_t microcode = 0;
};
SnpTcb make_tcb(SnpFamily family, const SnpTcbParts& parts);
SnpTcbParts split_tcb(SnpFamily family, const SnpTcb& tcb);

/// SIGNING_KEY: which key signed the report.
enum class SnpKey : std::uint8_t { vcek = 0, vlek = 1, none = 7 };

struct SnpCpuid {
  std::uint8_t family = 0, model = 0, stepping = 0;
};
struct SnpFirmware {
  std::uint8_t major = 0, minor = 0, build = 0;
};

struct SnpReport {
  std::uint32_t version = 0;
  std::uint32_t guest_svn = 0;
  std::uint64_t policy = 0;
  std::array<std::uint8_t, 16> family_id{}, image_id{};
  std::uint32_t vmpl = 0;
  std::uint32_t algorithm = 0;
  SnpTcb current_tcb, reported_tcb, committed_tcb, launch_tcb;
  std::uint64_t platform = 0;
  bool author_key = false;
  bool mask_chip_key = false;
  std::uint8_t signing_key = 0;  ///< a value of SnpKey in a report that passed its checks
  ReportData report_data;
  Measurement measurement;
  Digest32 host_data;
  Digest48 id_key_digest, author_key_digest;
  Digest32 report_id, report_id_ma;
  std::optional<SnpCpuid> cpuid;  ///< from version 3
  std::array<std::uint8_t, kSnpChipIdSize> chip_id{};
  SnpFirmware current, committed;
  std::optional<std::uint64_t> launch_mitigations, current_mitigations;  ///< from version 5

  [[nodiscard]] bool debug() const;
  /// The family that CPUID tells; empty before version 3 and for a processor that isn't known.
  [[nodiscard]] std::optional<SnpFamily> family() const;
};

/// Reads a report. Size, version and reserved bytes are checked (snp.report.size, .version,
/// .reserved): a report in which they don't hold has no fields to speak of.
Result<SnpReport> parse_snp_report(ByteView report);

/// What a report must say for itself, whoever signed it: snp.report.policy to snp.report.cpuid.
Status check_snp_report(const SnpReport& report);

/// r || s, big-endian, 48 bytes each, of a report of the right size (CHECK).
Bytes snp_signature(ByteView report);

/// All fields by name; TCB versions by the layout of `family`.
Json snp_report_json(const SnpReport& report, SnpFamily family);

}  // namespace sp::attest
