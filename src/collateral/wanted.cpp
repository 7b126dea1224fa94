#include "collateral/wanted.hpp"

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::collateral {
namespace {

constexpr std::size_t kNameHwidDigits = 16;

struct ProductName {
  AmdProduct product;
  std::string_view name;
};
constexpr ProductName kProducts[] = {
    {AmdProduct::milan, "Milan"}, {AmdProduct::genoa, "Genoa"}, {AmdProduct::turin, "Turin"}};

constexpr std::string_view kPckCrlChain[] = {"sgx-pck-crl-issuer-chain"};
// Version 4 of the service, and what caches of version 3 call it.
constexpr std::string_view kTcbInfoChain[] = {"tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"};
constexpr std::string_view kQeIdentityChain[] = {"sgx-enclave-identity-issuer-chain"};

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::string_view key_name(AmdKey key) { return key == AmdKey::vcek ? "vcek" : "vlek"; }
std::string_view ca_name(IntelCa ca) { return ca == IntelCa::platform ? "platform" : "processor"; }
std::string_view tee_name(IntelTee tee) { return tee == IntelTee::sgx ? "sgx" : "tdx"; }

std::size_t hwid_size(AmdProduct product) {
  return product == AmdProduct::turin ? kTurinHwidSize : kHwidSize;
}

// At least two digits, as AMD writes them.
std::string spl(std::string_view name, std::uint8_t value) {
  std::string digits = std::to_string(value);
  if (digits.size() < 2) digits.insert(digits.begin(), '0');
  return std::string(name) + "SPL=" + digits;
}

std::string amd_folder(AmdKey key, AmdProduct product) {
  return "/" + std::string(key_name(key)) + "/v1/" + std::string(product_name(product));
}

std::string intel_folder(IntelTee tee) {
  return "/" + std::string(tee_name(tee)) + "/certification/v4";
}

std::string chip_path(const AmdChipCertificate& chip) {
  const bool turin = chip.product == AmdProduct::turin;
  return amd_folder(AmdKey::vcek, chip.product) + "/" + to_hex(chip.hwid) + "?" +
         (turin ? spl("fmc", chip.tcb.fmc) + "&" : "") + spl("bl", chip.tcb.bootloader) + "&" +
         spl("tee", chip.tcb.tee) + "&" + spl("snp", chip.tcb.snp) + "&" +
         spl("ucode", chip.tcb.microcode);
}

template <class Enum>
Enum read_enum(Reader& reader, Enum last) {
  const std::uint8_t value = reader.u8();
  if (value == 0 || value > static_cast<std::uint8_t>(last)) {
    reader.fail(Errc::malformed, "unknown value " + std::to_string(value) + " in what is wanted");
  }
  return static_cast<Enum>(value);
}

AmdProduct read_product(Reader& reader) { return read_enum(reader, AmdProduct::turin); }
AmdKey read_key(Reader& reader) { return read_enum(reader, AmdKey::vlek); }
IntelTee read_tee(Reader& reader) { return read_enum(reader, IntelTee::tdx); }

AmdChipCertificate read_chip(Reader& reader) {
  AmdChipCertificate chip;
  chip.product = read_product(reader);
  chip.hwid = to_bytes(reader.raw(reader.failed() ? 0 : hwid_size(chip.product)));
  chip.tcb.bootloader = reader.u8();
  chip.tcb.tee = reader.u8();
  chip.tcb.snp = reader.u8();
  chip.tcb.microcode = reader.u8();
  chip.tcb.fmc = reader.u8();
  if (chip.tcb.fmc != 0 && chip.product != AmdProduct::turin) {
    reader.fail(Errc::malformed, "an FMC version of another product than Turin");
  }
  return chip;
}

Wanted read_wanted(Reader& reader) {
  switch (reader.u8()) {
    case 1:
      return read_chip(reader);
    case 2: {
      const AmdKey key = read_key(reader);
      return AmdCertificateChain{key, read_product(reader)};
    }
    case 3: {
      const AmdKey key = read_key(reader);
      return AmdCrl{key, read_product(reader)};
    }
    case 4:
      return IntelPckCrl{read_enum(reader, IntelCa::processor)};
    case 5:
      return IntelRootCrl{};
    case 6: {
      const IntelTee tee = read_tee(reader);
      return IntelTcbInfo{tee, reader.fixed<Fmspc>()};
    }
    case 7:
      return IntelQeIdentity{read_tee(reader)};
    default:
      reader.fail(Errc::malformed, "an unknown kind of what is wanted");
      return IntelRootCrl{};
  }
}

template <class Enum>
std::uint8_t number(Enum value) {
  return static_cast<std::uint8_t>(value);
}

}  // namespace

std::string_view product_name(AmdProduct product) { return kProducts[number(product) - 1].name; }

Result<AmdProduct> product_from_name(std::string_view name) {
  for (const ProductName& entry : kProducts) {
    if (entry.name == name) return entry.product;
  }
  return Error{Errc::unsupported, "unknown product of AMD: " + std::string(name)};
}

attest::Vendor vendor_of(const Wanted& wanted) {
  const bool amd = std::holds_alternative<AmdChipCertificate>(wanted) ||
                   std::holds_alternative<AmdCertificateChain>(wanted) ||
                   std::holds_alternative<AmdCrl>(wanted);
  return amd ? attest::Vendor::amd : attest::Vendor::intel;
}

std::string name_of(const Wanted& wanted) {
  const auto of = [](std::string_view what, std::string_view whose) {
    return std::string(what) + " " + std::string(whose);
  };
  return std::visit(
      Overloaded{[&](const AmdChipCertificate& chip) {
                   return of("VCEK of", product_name(chip.product)) + " chip " +
                          to_hex(chip.hwid).substr(0, kNameHwidDigits);
                 },
                 [&](const AmdCertificateChain& chain) {
                   return of(key_name(chain.key), "certificate chain of ") +
                          std::string(product_name(chain.product));
                 },
                 [&](const AmdCrl& crl) {
                   return of(key_name(crl.key), "CRL of ") + std::string(product_name(crl.product));
                 },
                 [&](const IntelPckCrl& crl) { return of("PCK CRL of CA", ca_name(crl.ca)); },
                 [&](const IntelRootCrl&) { return std::string("Intel root CA CRL"); },
                 [&](const IntelTcbInfo& info) {
                   return of(tee_name(info.tee), "TCB info of FMSPC ") + info.fmspc.hex();
                 },
                 [&](const IntelQeIdentity& qe) { return of(tee_name(qe.tee), "QE identity"); }},
      wanted);
}

std::string path_of(const Wanted& wanted) {
  return std::visit(
      Overloaded{[](const AmdChipCertificate& chip) { return chip_path(chip); },
                 [](const AmdCertificateChain& chain) {
                   return amd_folder(chain.key, chain.product) + "/cert_chain";
                 },
                 [](const AmdCrl& crl) { return amd_folder(crl.key, crl.product) + "/crl"; },
                 [](const IntelPckCrl& crl) {
                   return intel_folder(IntelTee::sgx) +
                          "/pckcrl?ca=" + std::string(ca_name(crl.ca)) + "&encoding=der";
                 },
                 [](const IntelRootCrl&) { return intel_folder(IntelTee::sgx) + "/rootcacrl"; },
                 [](const IntelTcbInfo& info) {
                   return intel_folder(info.tee) + "/tcb?fmspc=" + info.fmspc.hex();
                 },
                 [](const IntelQeIdentity& qe) { return intel_folder(qe.tee) + "/qe/identity"; }},
      wanted);
}

std::span<const std::string_view> chain_fields(const Wanted& wanted) {
  if (std::holds_alternative<IntelPckCrl>(wanted)) return kPckCrlChain;
  if (std::holds_alternative<IntelTcbInfo>(wanted)) return kTcbInfoChain;
  if (std::holds_alternative<IntelQeIdentity>(wanted)) return kQeIdentityChain;
  return {};
}

Bytes encode(const Wanted& wanted) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(wanted.index() + 1));
  std::visit(
      Overloaded{
          [&](const AmdChipCertificate& chip) {
            SP_CHECK(chip.hwid.size() == hwid_size(chip.product));
            writer.u8(number(chip.product)).raw(chip.hwid);
            writer.u8(chip.tcb.bootloader).u8(chip.tcb.tee).u8(chip.tcb.snp);
            writer.u8(chip.tcb.microcode).u8(chip.tcb.fmc);
          },
          [&](const AmdCertificateChain& chain) {
            writer.u8(number(chain.key)).u8(number(chain.product));
          },
          [&](const AmdCrl& crl) { writer.u8(number(crl.key)).u8(number(crl.product)); },
          [&](const IntelPckCrl& crl) { writer.u8(number(crl.ca)); }, [](const IntelRootCrl&) {},
          [&](const IntelTcbInfo& info) { writer.u8(number(info.tee)).raw(info.fmspc.view()); },
          [&](const IntelQeIdentity& qe) { writer.u8(number(qe.tee)); }},
      wanted);
  return std::move(writer).take();
}

Result<Wanted> decode_wanted(ByteView bytes) {
  Reader reader(bytes);
  Wanted wanted = read_wanted(reader);
  SP_TRY(reader.finish());
  return wanted;
}

Digest32 key_of(const Wanted& wanted) { return crypto::sha256(encode(wanted)); }

}  // namespace sp::collateral
