// Evidence and collateral cut off at every length, lengths that lie, JSON of two meanings or too
// deep, signatures and DER in a second form: always an error, and which.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/intel.hpp"
#include "attest/intel_quote.hpp"
#include "attest/little_endian.hpp"
#include "attest/snp.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "attest/testing/vendors.hpp"
#include "attest/tpm_quote.hpp"

namespace sp::attest {
namespace {

using testing::amd;
using testing::AmdVendor;
using testing::intel;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;
using testing::kVendorNow;
using testing::TpmVendor;

template <class T>
std::string said(const Result<T>& result) {
  return result ? "accepted" : result.error().message;
}
std::string said(const Status& status) { return status ? "accepted" : status.error().message; }

std::string said_of(const IntelRecipe& recipe) {
  return said(verify_intel(EvidenceKind::tdx, intel().quote(recipe),
                           IntelVendor::collateral(recipe), intel().anchors(), kIntelNow));
}

IntelRecipe tdx(std::uint16_t version) {
  testing::IntelOptions options;
  options.version = version;
  return intel().tdx_recipe({}, options);
}

// A kind of quote, and collateral that is verified once for all that is done to it.
struct Quotes {
  EvidenceKind kind;
  Bytes quote;
  IntelCollateral collateral;

  [[nodiscard]] std::string outcome(ByteView bytes) const {
    return said(verify_intel(kind, bytes, collateral, kIntelNow));
  }
};

Quotes quotes_of(EvidenceKind kind, const IntelRecipe& recipe) {
  return {kind, intel().quote(recipe),
          IntelCollateral::verify(IntelVendor::collateral(recipe), intel().anchors(), kIntelNow)
              .value()};
}

std::vector<Quotes> all_quotes() {
  return {quotes_of(EvidenceKind::sgx, intel().sgx_recipe({})),
          quotes_of(EvidenceKind::tdx, tdx(4)), quotes_of(EvidenceKind::tdx, tdx(5))};
}

// ---- Cut off ----

TEST(CutOff, Quotes) {
  for (const Quotes& quotes : all_quotes()) {
    EXPECT_EQ(quotes.outcome(quotes.quote), "accepted");
    for (std::size_t size = 0; size < quotes.quote.size(); ++size) {
      const std::string what = quotes.outcome(ByteView(quotes.quote).first(size));
      // Version 5 states what body it has in 6 bytes behind the header.
      const bool in_body_head = quotes.quote[0] == 5 && size >= 48 && size < 54;
      ASSERT_TRUE(what.starts_with(in_body_head ? "intel.quote.body_" : "intel.quote.truncated: "))
          << size << " bytes: " << what;
    }
  }
}

TEST(CutOff, Reports) {
  const Bytes report = amd().report({});
  const Collateral collateral = amd().collateral();
  for (std::size_t size = 0; size < report.size(); ++size) {
    ASSERT_EQ(said(verify_snp(ByteView(report).first(size), collateral, AmdVendor::anchors(),
                              kVendorNow)),
              "snp.report.size: expected 1184, actual " + std::to_string(size));
  }
}

// Where the runtime data end, only filler of zeros follows: it may be shorter.
TEST(CutOff, HclReports) {
  const Bytes report = TpmVendor(amd()).evidence({}).hcl_report;
  const Bytes runtime = parse_hcl_report(report)->runtime_data;
  const std::size_t end =
      kHclHeaderSize + kHclHardwareSize + kHclRuntimeHeaderSize + runtime.size();
  ASSERT_LT(end, report.size());
  for (std::size_t size = 0; size < report.size(); ++size) {
    const auto read = parse_hcl_report(ByteView(report).first(size));
    if (size < end) {
      ASSERT_TRUE(said(read).starts_with("tpm.hcl.size: expected ")) << size << said(read);
    } else {
      ASSERT_EQ(said(read), "accepted") << size;
      ASSERT_EQ(read->runtime_data, runtime);
    }
  }
}

TEST(CutOff, TpmEvidence) {
  const TpmEvidence evidence = TpmVendor(amd()).evidence({});
  const Bytes body = evidence.encode();
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::string what =
        said(verify_tpm(ByteView(body).first(size), {}, AmdVendor::anchors(), kVendorNow));
    ASSERT_TRUE(what.starts_with("tpm.evidence.form: ")) << size << " bytes: " << what;
  }
  const TpmKey ak{TpmVendor::ak().modulus(), TpmVendor::ak().exponent(), {}};
  const auto alone = [&](ByteView quote, ByteView signature) {
    return said(verify_tpm_quote(quote, signature, ak, ReportData().view(), evidence.pcrs));
  };
  EXPECT_EQ(alone(evidence.quote, evidence.signature), "accepted");
  for (std::size_t size = 0; size < evidence.quote.size(); ++size) {
    const std::string what = alone(ByteView(evidence.quote).first(size), evidence.signature);
    const std::string check = size < 4 ? "magic" : size < 6 ? "type" : "form";
    ASSERT_TRUE(what.starts_with("tpm.quote." + check + ": ")) << size << " bytes: " << what;
  }
  for (std::size_t size = 0; size < evidence.signature.size(); ++size) {
    const std::string what = alone(evidence.quote, ByteView(evidence.signature).first(size));
    // Of less than its algorithms nobody knows what follows.
    ASSERT_TRUE(what.starts_with(size < 2 ? "tpm.signature.algorithm: " : "tpm.signature.form: "))
        << size << " bytes: " << what;
  }
}

void put_entry(Bytes& table, std::string_view guid, std::size_t offset, std::size_t size) {
  Bytes numbers(8);
  put_little(offset, MutableByteView(numbers).first(4));
  put_little(size, MutableByteView(numbers).last(4));
  append(table, from_hex(guid).value());
  append(table, numbers);
}

TEST(CutOff, CertificateTables) {
  constexpr std::string_view kVcek = "63da758de6644564adc5f4b93be8accd";
  constexpr std::string_view kArk = "c0b406a4a803495297433fb6014cd0ae";
  const Collateral collateral = amd().collateral();
  const Bytes chip = to_bytes(collateral.get(PieceKind::amd_chip_certificate));
  const Bytes root = to_bytes(collateral.get(PieceKind::amd_root));
  Bytes table;
  put_entry(table, kVcek, 72, chip.size());
  put_entry(table, kArk, 72 + chip.size(), root.size());
  table.resize(72);
  append(table, chip);
  append(table, root);
  EXPECT_EQ(said(collateral_from_certificate_table(table)), "accepted");
  for (std::size_t size = 0; size < table.size(); ++size) {
    const std::string what = said(collateral_from_certificate_table(ByteView(table).first(size)));
    ASSERT_TRUE(what.starts_with("certificate table: ")) << size << " bytes: " << what;
  }
  // Offsets and sizes that lie.
  for (const std::uint64_t lie : {std::uint64_t{71}, table.size() + 1, std::size_t{0xffffffff}}) {
    for (const std::size_t field : {16U, 20U, 40U, 44U}) {
      Bytes changed = table;
      put_little(lie, MutableByteView(changed).subspan(field, 4));
      const auto read = collateral_from_certificate_table(changed);
      // A size may be smaller than it was: the certificate that is cut off then isn't one.
      if (lie == 71 && (field == 20 || field == 44)) {
        EXPECT_EQ(said(read), "accepted");
      } else {
        EXPECT_TRUE(said(read).starts_with("certificate table: ")) << field << said(read);
      }
    }
  }
}

// ---- Lengths that lie ----

struct LengthField {
  std::size_t at, size;
  std::string name;
};

// The length fields of a quote, from the outside to the inside.
std::vector<LengthField> length_fields(const Bytes& quote) {
  const std::size_t version = quote[0];
  std::vector<LengthField> fields;
  std::size_t at = 48 + (version == 3 ? 384U : 584U);
  if (version == 5) {
    fields.push_back({50, 4, "body"});
    at = 54 + 648;
  }
  fields.push_back({at, 4, "signature data"});
  at += 4 + 64 + 64;
  if (version != 3) {
    fields.push_back({at + 2, 4, "certification data"});
    at += 6;
  }
  at += 384 + 64;
  fields.push_back({at, 2, "authentication data"});
  at += 2 + little_number(ByteView(quote).subspan(at, 2)) + 2;
  fields.push_back({at, 4, "PCK chain"});
  return fields;
}

TEST(Lies, EveryLengthOfAQuote) {
  for (const Quotes& quotes : all_quotes()) {
    for (const LengthField& field : length_fields(quotes.quote)) {
      const std::uint64_t real =
          little_number(ByteView(quotes.quote).subspan(field.at, field.size));
      const std::uint64_t max = field.size == 2 ? 0xffff : 0xffffffff;
      for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{1}, real / 2, real - 1,
                                      real + 1, max / 2, max - 47, max}) {
        Bytes changed = quotes.quote;
        put_little(lie, MutableByteView(changed).subspan(field.at, field.size));
        const std::string what = quotes.outcome(changed);
        const bool known =
            what.starts_with(field.name == "body" ? "intel.quote.body_size: "
                                                  : "intel.quote.lengths: ") ||
            (field.name == "signature data" && (what.starts_with("intel.quote.truncated: ") ||
                                                what.starts_with("intel.quote.certification: ")));
        EXPECT_TRUE(known) << field.name << " of " << lie << " bytes: " << what;
      }
    }
  }
}

TEST(Lies, LengthsOfTpmEvidence) {
  const Bytes body = TpmVendor(amd()).evidence({}).encode();
  const std::size_t hcl_size = 6;
  for (const std::uint32_t lie : {0U, 1U, 0x4001U, 0x7fffffffU, 0xffffffffU}) {
    Bytes changed = body;
    for (std::size_t i = 0; i < 4; ++i) {
      changed[hcl_size + i] = static_cast<std::uint8_t>(lie >> (24 - 8 * i));
    }
    const std::string what = said(verify_tpm(changed, {}, AmdVendor::anchors(), kVendorNow));
    EXPECT_TRUE(what.starts_with("tpm.evidence.form: ")) << lie << ": " << what;
  }
}

// ---- JSON (which can't be cyclic: it has no references) ----

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(HostileJson, QeIdentity) {
  IntelRecipe recipe = intel().tdx_recipe({});
  const std::string text = recipe.qe_identity.dump();
  const auto with = [&](const std::string& other) {
    recipe.qe_identity_text = other;
    return said_of(recipe);
  };
  EXPECT_EQ(with(text), "accepted");
  EXPECT_EQ(with("{\"isvprodid\":2," + text.substr(1)),
            "intel.qeidentity.form: the key \"isvprodid\" stands twice");
  EXPECT_EQ(with("{\"x\":" + nested(32) + "," + text.substr(1)),
            "intel.qeidentity.form: JSON nested deeper than 32");
  EXPECT_EQ(with("{\"x\":" + nested(31) + "," + text.substr(1)), "accepted");
  EXPECT_EQ(with(nested(100'000)), "intel.qeidentity.form: JSON nested deeper than 32");
}

TEST(HostileJson, Collateral) {
  EXPECT_EQ(said(intel_collateral_from_json(R"({"pck_crl":"00","pck_crl":"01"})")),
            "the key \"pck_crl\" stands twice");
  EXPECT_EQ(said(intel_collateral_from_json(R"({"pck_crl":)" + nested(32) + "}")),
            "JSON nested deeper than 32");
  EXPECT_EQ(said(azure_evidence_from_json(R"({"version":1,"version":1})")),
            "the key \"version\" stands twice");
  EXPECT_EQ(said(azure_evidence_from_json(R"({"tpm_quote":)" + nested(32) + "}")),
            "JSON nested deeper than 32");
}

TEST(HostileJson, RuntimeData) {
  const auto with = [](const std::string& inserted) {
    testing::TpmOptions options;
    options.change_runtime = [=](std::string& json) { json.insert(1, inserted); };
    return said(verify_tpm(TpmVendor(amd()).evidence({}, options).encode(), amd().collateral(),
                           AmdVendor::anchors(), kVendorNow));
  };
  EXPECT_EQ(with(""), "accepted");
  EXPECT_EQ(with(R"("keys":[],)"), "tpm.runtime.json: the key \"keys\" stands twice");
  EXPECT_EQ(with("\"x\":" + nested(32) + ","), "tpm.runtime.json: JSON nested deeper than 32");
}

}  // namespace
}  // namespace sp::attest
