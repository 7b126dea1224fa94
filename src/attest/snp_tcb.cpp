// Families of processors and the layouts of their TCB versions.
#include <nlohmann/json.hpp>

#include "attest/snp_report.hpp"

namespace sp::attest {
namespace {

constexpr std::string_view kFamilyNames[] = {"Milan", "Genoa", "Turin"};

// Where each part stands (56860 section 2.2, tables of TCB_VERSION); kNowhere: the family has none.
constexpr std::size_t kNowhere = 8;
struct Layout {
  std::size_t fmc, bootloader, tee, snp, microcode;
};
constexpr Layout kMilanLayout = {kNowhere, 0, 1, 6, 7};  // and Genoa's
constexpr Layout kTurinLayout = {0, 1, 2, 3, 7};

const Layout& layout_of(SnpFamily family) {
  return family == SnpFamily::turin ? kTurinLayout : kMilanLayout;
}

// CPUID's combined family and the models from `first` to `last`.
struct Models {
  std::uint8_t family, first, last;
  SnpFamily is;
};
constexpr Models kModels[] = {{0x19, 0x00, 0x0f, SnpFamily::milan},
                              {0x19, 0x10, 0x1f, SnpFamily::genoa},
                              {0x19, 0xa0, 0xaf, SnpFamily::genoa},  // Bergamo and Siena
                              {0x1a, 0x00, 0x11, SnpFamily::turin}};

}  // namespace

std::string_view family_name(SnpFamily family) {
  return kFamilyNames[static_cast<std::size_t>(family)];
}

std::optional<SnpFamily> family_from_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kFamilyNames); ++i) {
    if (kFamilyNames[i] == name) return static_cast<SnpFamily>(i);
  }
  return std::nullopt;
}

std::optional<SnpFamily> family_from_cpuid(std::uint8_t family, std::uint8_t model) {
  for (const Models& models : kModels) {
    if (family == models.family && model >= models.first && model <= models.last) return models.is;
  }
  return std::nullopt;
}

Json SnpTcb::parts(SnpFamily family) const {
  const SnpTcbParts split = split_tcb(family, *this);
  Json json = {{"value", hex()},
               {"bootloader", split.bootloader},
               {"tee", split.tee},
               {"snp", split.snp},
               {"microcode", split.microcode}};
  if (layout_of(family).fmc != kNowhere) json["fmc"] = split.fmc;
  return json;
}

bool SnpTcb::reserved_zero(SnpFamily family) const {
  const Layout& layout = layout_of(family);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool is_part = i == layout.fmc || i == layout.bootloader || i == layout.tee ||
                         i == layout.snp || i == layout.microcode;
    if (!is_part && bytes[i] != 0) return false;
  }
  return true;
}

bool SnpTcb::any_below(const SnpTcb& other) const {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] < other.bytes[i]) return true;
  }
  return false;
}

std::string SnpTcb::hex() const {
  const Bytes highest_first(bytes.rbegin(), bytes.rend());
  return to_hex(highest_first);
}

SnpTcb make_tcb(SnpFamily family, const SnpTcbParts& parts) {
  const Layout& layout = layout_of(family);
  SnpTcb tcb;
  if (layout.fmc != kNowhere) tcb.bytes[layout.fmc] = parts.fmc;
  tcb.bytes[layout.bootloader] = parts.bootloader;
  tcb.bytes[layout.tee] = parts.tee;
  tcb.bytes[layout.snp] = parts.snp;
  tcb.bytes[layout.microcode] = parts.microcode;
  return tcb;
}

SnpTcbParts split_tcb(SnpFamily family, const SnpTcb& tcb) {
  const Layout& layout = layout_of(family);
  SnpTcbParts parts;
  if (layout.fmc != kNowhere) parts.fmc = tcb.bytes[layout.fmc];
  parts.bootloader = tcb.bytes[layout.bootloader];
  parts.tee = tcb.bytes[layout.tee];
  parts.snp = tcb.bytes[layout.snp];
  parts.microcode = tcb.bytes[layout.microcode];
  return parts;
}

}  // namespace sp::attest
