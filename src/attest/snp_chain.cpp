#include "attest/snp_chain.hpp"

#include "attest/check.hpp"
#include "attest/snp_certificates.hpp"
#include "crypto/crl.hpp"
#include "crypto/der.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

using crypto::Certificate;

constexpr std::string_view kVcekName = "SEV-VCEK";
constexpr std::string_view kVlekName = "SEV-VLEK";

// 57230 section 3: the extensions of chip certificates.
constexpr const char* kProductOid = "1.3.6.1.4.1.3704.1.2";
constexpr const char* kBootloaderOid = "1.3.6.1.4.1.3704.1.3.1";
constexpr const char* kTeeOid = "1.3.6.1.4.1.3704.1.3.2";
constexpr const char* kSnpOid = "1.3.6.1.4.1.3704.1.3.3";
constexpr const char* kMicrocodeOid = "1.3.6.1.4.1.3704.1.3.8";
constexpr const char* kFmcOid = "1.3.6.1.4.1.3704.1.3.9";
constexpr const char* kHwidOid = "1.3.6.1.4.1.3704.1.4";
constexpr const char* kCspIdOid = "1.3.6.1.4.1.3704.1.5";
constexpr auto kIa5String = static_cast<crypto::DerTag>(0x16);
constexpr std::size_t kTextSizeMax = 64;
constexpr std::size_t kTurinHwidSize = 8;  // Milan's and Genoa's are as long as CHIP_ID

Result<std::uint8_t> level(const Certificate& certificate, const char* oid) {
  SP_ASSIGN(const Bytes value, certificate.extension(oid));
  crypto::DerReader reader(value);
  SP_ASSIGN(const std::uint64_t number, reader.number());
  SP_TRY(reader.finish());
  if (number > 0xff) return Error{Errc::malformed, "a security version number over 255"};
  return static_cast<std::uint8_t>(number);
}

Result<std::string> text(const Certificate& certificate, const char* oid) {
  SP_ASSIGN(const Bytes value, certificate.extension(oid));
  crypto::DerReader reader(value);
  SP_ASSIGN(const ByteView content, reader.read(kIa5String));
  SP_TRY(reader.finish());
  const bool printable = std::all_of(content.begin(), content.end(),
                                     [](std::uint8_t c) { return c >= 0x20 && c < 0x7f; });
  if (content.empty() || content.size() > kTextSizeMax || !printable) {
    return Error{Errc::malformed, "a text that is empty, too long or not printable"};
  }
  return std::string(as_text(content));
}

Result<SnpTcb> tcb_of(const Certificate& certificate, SnpFamily family) {
  SnpTcbParts parts;
  SP_ASSIGN(parts.bootloader, level(certificate, kBootloaderOid));
  SP_ASSIGN(parts.tee, level(certificate, kTeeOid));
  SP_ASSIGN(parts.snp, level(certificate, kSnpOid));
  SP_ASSIGN(parts.microcode, level(certificate, kMicrocodeOid));
  if (family == SnpFamily::turin) {
    SP_ASSIGN(parts.fmc, level(certificate, kFmcOid));
  }
  return make_tcb(family, parts);
}

// The value is the id itself, without an element of its own around it; zeros follow it in CHIP_ID.
Result<Bytes> hwid_of(const Certificate& certificate, SnpFamily family) {
  SP_ASSIGN(Bytes id, certificate.extension(kHwidOid));
  const std::size_t size = family == SnpFamily::turin ? kTurinHwidSize : kSnpChipIdSize;
  if (id.size() != size) {
    return Error{Errc::malformed, "a hardware id of " + std::to_string(id.size()) +
                                      " bytes, expected " + std::to_string(size)};
  }
  id.resize(kSnpChipIdSize);
  return id;
}

Status read_extensions(SnpChip& chip) {
  SP_ASSIGN(chip.tcb, tcb_of(chip.certificate, chip.family));
  if (chip.key == SnpKey::vlek) {
    SP_ASSIGN(chip.csp_id, text(chip.certificate, kCspIdOid));
    return {};
  }
  SP_ASSIGN(chip.hwid, hwid_of(chip.certificate, chip.family));
  return {};
}

Result<Certificate> parse(Check check, ByteView der) {
  auto certificate = Certificate::from_der(der);
  SP_REQUIRE_OK(check, certificate);
  return certificate;
}

Status check_name(Check check, const Certificate& certificate, const std::string& expected) {
  const std::string name = snp_common_name(certificate.subject());
  SP_REQUIRE(check, name == expected, expected, name);
  return {};
}

Validity validity_of(std::string piece, const Certificate& certificate) {
  return {std::move(piece), certificate.not_before(), certificate.not_after()};
}

Status check_dates(const SnpChain& chain, std::int64_t now) {
  SP_REQUIRE_OK(Check::snp_vcek_dates, chain.chip.certificate.check_alone(now));
  SP_REQUIRE_OK(Check::snp_ask_dates, chain.intermediate.check_alone(now));
  SP_REQUIRE_OK(Check::snp_ark_dates, chain.root.check_alone(now));
  return {};
}

Status check_signatures(const SnpChain& chain) {
  SP_REQUIRE_OK(Check::snp_chain_ark, chain.root.verify_issued_by(chain.root));
  SP_REQUIRE_OK(Check::snp_chain_ask, chain.intermediate.verify_issued_by(chain.root));
  SP_REQUIRE_OK(Check::snp_chain_vcek, chain.chip.certificate.verify_issued_by(chain.intermediate));
  // Nothing stands between intermediate and chip certificate, so the root's limit is all that a
  // chain of three can break (RFC 5280 section 4.2.1.9).
  SP_REQUIRE(Check::snp_ark_path, chain.root.path_length().value_or(1) >= 1, "1 or more", "0");
  return {};
}

Status check_anchor(const SnpChain& chain, const Anchors& anchors) {
  const bool known =
      std::find(anchors.amd.begin(), anchors.amd.end(), chain.anchor) != anchors.amd.end();
  SP_REQUIRE(Check::snp_ark_anchor, known, "one of " + std::to_string(anchors.amd.size()) + " keys",
             chain.anchor.hex());
  return {};
}

// The root's list of what it revoked, where the collateral has it: what it says of a chip
// certificate is nothing, those are superseded by TCB versions.
Status check_crl(SnpChain& chain, ByteView der, std::int64_t now) {
  if (der.empty()) return {};
  const auto crl = crypto::Crl::from_der(der);
  SP_REQUIRE_OK(Check::snp_crl_form, crl);
  SP_REQUIRE(Check::snp_crl_dates, now >= crl->this_update() && now <= crl->next_update(),
             std::to_string(crl->this_update()) + " to " + std::to_string(crl->next_update()),
             std::to_string(now));
  SP_REQUIRE_OK(Check::snp_crl_signature, crl->verify_issued_by(chain.root));
  SP_REQUIRE(Check::snp_crl_revoked, !crl->contains(chain.intermediate.serial()),
             "a list without serial " + to_hex(chain.intermediate.serial()), "it is listed");
  chain.revocation_checked = true;
  chain.validity.push_back({"AMD CRL", crl->this_update(), crl->next_update()});
  return {};
}

std::string intermediate_name(const SnpChip& chip) {
  return (chip.key == SnpKey::vlek ? "SEV-VLEK-" : "SEV-") + std::string(family_name(chip.family));
}

// Intermediate and root of the chip's family and kind of key, by name; their own or ours.
Result<SnpChain> assemble(SnpChip chip, const Collateral& collateral) {
  const SnpBuiltIn& ours = snp_built_in(chip.family);
  ByteView intermediate = collateral.get(PieceKind::amd_intermediate);
  if (intermediate.empty()) intermediate = chip.key == SnpKey::vlek ? ours.asvk : ours.ask;
  ByteView root = collateral.get(PieceKind::amd_root);
  if (root.empty()) root = ours.ark;
  SP_ASSIGN(Certificate ask, parse(Check::snp_ask_form, intermediate));
  SP_ASSIGN(Certificate ark, parse(Check::snp_ark_form, root));
  SP_TRY(check_name(Check::snp_ask_name, ask, intermediate_name(chip)));
  SP_TRY(check_name(Check::snp_ark_name, ark, "ARK-" + std::string(family_name(chip.family))));
  const Digest48 anchor = crypto::sha384(ark.public_key_info());
  return SnpChain{std::move(chip), std::move(ask), std::move(ark), anchor, false, {}};
}

}  // namespace

std::string snp_common_name(const std::string& subject) {
  constexpr std::string_view kKey = "CN=";
  std::string name;
  std::size_t at = 0;
  while (at < subject.size()) {
    const std::size_t end = std::min(subject.find(',', at), subject.size());
    const std::string_view part = std::string_view(subject).substr(at, end - at);
    if (part.starts_with(kKey)) {
      if (!name.empty()) return {};
      name = part.substr(kKey.size());
    }
    at = end + 1;
  }
  return name;
}

Result<SnpChip> read_snp_chip(ByteView der) {
  SP_ASSIGN(Certificate certificate, parse(Check::snp_vcek_form, der));
  const std::string name = snp_common_name(certificate.subject());
  SP_REQUIRE(Check::snp_vcek_name, name == kVcekName || name == kVlekName,
             std::string(kVcekName) + " or " + std::string(kVlekName), name);
  SnpChip chip{
      std::move(certificate), name == kVlekName ? SnpKey::vlek : SnpKey::vcek, {}, {}, {}, {}, {}};
  auto product = text(chip.certificate, kProductOid);
  SP_REQUIRE_OK(Check::snp_vcek_extensions, product);
  chip.product = *product;
  const auto family = family_from_name(chip.product.substr(0, chip.product.find('-')));
  SP_REQUIRE(Check::snp_vcek_product, family.has_value(), "Milan, Genoa or Turin", chip.product);
  chip.family = family.value_or(SnpFamily::milan);
  SP_REQUIRE_OK(Check::snp_vcek_extensions, read_extensions(chip));
  return chip;
}

Result<SnpChain> verify_snp_chain(const Collateral& collateral, const Anchors& anchors,
                                  std::int64_t now) {
  const ByteView der = collateral.get(PieceKind::amd_chip_certificate);
  SP_REQUIRE(Check::snp_vcek_present, !der.empty(), "a VCEK or VLEK in the collateral", "none");
  SP_ASSIGN(SnpChip chip, read_snp_chip(der));
  SP_ASSIGN(SnpChain chain, assemble(std::move(chip), collateral));
  SP_TRY(check_dates(chain, now));
  SP_TRY(check_anchor(chain, anchors));
  SP_TRY(check_signatures(chain));
  const bool vlek = chain.chip.key == SnpKey::vlek;
  chain.validity = {
      validity_of(vlek ? "VLEK certificate" : "VCEK certificate", chain.chip.certificate),
      validity_of(vlek ? "ASVK certificate" : "ASK certificate", chain.intermediate),
      validity_of("ARK certificate", chain.root)};
  SP_TRY(check_crl(chain, collateral.get(PieceKind::amd_crl), now));
  return chain;
}

}  // namespace sp::attest
