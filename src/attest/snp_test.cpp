// SEV-SNP evidence of a test vendor: what is good, and for each check evidence in which it alone
// fails.
#include "attest/snp.hpp"

#include <nlohmann/json.hpp>

#include "attest/little_endian.hpp"
#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/check_table.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::AmdVendor;
using testing::kVendorNow;
using testing::SnpOptions;

constexpr std::size_t kPolicyAt = 0x008;
constexpr std::size_t kVmplAt = 0x030;
constexpr std::size_t kAlgorithmAt = 0x034;
constexpr std::size_t kPlatformAt = 0x040;
constexpr std::size_t kKeyAt = 0x048;
constexpr std::size_t kCpuidAt = 0x188;
constexpr std::size_t kChipIdAt = 0x1a0;
constexpr std::size_t kCommittedTcbAt = 0x1e0;
constexpr std::int64_t kDay = 86'400;

const AmdVendor& vendor() {
  static crypto::SystemRandom random;
  static const AmdVendor kVendor(random);
  return kVendor;
}

ReportData some_report_data() { return {.data = {1, 2, 3}}; }

Result<Claims> verify(const SnpOptions& options) {
  return verify_snp(vendor().report(some_report_data(), options), vendor().collateral(options),
                    AmdVendor::anchors(), kVendorNow);
}

// ---- What is good ----

TEST(Snp, GoodReportsOfEveryKindGiveTheirClaims) {
  for (const std::uint32_t version : {2U, 3U, 5U}) {
    for (const SnpFamily family : {SnpFamily::milan, SnpFamily::genoa, SnpFamily::turin}) {
      for (const SnpKey key : {SnpKey::vcek, SnpKey::vlek}) {
        SnpOptions options;
        options.version = version;
        options.family = family;
        options.key = key;
        const auto claims = verify(options);
        ASSERT_TRUE(claims.ok()) << claims.error().message;
        EXPECT_EQ(claims->hardware_id, vendor().chip_id(family));
        EXPECT_EQ(claims->measurement, options.measurement);
        EXPECT_EQ(claims->report_data, some_report_data());
        EXPECT_EQ(claims->tcb_status, TcbStatus::up_to_date);
        EXPECT_FALSE(claims->debug);
        EXPECT_TRUE(claims->revocation_checked);
        EXPECT_EQ(claims->anchor, AmdVendor::anchors().amd[0]);
        EXPECT_EQ(claims->validity.size(), 4U);
        EXPECT_EQ(claims->details["family"], family_name(family));
        EXPECT_EQ(claims->details["reportedTcb"].contains("fmc"), family == SnpFamily::turin);
        EXPECT_EQ(claims->details["reportedTcb"]["snp"], 21);
        EXPECT_EQ(claims->details.contains("cpuid"), version >= 3);
        EXPECT_EQ(claims->details.contains("launchMitigations"), version >= 5);
      }
    }
  }
}

TEST(Snp, WithoutCrlRevocationIsNotChecked) {
  SnpOptions options;
  options.crl = false;
  const auto claims = verify(options);
  ASSERT_TRUE(claims.ok());
  EXPECT_FALSE(claims->revocation_checked);
  EXPECT_EQ(claims->validity.size(), 3U);
}

TEST(Snp, DebugPolicyIsTold) {
  SnpOptions options;
  options.debug = true;
  EXPECT_TRUE(verify(options)->debug);
}

TEST(Snp, AnyPartBelowTheCommittedIsOutOfDate) {
  const auto with = [](auto change) {
    SnpOptions options;
    options.family = SnpFamily::turin;
    options.committed = options.reported;
    change(*options.committed);
    return verify(options)->tcb_status;
  };
  EXPECT_EQ(with([](SnpTcbParts& parts) { ++parts.fmc; }), TcbStatus::out_of_date);
  EXPECT_EQ(with([](SnpTcbParts& parts) { ++parts.bootloader; }), TcbStatus::out_of_date);
  EXPECT_EQ(with([](SnpTcbParts& parts) { ++parts.tee; }), TcbStatus::out_of_date);
  EXPECT_EQ(with([](SnpTcbParts& parts) { ++parts.snp; }), TcbStatus::out_of_date);
  EXPECT_EQ(with([](SnpTcbParts& parts) { ++parts.microcode; }), TcbStatus::out_of_date);
  EXPECT_EQ(with([](SnpTcbParts& parts) { --parts.snp; }), TcbStatus::up_to_date);
}

TEST(Snp, VlekWithMaskedChipIdHasNoHardwareId) {
  SnpOptions options;
  options.key = SnpKey::vlek;
  options.masked_chip_id = true;
  const auto claims = verify(options);
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_TRUE(claims->hardware_id.empty());
  EXPECT_EQ(claims->details["chipCertificate"]["cspId"], "test-cloud");
}

TEST(Snp, TestVendorIsNotBelievedByOthers) {
  const auto claims = verify_snp(vendor().report(some_report_data()), vendor().collateral(),
                                 Anchors::vendors(), kVendorNow);
  ASSERT_FALSE(claims.ok());
  EXPECT_TRUE(claims.error().message.starts_with("snp.ark.anchor: expected one of 3 keys"));
}

// ---- What isn't ----

using Change = std::function<void(SnpOptions&)>;
struct Row {
  std::string check, message;
  Change change;
};

// Changes the report before it is signed.
Change put(std::size_t offset, std::size_t size, std::uint64_t value) {
  return [=](SnpOptions& options) {
    options.change_report = [=](MutableByteView report) {
      put_little(value, report.subspan(offset, size));
    };
  };
}

Change flip_last_byte(PieceKind kind) {
  return [=](SnpOptions& options) {
    options.change_collateral = [=](Collateral& collateral) {
      collateral.pieces.at(kind).back() ^= 1;
    };
  };
}

Change set_piece(PieceKind kind, Bytes bytes) {
  return [=](SnpOptions& options) {
    options.change_collateral = [=](Collateral& collateral) { collateral.pieces[kind] = bytes; };
  };
}

void end_yesterday(crypto::testing::CertificateRecipe& recipe) { recipe.to = kVendorNow - kDay; }

// Replaces the value of an extension of the chip certificate; empty: leaves it out.
Change chip_extension(const std::string& oid_end, const Bytes& value) {
  return [=](SnpOptions& options) {
    options.change_chip = [=](crypto::testing::CertificateRecipe& recipe) {
      for (auto& extension : recipe.extensions) {
        if (extension.oid == "1.3.6.1.4.1.3704.1." + oid_end) extension.value = value;
      }
      if (value.empty()) {
        std::erase_if(recipe.extensions, [](const auto& entry) { return entry.value.empty(); });
      }
    };
  };
}

Bytes ia5(std::string_view text) {
  return crypto::testing::der(static_cast<crypto::DerTag>(0x16), {as_bytes(text)});
}

std::vector<Row> report_rows() {
  return {
      {"snp.report.version", "expected 2, 3 or 5, actual 4", put(0, 4, 4)},
      {"snp.report.reserved", "expected zeros, actual another value at byte 76", put(0x4c, 1, 1)},
      {"snp.report.reserved", "expected zeros, actual another value at byte 72",
       put(0x48, 1, 0x20)},
      {"snp.report.reserved", "expected zeros, actual another value at byte 395", put(0x18b, 1, 1)},
      {"snp.report.reserved", "expected zeros, actual another value at byte 504", put(0x1f8, 1, 1)},
      {"snp.report.policy", "expected bit 17 and none above 25, actual 0x000000000001001f",
       put(kPolicyAt, 8, 0x1001f)},
      {"snp.report.policy", "expected bit 17 and none above 25, actual 0x000000000403001f",
       put(kPolicyAt, 8, 0x403001f)},
      {"snp.report.platform", "expected bits of 0x00000000000000bf, actual 0x0000000000000040",
       put(kPlatformAt, 8, 0x40)},
      {"snp.report.vmpl", "expected 0 to 3, actual 4294967295", put(kVmplAt, 4, 0xffffffff)},
      {"snp.report.vmpl", "expected 0 to 3, actual 4", put(kVmplAt, 4, 4)},
      {"snp.report.algorithm", "expected 1, actual 0", put(kAlgorithmAt, 4, 0)},
      {"snp.report.key", "expected VCEK or VLEK, actual none", put(kKeyAt, 4, 7U << 2)},
      {"snp.report.key", "expected VCEK or VLEK, actual unknown", put(kKeyAt, 4, 2U << 2)},
      {"snp.report.masked", "expected MASK_CHIP_KEY 0, actual 1", put(kKeyAt, 4, 2)},
      {"snp.report.cpuid", "expected Milan, Genoa or Turin, actual family 25 model 32",
       put(kCpuidAt, 2, 0x2019)},
      {"snp.report.tcb", "expected zeros in Genoa's reserved bytes, actual 4815000000010209",
       put(kCommittedTcbAt + 2, 1, 1)},
      {"snp.report.signature", "ECDSA signature doesn't verify with the P-384 key",
       [](SnpOptions& options) {
         options.change_signed_report = [](MutableByteView report) { report[0x90] ^= 1; };
       }},
  };
}

std::vector<Row> chip_rows() {
  return {
      {"snp.vcek.present", "expected a VCEK or VLEK in the collateral, actual none",
       [](SnpOptions& options) {
         options.change_collateral = [](Collateral& collateral) {
           collateral.pieces.erase(PieceKind::amd_chip_certificate);
         };
       }},
      {"snp.vcek.name", "expected SEV-VCEK or SEV-VLEK, actual SEV-KEY",
       [](SnpOptions& options) {
         options.change_chip = [](auto& recipe) {
           recipe.subject = crypto::testing::common_name("SEV-KEY");
         };
       }},
      {"snp.vcek.name", "expected SEV-VLEK, actual SEV-VCEK", put(kKeyAt, 4, 1U << 2)},
      {"snp.vcek.extensions", "the certificate has no extension 1.3.6.1.4.1.3704.1.3.1",
       chip_extension("3.1", {})},
      {"snp.vcek.extensions", "a security version number over 255",
       chip_extension("3.8", crypto::testing::der_integer(256))},
      {"snp.vcek.extensions", "a hardware id of 8 bytes, expected 64",
       chip_extension("4", Bytes(8, 1))},
      {"snp.vcek.extensions", "a text that is empty, too long or not printable",
       chip_extension("2", ia5("Genoa\n"))},
      {"snp.vcek.product", "expected Milan, Genoa or Turin, actual Genoas-B1",
       chip_extension("2", ia5("Genoas-B1"))},
      {"snp.vcek.family", "expected Milan, actual Genoa", put(kCpuidAt, 2, 0x0119)},
      {"snp.vcek.tcb", "expected 4815000000000209, actual 4814000000000209",
       chip_extension("3.3", crypto::testing::der_integer(20))},
  };
}

std::vector<Row> chain_rows() {
  const auto named = [](const char* name) {
    return [=](auto& recipe) { recipe.subject = crypto::testing::common_name(name); };
  };
  return {
      {"snp.ask.name", "expected SEV-Genoa, actual SEV-VLEK-Genoa",
       [=](SnpOptions& options) { options.change_intermediate = named("SEV-VLEK-Genoa"); }},
      {"snp.ark.name", "expected ARK-Genoa, actual ARK-Milan",
       [=](SnpOptions& options) { options.change_root = named("ARK-Milan"); }},
      {"snp.ark.path", "expected 1 or more, actual 0",
       [](SnpOptions& options) {
         options.change_root = [](auto& recipe) { recipe.path_length = 0; };
       }},
  };
}

void expect_rows(const std::vector<Row>& rows, std::set<std::string>& tested) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.check + ": " + row.message);
    SnpOptions options;
    row.change(options);
    testing::expect_refused(verify(options), row.check, row.message);
    tested.insert(row.check);
  }
}

// Rows whose message holds dates, names or digests: the check alone.
void expect_prefixes(std::set<std::string>& tested) {
  const std::vector<std::pair<std::string, Change>> rows = {
      {"snp.vcek.form", set_piece(PieceKind::amd_chip_certificate, {0x30, 0x00})},
      {"snp.vcek.dates", [](SnpOptions& options) { options.change_chip = end_yesterday; }},
      {"snp.vcek.hwid", put(kChipIdAt, 8, 1)},
      {"snp.vcek.hwid", [](SnpOptions& options) { options.masked_chip_id = true; }},
      {"snp.ask.form", set_piece(PieceKind::amd_intermediate, {0x30, 0x00})},
      {"snp.ask.dates", [](SnpOptions& options) { options.change_intermediate = end_yesterday; }},
      {"snp.ark.form", set_piece(PieceKind::amd_root, {0x30, 0x00})},
      {"snp.ark.dates", [](SnpOptions& options) { options.change_root = end_yesterday; }},
      {"snp.chain.vcek", flip_last_byte(PieceKind::amd_chip_certificate)},
      {"snp.chain.ask", flip_last_byte(PieceKind::amd_intermediate)},
      {"snp.chain.ark", flip_last_byte(PieceKind::amd_root)},
      {"snp.crl.form", set_piece(PieceKind::amd_crl, {0x30, 0x00})},
      {"snp.crl.signature", flip_last_byte(PieceKind::amd_crl)},
      {"snp.crl.dates",
       [](SnpOptions& options) {
         options.change_crl = [](auto& crl) { crl.next_update = kVendorNow - kDay; };
       }},
      {"snp.crl.dates",
       [](SnpOptions& options) {
         options.change_crl = [](auto& crl) { crl.this_update = kVendorNow + kDay; };
       }},
      {"snp.crl.revoked", [](SnpOptions& options) {
         options.change_crl = [](auto& crl) { crl.revoked = {{{1, 1}, kVendorNow - kDay, {}}}; };
       }}};
  for (const auto& [check, change] : rows) {
    SnpOptions options;
    change(options);
    const auto claims = verify(options);
    ASSERT_FALSE(claims.ok()) << check;
    EXPECT_TRUE(claims.error().message.starts_with(check + ": ")) << claims.error().message;
    testing::expect_refused(claims, check, claims.error().message.substr(check.size() + 2));
    tested.insert(check);
  }
}

TEST(Snp, EveryCheckRefusesWhatItIsFor) {
  std::set<std::string> tested;
  expect_rows(report_rows(), tested);
  expect_rows(chip_rows(), tested);
  expect_rows(chain_rows(), tested);
  expect_prefixes(tested);
  for (const std::size_t size : {std::size_t{0}, kSnpReportSize - 1, kSnpReportSize + 1}) {
    testing::expect_refused(verify_snp(Bytes(size), {}, AmdVendor::anchors(), kVendorNow),
                            "snp.report.size", "expected 1184, actual " + std::to_string(size));
  }
  tested.insert("snp.report.size");
  testing::expect_refused(
      verify_snp(vendor().report({}), vendor().collateral(), Anchors{}, kVendorNow),
      "snp.ark.anchor", "expected one of 0 keys, actual " + AmdVendor::anchors().amd[0].hex());
  tested.insert("snp.ark.anchor");
  testing::expect_all_tested("snp.", tested);
}

TEST(Snp, NumbersOfTheSignatureHaveNoSpareBytes) {
  for (const std::size_t offset : {0x2d0U, 0x2e7U, 0x318U, 0x49fU}) {
    SnpOptions options;
    options.change_signed_report = [=](MutableByteView report) { report[offset] = 1; };
    testing::expect_refused(
        verify(options), "snp.report.reserved",
        "expected zeros, actual another value at byte " + std::to_string(offset));
  }
}

TEST(Snp, OlderVersionsReserveWhatNewerOnesFill) {
  SnpOptions options;
  put(kCpuidAt, 1, 0x19)(options);
  options.version = 2;
  testing::expect_refused(verify(options), "snp.report.reserved",
                          "expected zeros, actual another value at byte 392");
  options.version = 5;
  put(0x200, 8, 3)(options);
  const auto claims = verify(options);
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->details["currentMitigations"], "0x0000000000000003");
  EXPECT_EQ(claims->details["launchMitigations"], "0x0000000000000000");
}

}  // namespace
}  // namespace sp::attest
