// TPM evidence of a test vendor: what is good, and for each check evidence in which it alone
// fails.
#include "attest/tpm.hpp"

#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/testing/check_table.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "attest/tpm_quote.hpp"
#include "base/codec.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::AmdVendor;
using testing::kVendorNow;
using testing::TpmOptions;
using testing::TpmVendor;

constexpr std::size_t kRuntimeAt = kHclHeaderSize + kHclHardwareSize;
constexpr std::size_t kQuoteExtraSizeAt = 6 + 2 + 34;
constexpr std::size_t kQuoteSafeAt = kQuoteExtraSizeAt + 2 + ReportData::kSize + 16;

const AmdVendor& amd() {
  static crypto::SystemRandom random;
  static const AmdVendor kVendor(random);
  return kVendor;
}

const TpmVendor& vendor() {
  static const TpmVendor kVendor(amd());
  return kVendor;
}

ReportData some_report_data() { return {.data = {4, 5, 6}}; }

Result<Claims> verify(const TpmOptions& options) {
  return verify_tpm(vendor().evidence(some_report_data(), options).encode(),
                    amd().collateral(options.snp), AmdVendor::anchors(), kVendorNow);
}

TEST(Tpm, GoodEvidenceGivesTheHardwaresClaims) {
  const auto claims = verify({});
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->kind, EvidenceKind::tpm);
  EXPECT_EQ(claims->vendor, Vendor::amd);
  EXPECT_EQ(claims->report_data, some_report_data());
  EXPECT_EQ(claims->hardware_id, amd().chip_id(SnpFamily::genoa));
  EXPECT_EQ(claims->measurement, testing::SnpOptions().measurement);
  EXPECT_EQ(claims->pcrs, TpmVendor::pcrs());
  EXPECT_TRUE(claims->revocation_checked);
  EXPECT_EQ(claims->validity.size(), 4U);
  EXPECT_EQ(claims->details["hardwareKind"], "snp");
  EXPECT_EQ(claims->details["hardware"]["family"], "Genoa");
  EXPECT_EQ(claims->details["runtime"]["vmConfiguration"]["secure-boot"], true);
  EXPECT_EQ(claims->details["quote"]["resetCount"], 2);
}

TEST(Tpm, WithoutPcrsNoneAreClaimed) {
  TpmOptions options;
  options.pcrs = false;
  const auto claims = verify(options);
  ASSERT_TRUE(claims.ok());
  EXPECT_TRUE(claims->pcrs.empty());
}

TEST(Tpm, DebugAndTcbAreTheHardwares) {
  TpmOptions options;
  options.snp.debug = true;
  options.snp.committed = options.snp.reported;
  ++options.snp.committed->snp;
  const auto claims = verify(options);
  EXPECT_TRUE(claims->debug);
  EXPECT_EQ(claims->tcb_status, TcbStatus::out_of_date);
}

TEST(Tpm, HardwareReportsAreVerified) {
  TpmOptions options;
  options.snp.change_signed_report = [](MutableByteView report) { report[0x90] ^= 1; };
  testing::expect_refused(verify(options), "snp.report.signature",
                          "ECDSA signature doesn't verify with the P-384 key");
}

// ---- What isn't good ----

struct Row {
  std::string check, message;
  std::function<void(TpmOptions&)> change;
};

// Changes bytes of the HCL report, which nothing but the SNP report in it signs.
std::function<void(TpmOptions&)> hcl(std::size_t offset, std::uint8_t value) {
  return [=](TpmOptions& options) {
    options.change_hcl = [=](Bytes& report) { report[offset] = value; };
  };
}

std::function<void(TpmOptions&)> quote(std::function<void(Bytes&)> change) {
  return [=](TpmOptions& options) { options.change_quote = change; };
}

std::function<void(TpmOptions&)> evidence(std::function<void(TpmEvidence&)> change) {
  return [=](TpmOptions& options) { options.change_evidence = change; };
}

std::function<void(TpmOptions&)> runtime(std::string from, std::string to) {
  return [=](TpmOptions& options) {
    options.change_runtime = [=](std::string& json) {
      const std::size_t at = json.find(from);
      SP_CHECK(at != std::string::npos);
      json.replace(at, from.size(), to);
    };
  };
}

std::vector<Row> hcl_rows() {
  return {
      {"tpm.hcl.magic", "expected HCLA, actual another value", hcl(0, 'h')},
      {"tpm.hcl.version", "expected 1 or 2, actual 3", hcl(4, 3)},
      {"tpm.hcl.request", "expected 2, actual 1", hcl(12, 1)},
      {"tpm.hcl.status", "expected 0, actual 9", hcl(16, 9)},
      {"tpm.hcl.reserved", "expected zeros, actual another value", hcl(20, 1)},
      {"tpm.hcl.reserved", "expected zeros, actual another value",
       [](TpmOptions& options) { options.change_hcl = [](Bytes& report) { report.back() = 1; }; }},
      {"tpm.hcl.runtimeVersion", "expected 1, actual 2", hcl(kRuntimeAt + 4, 2)},
      {"tpm.hcl.type", "expected 2 or 4, actual 3", hcl(kRuntimeAt + 8, 3)},
      {"tpm.hcl.hash", "expected 1, actual 2", hcl(kRuntimeAt + 12, 2)},
      {"tpm.hcl.size", "expected 1236 to 16384, actual 1235",
       [](TpmOptions& options) {
         options.change_hcl = [](Bytes& report) { report.resize(1235); };
       }},
  };
}

std::vector<Row> runtime_rows() {
  return {
      {"tpm.runtime.json", "runtime data has the unknown key \"more\"",
       runtime(R"("user-data":)", R"("more":1,"user-data":)")},
      {"tpm.runtime.json", "not JSON at byte 1", runtime("{\"keys\"", "keys\"")},
      {"tpm.runtime.json", "runtime data.vm-configuration must be an object",
       runtime(R"({"secure-boot":true})", "1")},
      {"tpm.runtime.key", "no key HCLAkPub", runtime("HCLAkPub", "HCLAkPrv")},
      {"tpm.runtime.key", "AK.key_ops must be [\"sign\"]", runtime("\"sign\"", "\"encrypt\"")},
      {"tpm.runtime.key", "two keys that are each HCLAkPub", runtime("HCLEkPub", "HCLAkPub")},
      {"tpm.runtime.key", "AK.kty must be RSA", runtime("\"RSA\"", "\"EC\"")},
      {"tpm.report.vmpl", "expected 0, actual 2",
       [](TpmOptions& options) {
         options.snp.change_report = [](MutableByteView report) { report[0x30] = 2; };
       }},
      {"tpm.tdQuote", "expected no TD quote, actual one",
       evidence([](TpmEvidence& tpm) { tpm.td_quote = {1}; })},
      {"tpm.tdQuote", "expected a TD quote, actual none", hcl(kRuntimeAt + 8, 4)},
  };
}

std::vector<Row> quote_rows() {
  return {
      {"tpm.signature.form", "truncated",
       evidence([](TpmEvidence& tpm) { tpm.signature.pop_back(); })},
      {"tpm.signature.form", "1 bytes left over",
       evidence([](TpmEvidence& tpm) { tpm.signature.push_back(0); })},
      {"tpm.signature.algorithm",
       "expected RSASSA with SHA-256 or SHA-384, actual 0x0016 with 0x000b",
       evidence([](TpmEvidence& tpm) { tpm.signature[1] = 0x16; })},
      {"tpm.signature.algorithm",
       "expected RSASSA with SHA-256 or SHA-384, actual 0x0014 with 0x0004",
       evidence([](TpmEvidence& tpm) { tpm.signature[3] = 0x04; })},
      {"tpm.quote.magic", "expected TPM_GENERATED_VALUE, actual another value",
       quote([](Bytes& attest) { attest[0] = 0; })},
      {"tpm.quote.type", "expected 0x8018, actual 0x8017",
       quote([](Bytes& attest) { attest[5] = 0x17; })},
      {"tpm.quote.form", "1 bytes left over", quote([](Bytes& attest) { attest.push_back(0); })},
      {"tpm.quote.form", "a boolean must be 0 or 1",
       quote([](Bytes& attest) { attest[kQuoteSafeAt] = 2; })},
      {"tpm.quote.form", "a field of 65 bytes, at most 64",
       quote([](Bytes& attest) { attest[kQuoteExtraSizeAt + 1] = 65; })},
      {"tpm.quote.signature", "RSA signature doesn't verify",
       evidence([](TpmEvidence& tpm) { tpm.signature.back() ^= 1; })},
      {"tpm.quote.selection",
       "expected the PCRs that are given, of the SHA-256 bank, actual others",
       evidence([](TpmEvidence& tpm) { tpm.pcrs[7].reset(); })},
  };
}

void expect_rows(const std::vector<Row>& rows, std::set<std::string>& tested) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.check + ": " + row.message);
    TpmOptions options;
    row.change(options);
    testing::expect_refused(verify(options), row.check, row.message);
    tested.insert(row.check);
  }
}

TEST(Tpm, EveryCheckRefusesWhatItIsFor) {
  std::set<std::string> tested;
  expect_rows(hcl_rows(), tested);
  expect_rows(runtime_rows(), tested);
  expect_rows(quote_rows(), tested);
  testing::expect_refused(verify_tpm(as_bytes("SPTQ"), {}, AmdVendor::anchors(), kVendorNow),
                          "tpm.evidence.form", "not TPM evidence: it doesn't begin with SPTP");
  tested.insert("tpm.evidence.form");
  TpmOptions unbound;
  unbound.change_binding = [](ReportData& data) { data.data[63] = 1; };
  const auto claims = verify(unbound);
  ASSERT_FALSE(claims.ok());
  EXPECT_TRUE(claims.error().message.starts_with("tpm.report.bound: expected "));
  tested.insert("tpm.report.bound");
  TpmOptions other_pcr;
  other_pcr.change_evidence = [](TpmEvidence& tpm) { tpm.pcrs[7]->data[0] ^= 1; };
  const auto other = verify(other_pcr);
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(other.error().message.starts_with("tpm.quote.pcrs: expected "));
  tested.insert("tpm.quote.pcrs");
  tested.insert("tpm.quote.nonce");  // TpmQuoteAlone.NonceMustBeTheAskers
  testing::expect_all_tested("tpm.", tested);
}

TEST(Tpm, SizesOfTheHclReportFitTogether) {
  for (const std::size_t offset : {std::size_t{8}, kRuntimeAt, kRuntimeAt + 16}) {
    TpmOptions options;
    options.change_hcl = [=](Bytes& report) { report[offset] ^= 1; };
    const auto claims = verify(options);
    ASSERT_FALSE(claims.ok());
    EXPECT_TRUE(claims.error().message.starts_with("tpm.hcl.size: expected sizes that fit"));
  }
}

// ---- A quote alone ----

TpmKey rsa_key() { return {TpmVendor::ak().modulus(), TpmVendor::ak().exponent(), {}}; }

Bytes signature_of(ByteView quote) {
  return wrap_rsassa_sha256(TpmVendor::ak().sign_sha256(quote));
}

TEST(TpmQuoteAlone, NonceMustBeTheAskers) {
  const Bytes quote = TpmVendor::quote(as_bytes("nonce"));
  const Bytes signature = signature_of(quote);
  EXPECT_TRUE(
      verify_tpm_quote(quote, signature, rsa_key(), as_bytes("nonce"), TpmVendor::pcrs()).ok());
  for (const std::string_view nonce : {"", "nonc", "nonces"}) {
    const auto status = verify_tpm_quote(quote, signature, rsa_key(), as_bytes(nonce), {});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error(), check_failed(Check::tpm_quote_nonce, to_hex(as_bytes(nonce)),
                                           to_hex(as_bytes("nonce"))));
  }
}

TEST(TpmQuoteAlone, RsaWithSha384) {
  const Bytes quote = TpmVendor::quote({});
  Bytes signature = wrap_rsassa_sha256(TpmVendor::ak().sign_sha384(quote));
  EXPECT_FALSE(verify_tpm_quote(quote, signature, rsa_key(), {}, {}).ok());
  signature[3] = kTpmSha384;
  EXPECT_TRUE(verify_tpm_quote(quote, signature, rsa_key(), {}, {}).ok());
}

TEST(TpmQuoteAlone, EcdsaOnP256) {
  crypto::SystemRandom random;
  const auto key = crypto::EcKey::generate(crypto::Curve::p256, random);
  const Bytes quote = TpmVendor::quote({});
  const Bytes raw = key.sign_raw(quote);
  const auto wrap = [&](std::uint16_t hash) {
    Writer writer;
    writer.u16(kTpmEcdsa).u16(hash);
    writer.u16(32).raw(ByteView(raw).first(32)).u16(32).raw(ByteView(raw).last(32));
    return writer.bytes();
  };
  const TpmKey ak{{}, {}, key.public_key().point()};
  EXPECT_TRUE(verify_tpm_quote(quote, wrap(kTpmSha256), ak, {}, {}).ok());
  const auto other_hash = verify_tpm_quote(quote, wrap(kTpmSha384), ak, {}, {});
  ASSERT_FALSE(other_hash.ok());
  EXPECT_EQ(other_hash.error().message,
            "tpm.signature.algorithm: expected ECDSA with SHA-256, actual 0x0018 with 0x000c");
  EXPECT_FALSE(verify_tpm_quote(quote, wrap(kTpmSha256), rsa_key(), {}, {}).ok());
  EXPECT_FALSE(verify_tpm_quote(quote, signature_of(quote), ak, {}, {}).ok());
  EXPECT_FALSE(
      verify_tpm_quote(TpmVendor::quote(as_bytes("x")), wrap(kTpmSha256), ak, {}, {}).ok());
}

TEST(TpmEvidence, HasOneEncoding) {
  for (const bool pcrs : {true, false}) {
    TpmOptions options;
    options.pcrs = pcrs;
    TpmEvidence evidence = vendor().evidence(some_report_data(), options);
    if (pcrs) evidence.pcrs[3].reset();
    const Bytes encoded = evidence.encode();
    EXPECT_EQ(TpmEvidence::decode(encoded).value(), evidence);
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, encoded.size() - 1}) {
      EXPECT_FALSE(TpmEvidence::decode(ByteView(encoded).first(size)).ok());
    }
    Bytes longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(TpmEvidence::decode(longer).error().message, "1 bytes left over");
  }
}

}  // namespace
}  // namespace sp::attest
