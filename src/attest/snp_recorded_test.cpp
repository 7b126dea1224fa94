// SEV-SNP evidence of real processors.
#include <nlohmann/json.hpp>

#include "attest/snp.hpp"
#include "attest/snp_certificates.hpp"
#include "attest/snp_chain.hpp"
#include "attest/testing/recorded.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

using testing::day;

Collateral with_chip(const Bytes& der) { return {{{PieceKind::amd_chip_certificate, der}}}; }

TEST(SnpRecorded, MilanB) {
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek.der");
  const auto claims = verify_snp(report, with_chip(vcek), Anchors::vendors(), day("2023-06-01"));
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_EQ(claims->kind, EvidenceKind::sev_snp);
  EXPECT_EQ(claims->vendor, Vendor::amd);
  EXPECT_EQ(claims->measurement.hex().substr(0, 8), "a1f39304");
  EXPECT_EQ(to_hex(claims->hardware_id).substr(0, 8), "c38427a3");
  EXPECT_EQ(claims->hardware_id.size(), kSnpChipIdSize);
  EXPECT_EQ(claims->tcb_status, TcbStatus::up_to_date);
  EXPECT_FALSE(claims->debug);
  EXPECT_FALSE(claims->revocation_checked);
  EXPECT_EQ(claims->anchor, Anchors::vendors().amd[0]);
  EXPECT_EQ(claims->report_data.hex().substr(0, 8), "ec6c52d7");
  ASSERT_EQ(claims->validity.size(), 3U);
  EXPECT_EQ(claims->validity[0].piece, "VCEK certificate");
  EXPECT_EQ(to_rfc3339(claims->validity[0].from), "2023-01-24T17:58:26Z");
  EXPECT_EQ(claims->details["reportedTcb"], (Json{{"value", "7308000000000003"},
                                                  {"bootloader", 3},
                                                  {"tee", 0},
                                                  {"snp", 8},
                                                  {"microcode", 0x73}}));
  EXPECT_EQ(claims->details["policy"]["value"], "0x000000000003001f");
  EXPECT_EQ(claims->details["chipCertificate"]["product"], "Milan-B0");
}

TEST(SnpRecorded, MilanBAtAnotherTime) {
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek.der");
  for (const char* when : {"2023-01-24", "2030-01-25"}) {
    const auto claims = verify_snp(report, with_chip(vcek), Anchors::vendors(), day(when));
    ASSERT_FALSE(claims.ok()) << when;
    EXPECT_EQ(claims.error().code, Errc::expired);
    EXPECT_TRUE(claims.error().message.starts_with("snp.vcek.dates: "));
  }
}

TEST(SnpRecorded, MilanBWithAnotherChipsCertificate) {
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek-invalid.der");
  const auto claims = verify_snp(report, with_chip(vcek), Anchors::vendors(), day("2023-09-01"));
  ASSERT_FALSE(claims.ok());
  EXPECT_EQ(claims.error().message, "snp.vcek.extensions: a hardware id of 66 bytes, expected 64");
}

TEST(SnpRecorded, MilanAAllowsDebug) {
  SP_RECORDED(report, "snp/milan-a/report.bin");
  SP_RECORDED(vcek, "snp/milan-a/vcek.der");
  const auto claims = verify_snp(report, with_chip(vcek), Anchors::vendors(), day("2023-01-01"));
  ASSERT_TRUE(claims.ok()) << claims.error().message;
  EXPECT_TRUE(claims->debug);
  EXPECT_EQ(claims->measurement.hex().substr(0, 8), "b07af962");
  EXPECT_EQ(claims->report_data.hex().substr(0, 12), "010203040500");
  EXPECT_EQ(claims->details["reportedTcb"]["value"], "4405000000000002");
}

TEST(SnpRecorded, EveryByteOfTheReportCounts) {
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek.der");
  for (std::size_t i = 0; i < report.size(); ++i) {
    Bytes changed = report;
    changed[i] ^= 1;
    EXPECT_FALSE(verify_snp(changed, with_chip(vcek), Anchors::vendors(), day("2023-06-01")).ok())
        << "byte " << i;
  }
}

TEST(SnpRecorded, TurinChainWithBuiltInCertificates) {
  SP_RECORDED(vcek, "snp/turin-vcek.der");
  const auto chain = verify_snp_chain(with_chip(vcek), Anchors::vendors(), day("2025-01-01"));
  ASSERT_TRUE(chain.ok()) << chain.error().message;
  EXPECT_EQ(chain->chip.family, SnpFamily::turin);
  EXPECT_EQ(chain->chip.product, "Turin");
  EXPECT_EQ(chain->chip.tcb.hex(), "0900000000000000");
  EXPECT_EQ(to_hex(chain->chip.hwid).substr(0, 18), "1e550a8ee5cf9f4d00");
  EXPECT_EQ(chain->anchor, Anchors::vendors().amd[2]);
}

TEST(SnpRecorded, BuiltInCertificatesAreThePublishedOnes) {
  for (const SnpFamily family : {SnpFamily::milan, SnpFamily::genoa, SnpFamily::turin}) {
    std::string name(family_name(family));
    name[0] = static_cast<char>(name[0] - 'A' + 'a');
    SP_RECORDED(vcek_chain, "snp/" + name + "-ask-ark.pem");
    SP_RECORDED(vlek_chain, "snp/" + name + "-asvk-ark.pem");
    const auto asks = collateral_from_amd_certificates(vcek_chain).value();
    const auto asvks = collateral_from_amd_certificates(vlek_chain).value();
    const SnpBuiltIn& built_in = snp_built_in(family);
    EXPECT_EQ(asks.pieces.at(PieceKind::amd_root), to_bytes(built_in.ark));
    EXPECT_EQ(asvks.pieces.at(PieceKind::amd_root), to_bytes(built_in.ark));
    EXPECT_EQ(asks.pieces.at(PieceKind::amd_intermediate), to_bytes(built_in.ask));
    EXPECT_EQ(asvks.pieces.at(PieceKind::amd_intermediate), to_bytes(built_in.asvk));
  }
}

TEST(SnpRecorded, BuiltInRootsAreTheAnchors) {
  for (const SnpFamily family : {SnpFamily::milan, SnpFamily::genoa, SnpFamily::turin}) {
    const auto root = crypto::Certificate::from_der(snp_built_in(family).ark);
    ASSERT_TRUE(root.ok());
    EXPECT_EQ(crypto::sha384(root->public_key_info()),
              Anchors::vendors().amd[static_cast<std::size_t>(family)]);
    for (const ByteView der : {snp_built_in(family).ask, snp_built_in(family).asvk}) {
      EXPECT_TRUE(crypto::Certificate::from_der(der)->verify_issued_by(*root).ok());
    }
  }
}

TEST(SnpRecorded, ShowTellsWithoutVerifying) {
  SP_RECORDED(report, "snp/milan-a/report.bin");
  const auto shown = show_snp(report);
  ASSERT_TRUE(shown.ok());
  EXPECT_EQ((*shown)["policy"]["debug"], true);
  EXPECT_EQ((*shown)["currentFirmware"], "1.49.3");
  EXPECT_EQ((*shown)["reportedTcb"]["microcode"], 0x44);
  EXPECT_FALSE(shown->contains("family"));
}

}  // namespace
}  // namespace sp::attest
