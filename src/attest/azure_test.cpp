// Azure's evidence as agents write it: JSON and the binary form before it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attest/azure_hcl.hpp"
#include "attest/little_endian.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "base/json.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::AmdVendor;
using testing::TpmVendor;

const AmdVendor& amd() {
  static crypto::SystemRandom random;
  static const AmdVendor kVendor(random);
  return kVendor;
}

TpmEvidence some_evidence() { return TpmVendor(amd()).evidence({.data = {7}}); }

// The RSASSA signature inside what wrap_rsassa_sha256() made.
Bytes raw_signature(const TpmEvidence& evidence) {
  return to_bytes(ByteView(evidence.signature).subspan(6));
}

Json some_json() {
  const TpmEvidence evidence = some_evidence();
  Json pcrs = Json::array();
  for (const auto& pcr : evidence.pcrs) pcrs.push_back(pcr->hex());
  return {{"version", 1},
          {"hcl_report", "AQID"},
          {"tpm_quote",
           {{"message", to_hex(evidence.quote)},
            {"signature", to_hex(raw_signature(evidence))},
            {"pcrs", pcrs}}}};
}

std::string refusal(const std::function<void(Json&)>& change) {
  Json json = some_json();
  change(json);
  const auto read = azure_evidence_from_json(json.dump());
  return read ? "" : read.error().message;
}

TEST(AzureJson, IsRead) {
  Json json = some_json();
  json["td_quote"] = "BAUG";
  const Collateral chain = amd().collateral();
  json["vcek"] = crypto::testing::pem(chain.pieces.at(PieceKind::amd_chip_certificate));
  const auto read = azure_evidence_from_json(json.dump());
  ASSERT_TRUE(read.ok()) << read.error().message;
  TpmEvidence expected = some_evidence();
  expected.hcl_report = {1, 2, 3};
  expected.td_quote = {4, 5, 6};
  expected.signature = read->evidence.signature;
  EXPECT_EQ(read->evidence.quote, expected.quote);
  EXPECT_EQ(read->evidence, expected);
  EXPECT_EQ(read->collateral.pieces.size(), 1U);
}

TEST(AzureJson, WhatIsNotWellFormedIsRefused) {
  EXPECT_EQ(refusal([](Json& json) { json["version"] = 0; }), "evidence.version must be 1");
  EXPECT_EQ(refusal([](Json& json) { json["more"] = 0; }), "evidence has the unknown key \"more\"");
  EXPECT_EQ(refusal([](Json& json) { json["hcl_report"] = "A!"; }),
            "evidence.hcl_report not base64");
  EXPECT_EQ(refusal([](Json& json) { json["hcl_report"] = std::string(22000, 'A'); }),
            "evidence.hcl_report of 16500 bytes, at most 16384");
  EXPECT_EQ(refusal([](Json& json) { json["tpm_quote"].erase("message"); }),
            "tpm_quote.message is missing");
  EXPECT_EQ(refusal([](Json& json) { json["tpm_quote"]["signature"] = "0"; }),
            "tpm_quote.signature must be hexadecimal, and not that long");
  EXPECT_EQ(refusal([](Json& json) { json["tpm_quote"]["signature"] = std::string(1026, '0'); }),
            "tpm_quote.signature must be hexadecimal, and not that long");
  EXPECT_EQ(refusal([](Json& json) { json["tpm_quote"]["pcrs"].erase(0); }),
            "pcrs must be a list of 24");
  EXPECT_EQ(refusal([](Json& json) { json["tpm_quote"]["pcrs"][0] = 1; }), "pcrs must be texts");
  EXPECT_EQ(refusal([](Json& json) { json["vcek"] = "AQID"; }).substr(0, 3), "DER");
}

TEST(AzureJson, Base64OfEitherAlphabet) {
  EXPECT_EQ(from_any_base64("-_8").value(), (Bytes{0xfb, 0xff}));
  EXPECT_EQ(from_any_base64("+/8=").value(), (Bytes{0xfb, 0xff}));
  EXPECT_EQ(from_any_base64("").value(), Bytes());
  EXPECT_EQ(from_any_base64("A").error().code, Errc::malformed);
  EXPECT_EQ(from_any_base64("AB=C").error().code, Errc::malformed);
}

void sized(Bytes& to, ByteView bytes) {
  Bytes size(8);
  put_little(bytes.size(), size);
  append(to, size);
  append(to, bytes);
}

TEST(AzureV0, QuotesAreRead) {
  TpmEvidence evidence = some_evidence();
  Bytes bytes;
  sized(bytes, raw_signature(evidence));
  sized(bytes, evidence.quote);
  Bytes count(8);
  count[0] = kPcrCount;
  append(bytes, count);
  for (const auto& pcr : evidence.pcrs) append(bytes, pcr->view());
  const auto read = azure_quote_from_v0(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->quote, evidence.quote);
  EXPECT_EQ(read->pcrs, evidence.pcrs);
  EXPECT_TRUE(read->hcl_report.empty());
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(azure_quote_from_v0(longer).error().message, "bytes left over");
  bytes.pop_back();
  EXPECT_EQ(azure_quote_from_v0(bytes).error().message, "truncated");
  bytes[1] = 9;
  EXPECT_EQ(azure_quote_from_v0(bytes).error().message, "a field of 2304 bytes, at most 512");
}

}  // namespace
}  // namespace sp::attest
