#include "attest/launch_snp.hpp"

#include "attest/little_endian.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::uint64_t kFirmwareEnd = 0x1'0000'0000;  // firmware ends at 4 GiB
constexpr std::uint32_t kResetVector = 0xffff'fff0;    // where the first processor starts

// PAGE_INFO (56860 section 8.17.2): digest so far, digest of the contents, and then 16 bytes.
constexpr std::size_t kPageInfoSize = 0x70;
constexpr std::size_t kPageInfoTypeAt = 0x62;
constexpr std::size_t kPageInfoAddressAt = 0x68;
enum PageType : std::uint8_t { kNormal = 1, kVmsa = 2, kZero = 3, kSecrets = 5, kCpuid = 6 };
// The address under which firmware accounts processors' states: -1, the page and its upper bits
// cut off.
constexpr std::uint64_t kVmsaAddress = 0xffff'ffff'f000;

class LaunchDigest {
 public:
  explicit LaunchDigest(const Measurement& start) : digest_(start) {}

  void add(PageType type, std::uint64_t address, const Digest48& contents) {
    std::array<std::uint8_t, kPageInfoSize> info{};
    const MutableByteView view(info);
    std::copy(digest_.data.begin(), digest_.data.end(), view.begin());
    std::copy(contents.data.begin(), contents.data.end(), view.begin() + Digest48::kSize);
    put_little(kPageInfoSize, view.subspan(2 * Digest48::kSize, 2));
    view[kPageInfoTypeAt] = type;
    put_little(address, view.subspan(kPageInfoAddressAt, 8));
    digest_ = crypto::sha384(info);
  }
  void add_zeros(PageType type, std::uint64_t address, std::uint64_t size) {
    for (std::uint64_t at = 0; at < size; at += kPageSize) add(type, address + at, {});
  }
  [[nodiscard]] const Measurement& value() const { return digest_; }

 private:
  Measurement digest_;
};

// ---- The table of kernel hashes, as QEMU writes it into guest memory ----

constexpr std::string_view kTableGuid = "06d63894224fc94cb479a793d411fd21";
constexpr std::string_view kKernelGuid = "3794e74dd2ab7f42b835d5b172d2045b";
constexpr std::string_view kInitrdGuid = "31f7ba442f3ad74b9af141e29169781d";
constexpr std::string_view kAppendGuid = "d82dd09720bd944caa78e7714d36ab2a";
constexpr std::size_t kHashEntrySize = 16 + 2 + Digest32::kSize;
constexpr std::size_t kHashTableSize = 16 + 2 + 3 * kHashEntrySize;
constexpr std::size_t kPaddedTableSize = (kHashTableSize + 15) / 16 * 16;

void append_head(Bytes& to, std::string_view guid, std::size_t size) {
  append(to, from_hex(guid).value());
  std::array<std::uint8_t, 2> number{};
  put_little(size, number);
  append(to, number);
}

Bytes hashes_table(const KernelHashes& hashes) {
  Bytes table;
  append_head(table, kTableGuid, kHashTableSize);
  append_head(table, kAppendGuid, kHashEntrySize);
  append(table, hashes.append.view());
  append_head(table, kInitrdGuid, kHashEntrySize);
  append(table, hashes.initrd.view());
  append_head(table, kKernelGuid, kHashEntrySize);
  append(table, hashes.kernel.view());
  table.resize(kPaddedTableSize);
  return table;
}

// ---- The state of a processor at its start (AMD64 APM volume 2, table B-4) ----

struct Segment {
  std::size_t at;
  std::uint16_t selector, attributes;
};
constexpr Segment kSegments[] = {{0x00, 0, 0x93}, {0x10, 0xf000, 0x9b}, {0x20, 0, 0x93},
                                 {0x30, 0, 0x93}, {0x40, 0, 0x93},      {0x50, 0, 0x93},
                                 {0x60, 0, 0},    {0x70, 0, 0x82},      {0x80, 0, 0},
                                 {0x90, 0, 0x8b}};  // ES CS SS DS FS GS GDTR LDTR IDTR TR
constexpr std::size_t kCodeBaseAt = 0x18;
constexpr std::uint64_t kSegmentLimit = 0xffff;
struct Register {
  std::size_t at;
  std::uint64_t value;
};
constexpr Register kRegisters[] = {
    {0x0d0, 0x1000},           // EFER: KVM sets SVME
    {0x148, 0x40},             // CR4: KVM sets MCE
    {0x158, 0x10},             // CR0
    {0x160, 0x400},            // DR7
    {0x168, 0xffff0ff0},       // DR6
    {0x170, 0x2},              // RFLAGS
    {0x268, 0x7040600070406},  // PAT
    {0x3e8, 0x1},              // XCR0
};
constexpr std::size_t kRipAt = 0x178;
constexpr std::size_t kRdxAt = 0x310;
constexpr std::size_t kFeaturesAt = 0x3b0;
constexpr std::size_t kMxcsrAt = 0x408;
constexpr std::size_t kFcwAt = 0x410;
constexpr std::uint64_t kMxcsr = 0x1f80;
constexpr std::uint64_t kFcw = 0x37f;

Bytes processor_state(std::uint32_t start, const SevLaunch& launch, std::uint64_t features) {
  Bytes page(kPageSize);
  const MutableByteView view(page);
  const auto put = [&](std::size_t at, std::size_t size, std::uint64_t value) {
    put_little(value, view.subspan(at, size));
  };
  for (const Segment& segment : kSegments) {
    put(segment.at, 2, segment.selector);
    put(segment.at + 2, 2, segment.attributes);
    put(segment.at + 4, 4, kSegmentLimit);
  }
  put(kCodeBaseAt, 8, start & 0xffff0000U);
  put(kRipAt, 8, start & 0xffffU);
  for (const Register& entry : kRegisters) put(entry.at, 8, entry.value);
  put(kRdxAt, 8, launch.cpu_signature);
  put(kFeaturesAt, 8, features);
  put(kMxcsrAt, 4, kMxcsr);
  put(kFcwAt, 2, kFcw);
  return page;
}

// ---- Rules of both kinds of guest ----

Status check_launch(const Ovmf& ovmf, const SevLaunch& launch) {
  if (launch.cpus < 1 || launch.cpus > kLaunchCpusMax) {
    return Error{Errc::too_large, std::to_string(launch.cpus) + " processors, 1 to " +
                                      std::to_string(kLaunchCpusMax)};
  }
  if (!ovmf.reset_vector) {
    return Error{Errc::malformed, "firmware: it has no reset block for SEV-ES"};
  }
  return {};
}

Status add_kernel_hashes(LaunchDigest& digest, const Ovmf& ovmf, const SevSection& section,
                         const SevLaunch& launch) {
  if (!launch.kernel) {
    digest.add_zeros(kZero, section.address, section.size);
    return {};
  }
  const std::uint32_t table = ovmf.hashes_table.value_or(0);
  const std::size_t offset = table % kPageSize;
  if (section.size != kPageSize || table - offset != section.address ||
      offset > kPageSize - kPaddedTableSize) {
    return Error{Errc::malformed,
                 "firmware: its table of kernel hashes isn't within the page for it"};
  }
  Bytes page(kPageSize);
  const Bytes hashes = hashes_table(*launch.kernel);
  std::copy(hashes.begin(), hashes.end(), page.begin() + static_cast<std::ptrdiff_t>(offset));
  digest.add(kNormal, section.address, crypto::sha384(page));
  return {};
}

Status add_section(LaunchDigest& digest, const Ovmf& ovmf, const SevSection& section,
                   const SevLaunch& launch) {
  switch (section.type) {
    case kSevMemory:
    case kSevSvsmArea:
      digest.add_zeros(kZero, section.address, section.size);
      return {};
    case kSevSecrets:
      digest.add(kSecrets, section.address, {});
      return {};
    case kSevCpuid:
      digest.add(kCpuid, section.address, {});
      return {};
    case kSevKernelHashes:
      return add_kernel_hashes(digest, ovmf, section, launch);
    default:
      return Error{Errc::unsupported, "firmware: SEV metadata with a section of unknown type " +
                                          std::to_string(section.type)};
  }
}

bool measures_kernel(const Ovmf& ovmf) {
  return std::any_of(ovmf.sev.begin(), ovmf.sev.end(),
                     [](const SevSection& section) { return section.type == kSevKernelHashes; });
}

}  // namespace

KernelHashes hash_kernel(ByteView kernel, ByteView initrd, std::string_view append) {
  const std::string terminated = std::string(append) + '\0';
  return {crypto::sha256(kernel), crypto::sha256(initrd), crypto::sha256(as_bytes(terminated))};
}

Result<std::uint32_t> cpu_signature(std::string_view model) {
  struct Model {
    std::string_view name;
    std::uint32_t family, model, stepping;
  };
  // QEMU's models of AMD processors that have SEV-ES (target/i386/cpu.c), versions left out: they
  // don't change what CPUID 1 tells.
  static constexpr Model kModels[] = {
      {"EPYC", 23, 1, 2},       {"EPYC-IBPB", 23, 1, 2},   {"EPYC-Rome", 23, 49, 0},
      {"EPYC-Milan", 25, 1, 1}, {"EPYC-Genoa", 25, 17, 0}, {"EPYC-Turin", 26, 0, 0},
      {"Milan", 25, 1, 1},      {"Genoa", 25, 17, 0},      {"Turin", 26, 0, 0}};
  const std::string_view base = model.size() > 3 && model.substr(model.size() - 3, 2) == "-v" &&
                                        model.back() >= '1' && model.back() <= '9'
                                    ? model.substr(0, model.size() - 3)
                                    : model;
  for (const Model& entry : kModels) {
    if (entry.name != base) continue;
    // 25481 "CPUID Specification", Fn0000_0001_EAX: a family over 15 stands in two fields.
    return (entry.family - 15) << 20 | (entry.model >> 4) << 16 | 15U << 8 |
           (entry.model & 15U) << 4 | entry.stepping;
  }
  return Error{Errc::not_found, "unknown model of processor: " + std::string(model)};
}

Measurement snp_firmware_digest(ByteView firmware) {
  SP_CHECK(firmware.size() % kPageSize == 0 && firmware.size() <= kFirmwareSizeMax);
  LaunchDigest digest({});
  const std::uint64_t start = kFirmwareEnd - firmware.size();
  for (std::size_t at = 0; at < firmware.size(); at += kPageSize) {
    digest.add(kNormal, start + at, crypto::sha384(firmware.subspan(at, kPageSize)));
  }
  return digest.value();
}

Result<Measurement> snp_launch_digest(const Ovmf& ovmf, const Measurement& firmware_digest,
                                      const SevLaunch& launch) {
  SP_TRY(check_launch(ovmf, launch));
  if (launch.kernel && !measures_kernel(ovmf)) {
    return Error{Errc::mismatch, "firmware has no kernel-hashes section"};
  }
  LaunchDigest digest(firmware_digest);
  for (const SevSection& section : ovmf.sev) {
    SP_TRY(add_section(digest, ovmf, section, launch));
  }
  const auto state = [&](std::uint32_t start) {
    return crypto::sha384(processor_state(start, launch, launch.guest_features));
  };
  digest.add(kVmsa, kVmsaAddress, state(kResetVector));
  const Digest48 others = state(*ovmf.reset_vector);
  for (std::uint32_t i = 1; i < launch.cpus; ++i) digest.add(kVmsa, kVmsaAddress, others);
  return digest.value();
}

Result<Measurement> snp_launch_digest(ByteView firmware, const SevLaunch& launch) {
  SP_ASSIGN(const Ovmf ovmf, parse_ovmf(firmware));
  return snp_launch_digest(ovmf, snp_firmware_digest(firmware), launch);
}

Result<Digest32> sev_es_launch_digest(ByteView firmware, const SevLaunch& launch) {
  SP_ASSIGN(const Ovmf ovmf, parse_ovmf(firmware));
  SP_TRY(check_launch(ovmf, launch));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  hasher.update(firmware);
  if (launch.kernel) {
    if (ovmf.hashes_table.value_or(0) == 0) {
      return Error{Errc::mismatch, "firmware has no kernel-hashes table"};
    }
    hasher.update(hashes_table(*launch.kernel));
  }
  constexpr std::uint64_t kNoFeatures = 0;  // SEV-ES has no SEV_FEATURES
  hasher.update(processor_state(kResetVector, launch, kNoFeatures));
  const Bytes others = processor_state(*ovmf.reset_vector, launch, kNoFeatures);
  for (std::uint32_t i = 1; i < launch.cpus; ++i) hasher.update(others);
  return Digest32::from(hasher.finish());
}

}  // namespace sp::attest
