// Intel's evidence as real processors made it (evidence/README.md): what two other verifiers
// agree on.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "crypto/random.hpp"
#include "crypto/test_support.hpp"

namespace sp::attest {
namespace {

constexpr std::int64_t k20250622 = 1'750'550'400;  // 2025-06-22T00:00:00Z
constexpr std::int64_t k20230701 = 1'688'169'600;
constexpr std::int64_t k20260301 = 1'772'323'200;
constexpr std::int64_t kEndOfV4a = 1'752'920'163;  // 2025-07-19T10:16:03Z, TCB info's next update

std::string file(const std::string& name) {
  auto content = crypto::evidence(name);
  return content ? *content : "";
}

class IntelEvidence : public testing::Test {
 protected:
  void SetUp() override {
    if (file("tdx/v4-a/quote.bin").empty()) GTEST_SKIP() << "evidence/tdx is absent";
  }
  static Bytes quote(const std::string& folder) {
    return to_bytes(as_bytes(file(folder + "/quote.bin")));
  }
  static Collateral collateral(const std::string& folder) {
    return intel_collateral_from_json(file(folder + "/collateral.json")).value();
  }
  static Result<Claims> verify(EvidenceKind kind, ByteView quote, const Collateral& collateral,
                               std::int64_t now) {
    return verify_intel(kind, quote, collateral, Anchors::vendors(), now);
  }
  // "accepted", or the error's message.
  static std::string outcome(EvidenceKind kind, ByteView quote, const Collateral& collateral,
                             std::int64_t now) {
    const auto claims = verify(kind, quote, collateral, now);
    return claims ? "accepted" : claims.error().message;
  }
};

TEST_F(IntelEvidence, Version4IsUpToDate) {
  const Bytes bytes = quote("tdx/v4-a");
  const auto verified = verify(EvidenceKind::tdx, bytes, collateral("tdx/v4-a"), k20250622);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  const Claims& claims = *verified;
  EXPECT_EQ(claims.kind, EvidenceKind::tdx);
  EXPECT_EQ(claims.vendor, Vendor::intel);
  EXPECT_EQ(claims.tcb_status, TcbStatus::up_to_date);
  EXPECT_TRUE(claims.advisories.empty());
  EXPECT_FALSE(claims.debug);
  EXPECT_TRUE(claims.revocation_checked);
  EXPECT_EQ(claims.measurement.hex().substr(0, 8), "91eb2b44");
  EXPECT_EQ(claims.registers.size(), 4U);
  EXPECT_EQ(to_hex(claims.hardware_id), "811dca2a26b952e85bb6448b097ba4fd");
  EXPECT_TRUE(Anchors::is_vendor(claims.anchor));
  EXPECT_EQ(claims.details["fmspc"], "b0c06f000000");
  EXPECT_EQ(claims.details["pcesvn"], 11);
  EXPECT_EQ(claims.details["tcbEvaluationDataNumber"], 17);
  EXPECT_EQ(claims.details["tdxModuleTcb"]["tcbStatus"], "UpToDate");
  EXPECT_EQ(claims.details["relaunchAdvised"], false);
  EXPECT_EQ(to_hex(claims.report_data.view()), to_hex(ByteView(bytes).subspan(48 + 520, 64)));
}

TEST_F(IntelEvidence, Version4EndsWithItsCollateral) {
  const Bytes bytes = quote("tdx/v4-a");
  const Collateral pieces = collateral("tdx/v4-a");
  EXPECT_EQ(outcome(EvidenceKind::tdx, bytes, pieces, kEndOfV4a - 1000), "accepted");
  EXPECT_EQ(outcome(EvidenceKind::tdx, bytes, pieces, kEndOfV4a + 1),
            "intel.pckcrl.current: expected a time from 1750327235 to 1752919235, actual "
            "1752920164");
  EXPECT_EQ(outcome(EvidenceKind::sgx, bytes, pieces, k20250622),
            "intel.quote.kind: expected sgx, actual tdx");
  const auto claims = verify(EvidenceKind::tdx, bytes, pieces, k20250622);
  const auto ends =
      std::min_element(claims->validity.begin(), claims->validity.end(),
                       [](const Validity& a, const Validity& b) { return a.until < b.until; });
  EXPECT_EQ(ends->piece, "PCK CRL");
}

TEST_F(IntelEvidence, SgxNeedsConfigurationAndHardening) {
  const auto claims = verify(EvidenceKind::sgx, quote("sgx"), collateral("sgx"), k20250622);
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->kind, EvidenceKind::sgx);
  EXPECT_EQ(claims->tcb_status, TcbStatus::configuration_and_sw_hardening_needed);
  EXPECT_EQ(claims->advisories, (std::vector<std::string>{"INTEL-SA-00289", "INTEL-SA-00615"}));
  EXPECT_TRUE(claims->registers.empty());
  EXPECT_EQ(claims->measurement.hex().substr(64), std::string(32, '0'));
  EXPECT_EQ(outcome(EvidenceKind::tdx, quote("sgx"), collateral("sgx"), k20250622),
            "intel.quote.kind: expected tdx, actual sgx");
}

TEST_F(IntelEvidence, VerifiedCollateralServesManyQuotes) {
  const auto verified =
      IntelCollateral::verify(collateral("tdx/v4-a"), Anchors::vendors(), k20250622);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  for (int i = 0; i < 3; ++i) {
    const auto claims =
        verify_intel(EvidenceKind::tdx, quote("tdx/v4-a"), *verified, k20250622 + i);
    ASSERT_TRUE(claims.ok()) << claims.error().message;
    EXPECT_EQ(claims->tcb_status, TcbStatus::up_to_date);
  }
  EXPECT_EQ(verify_intel(EvidenceKind::tdx, quote("tdx/v4-a"), *verified, kEndOfV4a)
                .error()
                .message.substr(0, 41),
            "intel.collateral.current: expected PCK CR");
}

TEST_F(IntelEvidence, EveryFlippedByteOfTheQuoteIsRefused) {
  constexpr std::size_t kPemEnd = 4935;
  Bytes bytes = quote("tdx/v4-a");
  const auto verified =
      IntelCollateral::verify(collateral("tdx/v4-a"), Anchors::vendors(), k20250622);
  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    if (i == kPemEnd) continue;  // the zero behind the PEM text says nothing
    bytes[i] ^= 1;
    EXPECT_FALSE(verify_intel(EvidenceKind::tdx, bytes, *verified, k20250622).ok()) << i;
    bytes[i] ^= 1;
  }
  for (std::size_t size = 0; size < 4936; size += 13) {
    EXPECT_FALSE(
        verify_intel(EvidenceKind::tdx, ByteView(bytes).first(size), *verified, k20250622).ok());
  }
}

// The collateral of v4-b: CRLs in DER, and JSON files that hold value and signature.
Collateral partial_collateral() {
  Collateral collateral;
  const auto add = [&](PieceKind kind, ByteView bytes) {
    collateral.pieces[kind] = to_bytes(bytes);
  };
  const auto add_signed = [&](PieceKind value, PieceKind signature, const std::string& name,
                              const std::string& key) {
    const std::string text = file("tdx/v4-b/" + name);
    const std::size_t begin = key.size() + 4;  // {"key":
    const std::size_t end = text.rfind(",\"signature\"");
    add(value, as_bytes(text.substr(begin, end - begin)));
    add(signature, from_hex(parse_json(text, 100'000)->at("signature").get<std::string>()).value());
  };
  add(PieceKind::intel_pck_crl, as_bytes(file("tdx/v4-b/pck.crl")));
  add(PieceKind::intel_root_crl, as_bytes(file("tdx/v4-b/root.crl")));
  add_signed(PieceKind::intel_tcb_info, PieceKind::intel_tcb_info_signature, "tcb_info.json",
             "tcbInfo");
  add_signed(PieceKind::intel_qe_identity, PieceKind::intel_qe_identity_signature,
             "qe_identity.json", "enclaveIdentity");
  return collateral;
}

TEST_F(IntelEvidence, PartialCollateralIsRefusedByName) {
  const Bytes bytes = quote("tdx/v4-b");
  Collateral pieces = partial_collateral();
  EXPECT_EQ(outcome(EvidenceKind::tdx, bytes, pieces, k20230701),
            "intel.collateral.complete: expected every piece, actual without pckCrlIssuerChain "
            "tcbInfoIssuerChain qeIdentityIssuerChain");
  const Collateral other = collateral("tdx/v4-a");
  pieces.pieces[PieceKind::intel_pck_crl_chain] =
      to_bytes(other.get(PieceKind::intel_pck_crl_chain));
  EXPECT_EQ(outcome(EvidenceKind::tdx, bytes, pieces, k20230701),
            "intel.collateral.complete: expected every piece, actual without tcbInfoIssuerChain "
            "qeIdentityIssuerChain");
  pieces.pieces[PieceKind::intel_tcb_info_chain] =
      to_bytes(other.get(PieceKind::intel_tcb_info_chain));
  EXPECT_EQ(
      outcome(EvidenceKind::tdx, bytes, pieces, k20230701),
      "intel.collateral.complete: expected every piece, actual without qeIdentityIssuerChain");
}

TEST_F(IntelEvidence, QuotesWithoutCollateralAreShown) {
  struct Row {
    const char* file;
    EvidenceKind kind;
    std::int64_t at;
    const char* fmspc;
    bool zeros;
  };
  const Row rows[] = {
      {"tdx/v4-a/quote.bin", EvidenceKind::tdx, k20250622, "b0c06f000000", true},
      {"tdx/v4-b/quote.bin", EvidenceKind::tdx, k20230701, "50806f000000", false},
      {"tdx/v5/quote.bin", EvidenceKind::tdx, k20260301, "90c06f000000", true},
      {"sgx/quote.bin", EvidenceKind::sgx, k20250622, "00a067110000", true},
  };
  for (const Row& row : rows) {
    const std::string bytes = file(row.file);
    EXPECT_EQ(intel_quote_kind(as_bytes(bytes)).value(), row.kind);
    const auto shown = show_intel(row.kind, as_bytes(bytes), Anchors::vendors(), row.at);
    ASSERT_TRUE(shown.ok()) << row.file << shown.error().message;
    EXPECT_EQ(shown->at("quoteSignature"), "valid") << row.file;
    EXPECT_EQ(shown->at("qeReportSignature"), "valid") << row.file;
    EXPECT_EQ(shown->at("qeReportData"), "valid") << row.file;
    EXPECT_EQ(shown->at("pckChain").at("outcome"), "valid") << row.file;
    EXPECT_EQ(shown->at("fmspc"), row.fmspc) << row.file;
    EXPECT_EQ(shown->at("trailing").at("zeros"), row.zeros) << row.file;
  }
}

TEST_F(IntelEvidence, Version5IsNotYetValidBeforeItsCertificate) {
  const std::string bytes = file("tdx/v5/quote.bin");
  const auto shown = show_intel(EvidenceKind::tdx, as_bytes(bytes), Anchors::vendors(),
                                1'769'000'000);  // 2026-01-21
  EXPECT_TRUE(shown->at("pckChain")
                  .at("outcome")
                  .get<std::string>()
                  .starts_with("intel.pck.chain.current: expected C=US,"));
  EXPECT_EQ(shown->at("version"), 5);
  EXPECT_TRUE(shown->contains("teeTcbSvn2"));
}

TEST_F(IntelEvidence, QuotesOfCloudsArePaddedWithZeros) {
  const std::string bytes = file("eventlog/gcp-cos-113/quote.bin");
  const auto shown = show_intel(EvidenceKind::tdx, as_bytes(bytes), Anchors::vendors(), k20250622);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(shown->at("quoteSignature"), "valid");
  EXPECT_EQ(shown->at("trailing"), Json({{"size", 3065}, {"zeros", true}}));
}

}  // namespace
}  // namespace sp::attest
