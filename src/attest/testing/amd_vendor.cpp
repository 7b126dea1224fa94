#include "attest/testing/amd_vendor.hpp"

#include "attest/little_endian.hpp"
#include "crypto/hash.hpp"

namespace sp::attest::testing {
namespace {

namespace ct = crypto::testing;

constexpr std::string_view kExtensionBase = "1.3.6.1.4.1.3704.1.";
constexpr std::uint16_t kCaUsage = ct::kKeyCertSign | ct::kCrlSign;
constexpr std::uint64_t kPolicy = 0x3001f;
constexpr std::uint64_t kDebugPolicy = 0x80000;
constexpr std::size_t kTurinIdSize = 8;

const ct::SigningKey& root_key() {
  static const ct::SigningKey kKey = ct::SigningKey::rsa();
  return kKey;
}

const ct::SigningKey& intermediate_key() {
  static const ct::SigningKey kKey = ct::SigningKey::rsa();
  return kKey;
}

Bytes name_of(const std::string& common_name) {
  return ct::der_name(
      {{"2.5.4.10", "Test Micro Devices"}, {std::string(ct::kCommonName), common_name}});
}

std::string root_name(SnpFamily family) { return "ARK-" + std::string(family_name(family)); }

std::string intermediate_name(const SnpOptions& options) {
  return (options.key == SnpKey::vlek ? "SEV-VLEK-" : "SEV-") +
         std::string(family_name(options.family));
}

ct::CertificateRecipe recipe_of(const std::string& subject, const std::string& issuer) {
  ct::CertificateRecipe recipe;
  recipe.subject = name_of(subject);
  recipe.issuer = name_of(issuer);
  recipe.from = kVendorFrom;
  recipe.to = kVendorUntil;
  return recipe;
}

ct::CertificateRecipe ca_recipe(const std::string& subject, const std::string& issuer) {
  ct::CertificateRecipe recipe = recipe_of(subject, issuer);
  recipe.ca = true;
  recipe.key_usage = kCaUsage;
  return recipe;
}

Bytes make_root(const SnpOptions& options) {
  const std::string name = root_name(options.family);
  ct::CertificateRecipe recipe = ca_recipe(name, name);
  if (options.change_root) options.change_root(recipe);
  return ct::issue(recipe, root_key().public_key_info(), root_key());
}

Bytes make_intermediate(const SnpOptions& options) {
  ct::CertificateRecipe recipe = ca_recipe(intermediate_name(options), root_name(options.family));
  recipe.serial = {0x01, 0x01};
  recipe.path_length = 0;
  if (options.change_intermediate) options.change_intermediate(recipe);
  return ct::issue(recipe, intermediate_key().public_key_info(), root_key());
}

void add(ct::CertificateRecipe& recipe, std::string_view oid_end, Bytes value) {
  recipe.extensions.push_back(
      {std::string(kExtensionBase) + std::string(oid_end), false, std::move(value)});
}

Bytes ia5_text(std::string_view text) {
  return ct::der(static_cast<crypto::DerTag>(0x16), {as_bytes(text)});
}

void add_extensions(ct::CertificateRecipe& recipe, const SnpOptions& options,
                    ByteView hardware_id) {
  const SnpTcbParts& parts = options.reported;
  const bool turin = options.family == SnpFamily::turin;
  const bool vlek = options.key == SnpKey::vlek;
  add(recipe, "1", ct::der_integer(turin ? 1 : 0));
  add(recipe, "2", ia5_text(std::string(family_name(options.family)) + (vlek ? "" : "-B1")));
  add(recipe, "3.1", ct::der_integer(parts.bootloader));
  add(recipe, "3.2", ct::der_integer(parts.tee));
  add(recipe, "3.3", ct::der_integer(parts.snp));
  add(recipe, "3.8", ct::der_integer(parts.microcode));
  if (turin) add(recipe, "3.9", ct::der_integer(parts.fmc));
  if (vlek) {
    add(recipe, "5", ia5_text("test-cloud"));
  } else {
    add(recipe, "4", to_bytes(hardware_id));
  }
}

void put_at(MutableByteView report, std::size_t offset, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), report.begin() + static_cast<std::ptrdiff_t>(offset));
}

void put_number(MutableByteView report, std::size_t offset, std::size_t size, std::uint64_t value) {
  put_little(value, report.subspan(offset, size));
}

void put_versions(MutableByteView report, const SnpOptions& options) {
  const SnpTcb reported = make_tcb(options.family, options.reported);
  const SnpTcb committed = make_tcb(options.family, options.committed.value_or(options.reported));
  put_at(report, 0x180, reported.bytes);
  for (const std::size_t offset : {0x038U, 0x1e0U, 0x1f0U}) {
    put_at(report, offset, committed.bytes);
  }
  for (const std::size_t offset : {0x1e8U, 0x1ecU}) {
    put_at(report, offset, Bytes{/*build=*/7, /*minor=*/55, /*major=*/1});
  }
  if (options.version < 3) return;
  static constexpr std::array<std::array<std::uint8_t, 3>, 3> kCpuid = {
      {{0x19, 0x01, 1}, {0x19, 0x11, 1}, {0x1a, 0x02, 1}}};
  put_at(report, 0x188, kCpuid[static_cast<std::size_t>(options.family)]);
}

// r and s stand in 72 bytes each, little-endian.
void sign(MutableByteView report, const ct::SigningKey& key) {
  const Bytes raw = key.ec_key().sign_raw(report.first(kSnpSignedSize));
  for (std::size_t i = 0; i < 2; ++i) {
    const ByteView number = ByteView(raw).subspan(i * raw.size() / 2, raw.size() / 2);
    const Bytes little(number.rbegin(), number.rend());
    put_at(report, kSnpSignedSize + i * kSnpNumberSize, little);
  }
}

}  // namespace

AmdVendor::AmdVendor(Random& random) : chip_key_(ct::SigningKey::ec(crypto::Curve::p384, random)) {
  random.fill(chip_id_);
}

Bytes AmdVendor::chip_id(SnpFamily family) const {
  Bytes id(chip_id_.begin(), chip_id_.end());
  if (family != SnpFamily::turin) return id;
  std::fill(id.begin() + kTurinIdSize, id.end(), std::uint8_t{0});
  return id;
}

Bytes AmdVendor::report(const ReportData& report_data, const SnpOptions& options) const {
  Bytes report(kSnpReportSize);
  const MutableByteView view(report);
  put_number(view, 0x000, 4, options.version);
  put_number(view, 0x008, 8, options.debug ? kPolicy | kDebugPolicy : kPolicy);
  put_number(view, 0x034, 4, 1);
  put_number(view, 0x040, 8, 0x25);
  put_number(view, 0x048, 4, static_cast<std::uint64_t>(options.key) << 2);
  put_at(view, 0x050, report_data.view());
  put_at(view, 0x090, options.measurement.view());
  put_versions(view, options);
  if (!options.masked_chip_id) put_at(view, 0x1a0, chip_id(options.family));
  if (options.change_report) options.change_report(view);
  sign(view, chip_key_);
  if (options.change_signed_report) options.change_signed_report(view);
  return report;
}

Collateral AmdVendor::collateral(const SnpOptions& options) const {
  const std::string chip = options.key == SnpKey::vlek ? "SEV-VLEK" : "SEV-VCEK";
  ct::CertificateRecipe recipe = recipe_of(chip, intermediate_name(options));
  Bytes hardware_id = chip_id(options.family);
  if (options.family == SnpFamily::turin) hardware_id.resize(kTurinIdSize);
  add_extensions(recipe, options, hardware_id);
  if (options.change_chip) options.change_chip(recipe);
  Collateral collateral;
  collateral.pieces[PieceKind::amd_chip_certificate] = ct::issue(
      recipe, options.chip_key_info.value_or(chip_key_.public_key_info()), intermediate_key());
  collateral.pieces[PieceKind::amd_intermediate] = make_intermediate(options);
  collateral.pieces[PieceKind::amd_root] = make_root(options);
  if (options.crl) {
    ct::CrlRecipe crl;
    crl.issuer = name_of(root_name(options.family));
    crl.this_update = kVendorFrom;
    crl.next_update = kVendorUntil;
    if (options.change_crl) options.change_crl(crl);
    collateral.pieces[PieceKind::amd_crl] = ct::issue_crl(crl, root_key());
  }
  if (options.change_collateral) options.change_collateral(collateral);
  return collateral;
}

Evidence AmdVendor::snp(const ReportData& report_data, const SnpOptions& options) const {
  return {EvidenceKind::sev_snp, report(report_data, options), collateral(options).encode()};
}

Anchors AmdVendor::anchors() { return {{crypto::sha384(root_key().public_key_info())}, {}}; }

}  // namespace sp::attest::testing
