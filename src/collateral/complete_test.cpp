#include "collateral/complete.hpp"

#include <gtest/gtest.h>

#include "attest/intel.hpp"
#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/tpm.hpp"
#include "attest/verdict.hpp"
#include "collateral/forecast.hpp"
#include "collateral/testing/test_support.hpp"
#include "crypto/random.hpp"

namespace sp::collateral {
namespace {

using attest::Collateral;
using attest::Evidence;
using attest::EvidenceKind;
using attest::PieceKind;
using attest::SnpFamily;
using attest::SnpKey;
using attest::testing::AmdVendor;
using attest::testing::kVendorNow;
using attest::testing::SnpOptions;
using testing::MapSource;
using testing::published;

Published piece(const Collateral& collateral, PieceKind kind, PieceKind chain = {}) {
  return {to_bytes(collateral.get(kind)), std::string(as_text(collateral.get(chain)))};
}

// An answer of Intel's service, as it is signed.
Published signed_json(std::string_view name, const Collateral& collateral, PieceKind value,
                      PieceKind signature, PieceKind chain) {
  return published("{\"" + std::string(name) + "\":" + std::string(as_text(collateral.get(value))) +
                       ",\"signature\":\"" + to_hex(collateral.get(signature)) + "\"}",
                   as_text(collateral.get(chain)));
}

// Intel's service with what `collateral` holds.
MapSource intel_service(const Collateral& collateral, const std::string& tee,
                        const std::string& fmspc, const std::string& ca) {
  MapSource source;
  const std::string sgx = "/sgx/certification/v4";
  const std::string own = "/" + tee + "/certification/v4";
  source.answers[sgx + "/pckcrl?ca=" + ca + "&encoding=der"] =
      piece(collateral, PieceKind::intel_pck_crl, PieceKind::intel_pck_crl_chain);
  source.answers[sgx + "/rootcacrl"] =
      published(to_hex(collateral.get(PieceKind::intel_root_crl)));  // as a PCCS gives it
  source.answers[own + "/tcb?fmspc=" + fmspc] =
      signed_json("tcbInfo", collateral, PieceKind::intel_tcb_info,
                  PieceKind::intel_tcb_info_signature, PieceKind::intel_tcb_info_chain);
  source.answers[own + "/qe/identity"] =
      signed_json("enclaveIdentity", collateral, PieceKind::intel_qe_identity,
                  PieceKind::intel_qe_identity_signature, PieceKind::intel_qe_identity_chain);
  return source;
}

TEST(CompleteIntel, ARecordedQuoteGetsAllThatItNeeds) {
  SP_RECORDED(quote, "tdx/v4-a/quote.bin");
  SP_RECORDED(json, "tdx/v4-a/collateral.json");
  const Collateral all = attest::intel_collateral_from_json(as_text(json)).value();
  MapSource source = intel_service(all, "tdx", "b0c06f000000", "platform");
  const auto evidence = complete({EvidenceKind::tdx, quote, {}}, source);
  ASSERT_TRUE(evidence) << evidence.error().message;
  const std::int64_t at = attest::testing::day("2025-06-22");
  const auto verdict = attest::verify(*evidence, at);
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_EQ(verdict->tcb_status(), attest::TcbStatus::up_to_date);
  const Json ends = forecast(*verdict, at);
  EXPECT_EQ(ends.at("holdsUntil"), "2025-07-19T10:00:35Z");
  EXPECT_EQ(ends.at("endsFirst"), "PCK CRL");
  EXPECT_EQ(ends.at("daysLeft"), 27);
  EXPECT_EQ(source.asked.size(), 4U);

  EXPECT_EQ(complete(*evidence, source).value(), *evidence) << "the source has nothing newer";
  MapSource nothing;
  EXPECT_EQ(complete(*evidence, nothing).value(), *evidence) << "what came is enough";
  EXPECT_EQ(nothing.asked.size(), 4U) << "each list may be newer elsewhere";
}

// Whoever brings it.
TEST(CompleteIntel, TheNewerOfTwoListsCounts) {
  SP_RECORDED(quote, "tdx/v4-a/quote.bin");
  SP_RECORDED(json, "tdx/v4-a/collateral.json");
  const Collateral recorded = attest::intel_collateral_from_json(as_text(json)).value();
  for (const PieceKind kind : {PieceKind::intel_tcb_info, PieceKind::intel_qe_identity}) {
    for (const bool source_is_newer : {true, false}) {
      Collateral changed = recorded;
      std::string text(as_text(recorded.get(kind)));
      constexpr std::string_view kField = "\"issueDate\":\"";
      const std::size_t year = text.find(kField) + kField.size();
      ASSERT_EQ(text.substr(year, 4), "2025");
      text.replace(year, 4, "2026");
      changed.pieces[kind] = to_bytes(as_bytes(text));
      const Collateral& older = recorded;
      MapSource source =
          intel_service(source_is_newer ? changed : older, "tdx", "b0c06f000000", "platform");
      const Evidence came{EvidenceKind::tdx, quote, (source_is_newer ? older : changed).encode()};
      EXPECT_EQ(Collateral::decode(complete(came, source)->collateral).value(), changed);
    }
  }
}

TEST(CompleteIntel, ARecordedSgxQuoteAsksForSgxsOwn) {
  SP_RECORDED(quote, "sgx/quote.bin");
  MapSource nothing;
  const attest::IntelNeeds needs =
      attest::intel_needs(EvidenceKind::sgx, quote, Collateral()).value();
  EXPECT_EQ(needs.tee, EvidenceKind::sgx);
  EXPECT_EQ(needs.fmspc.size(), 12U);
  const auto evidence = complete({EvidenceKind::sgx, quote, {}}, nothing);
  ASSERT_FALSE(evidence.ok());
  EXPECT_EQ(evidence.error(), (Error{Errc::not_found, "PCK CRL of CA " + needs.ca + ": nowhere"}));
  EXPECT_EQ(attest::intel_needs(EvidenceKind::tdx, quote, Collateral()).error().code,
            Errc::mismatch);
}

TEST(CompleteIntel, BrokenAnswersAreRefused) {
  const attest::Needs needs = attest::IntelNeeds{EvidenceKind::tdx, "b0c06f000000", "processor"};
  Collateral some;
  some.pieces[PieceKind::intel_pck_crl] = {0x30, 0x01, 0x02};
  some.pieces[PieceKind::intel_pck_crl_chain] = {'x'};
  some.pieces[PieceKind::intel_root_crl] = {0x30, 0x01, 0x02};
  MapSource source = intel_service(some, "tdx", "b0c06f000000", "processor");
  source.answers["/tdx/certification/v4/tcb?fmspc=b0c06f000000"] = published("{}", "chain");
  const auto completed = complete(needs, Collateral(), source);
  ASSERT_FALSE(completed.ok());
  EXPECT_EQ(completed.error().code, Errc::malformed);
  EXPECT_TRUE(completed.error().message.starts_with("tdx TCB info of FMSPC b0c06f000000: "))
      << completed.error().message;
  source.answers["/sgx/certification/v4/rootcacrl"] = published("<html>");
  EXPECT_EQ(complete(needs, Collateral(), source).error().message,
            "the revocation list is neither DER nor its hexadecimal");
}

class CompleteSnp : public ::testing::Test {
 protected:
  // Evidence without chip certificate and CRL, and the service that has them.
  Evidence stripped(const SnpOptions& options, const std::string& product) {
    const Evidence whole = vendor_.snp({}, options);
    Collateral collateral = Collateral::decode(whole.collateral).value();
    const attest::SnpNeeds needs = attest::snp_needs(whole.body, Collateral()).value();
    AmdChipCertificate chip{product_from_name(product).value(), needs.hwid, {}};
    chip.tcb = {needs.bootloader, needs.tee, needs.snp, needs.microcode, needs.fmc.value_or(0)};
    source_.answers[path_of(chip)] = piece(collateral, PieceKind::amd_chip_certificate);
    source_.answers["/vcek/v1/" + product + "/crl"] = piece(collateral, PieceKind::amd_crl);
    source_.answers["/vlek/v1/" + product + "/crl"] = piece(collateral, PieceKind::amd_crl);
    collateral.pieces.erase(PieceKind::amd_chip_certificate);
    collateral.pieces.erase(PieceKind::amd_crl);
    return {whole.kind, whole.body, collateral.encode()};
  }
  void expect_verifies(const Result<Evidence>& evidence) {
    ASSERT_TRUE(evidence) << evidence.error().message;
    const auto verdict = attest::verify(*evidence, kVendorNow, AmdVendor::anchors());
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_TRUE(verdict->revocation_checked());
  }

  crypto::SystemRandom random_;
  AmdVendor vendor_{random_};
  MapSource source_;
};

TEST_F(CompleteSnp, AReportGetsItsChipsCertificateAndTheList) {
  for (const auto& [family, product] :
       {std::pair(SnpFamily::milan, "Milan"), std::pair(SnpFamily::genoa, "Genoa"),
        std::pair(SnpFamily::turin, "Turin")}) {
    SnpOptions options;
    options.family = family;
    const Evidence evidence = stripped(options, product);
    source_.asked.clear();
    expect_verifies(complete(evidence, source_));
    EXPECT_EQ(source_.asked.size(), 2U) << product;
  }
}

TEST_F(CompleteSnp, AReportThatDoesntNameItsProductTriesThem) {
  SnpOptions options;
  options.version = 2;
  options.family = SnpFamily::genoa;
  const Evidence evidence = stripped(options, "Genoa");
  expect_verifies(complete(evidence, source_));
  ASSERT_EQ(source_.asked.size(), 3U);
  EXPECT_TRUE(source_.asked[0].starts_with("/vcek/v1/Milan/"));
  EXPECT_TRUE(source_.asked[1].starts_with("/vcek/v1/Genoa/"));
  EXPECT_EQ(source_.asked[2], "/vcek/v1/Genoa/crl");
}

TEST_F(CompleteSnp, TheCertificateThatCameNamesTheProduct) {
  SnpOptions options;
  options.version = 2;
  options.family = SnpFamily::genoa;
  Evidence evidence = stripped(options, "Genoa");
  Collateral collateral = vendor_.collateral(options);
  collateral.pieces.erase(PieceKind::amd_crl);
  evidence.collateral = collateral.encode();
  expect_verifies(complete(evidence, source_));
  EXPECT_EQ(source_.asked, std::vector<std::string>{"/vcek/v1/Genoa/crl"});
}

// A host that brings the list of before its chip was revoked hides nothing from who can ask.
TEST_F(CompleteSnp, AnOlderListHidesNoRevocation) {
  SnpOptions revoked;
  revoked.change_crl = [](auto& crl) {
    crl.this_update += 1;
    crl.revoked = {{{1, 1}, crl.this_update, {}}};
  };
  const Evidence before = vendor_.snp({}, {});
  const Evidence after = vendor_.snp({}, revoked);
  const auto verify = [](const Result<Evidence>& evidence) {
    return attest::verify(*evidence, kVendorNow, AmdVendor::anchors());
  };
  MapSource nothing;
  ASSERT_TRUE(verify(complete(before, nothing))) << "nobody else has a list: it is in its dates";

  source_.answers["/vcek/v1/Genoa/crl"] = piece(vendor_.collateral(revoked), PieceKind::amd_crl);
  const auto verdict = verify(complete(before, source_));
  ASSERT_FALSE(verdict.ok());
  EXPECT_TRUE(verdict.error().message.starts_with("snp.crl.revoked: ")) << verdict.error().message;

  source_.answers["/vcek/v1/Genoa/crl"] = piece(vendor_.collateral(), PieceKind::amd_crl);
  EXPECT_FALSE(verify(complete(after, source_)).ok()) << "the list that came is the newer one";
}

// What can't be read is older than what can, and what a source gives then counts.
TEST_F(CompleteSnp, AListThatCantBeReadIsTheOldest) {
  SnpOptions broken;
  broken.change_collateral = [](Collateral& all) { all.pieces[PieceKind::amd_crl] = {0x30, 0x00}; };
  source_.answers["/vcek/v1/Genoa/crl"] = piece(vendor_.collateral(), PieceKind::amd_crl);
  expect_verifies(complete(vendor_.snp({}, broken), source_));
  source_.answers["/vcek/v1/Genoa/crl"] = published("<html>");
  expect_verifies(complete(vendor_.snp({}, {}), source_));
}

TEST_F(CompleteSnp, NobodyPublishesAVlek) {
  SnpOptions options;
  options.key = SnpKey::vlek;
  EXPECT_EQ(
      complete(stripped(options, "Genoa"), source_).error(),
      (Error{Errc::not_found, "a VLEK's certificate isn't published: the evidence brings it"}));
  Collateral collateral = vendor_.collateral(options);
  collateral.pieces.erase(PieceKind::amd_crl);
  Evidence evidence = vendor_.snp({}, options);
  evidence.collateral = collateral.encode();
  source_.asked.clear();
  expect_verifies(complete(evidence, source_));
  EXPECT_EQ(source_.asked, std::vector<std::string>{"/vlek/v1/Genoa/crl"});
}

TEST_F(CompleteSnp, AMaskedChipIdIsNobodys) {
  SnpOptions options;
  options.masked_chip_id = true;
  Evidence evidence = vendor_.snp({}, options);
  evidence.collateral.clear();
  EXPECT_EQ(complete(evidence, source_).error(),
            (Error{Errc::not_found, "the chip id is masked, so nobody can say whose VCEK it is"}));
}

TEST_F(CompleteSnp, AFailureOtherThanNotThereEndsTheSearch) {
  class Down final : public CollateralSource {
   public:
    Result<Published> get(const Wanted&) override { return Error{Errc::unavailable, "down"}; }
  } down;
  SnpOptions options;
  options.version = 2;
  const auto completed = complete(stripped(options, "Genoa"), down);
  ASSERT_FALSE(completed.ok());
  EXPECT_EQ(completed.error().code, Errc::unavailable);
  EXPECT_TRUE(completed.error().message.starts_with("VCEK of Milan chip "))
      << completed.error().message;
}

TEST(WantedFor, IsAllThatMayBeAskedFor) {
  const auto paths = [](const attest::Needs& needs) {
    std::vector<std::string> list;
    const std::vector<Wanted> all = wanted_for(needs).value();
    for (const Wanted& wanted : all) list.push_back(path_of(wanted));
    return list;
  };
  EXPECT_TRUE(paths(attest::Needs()).empty());
  EXPECT_EQ(paths(attest::IntelNeeds{EvidenceKind::sgx, "00906ed50000", "processor"}),
            (std::vector<std::string>{"/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
                                      "/sgx/certification/v4/rootcacrl",
                                      "/sgx/certification/v4/tcb?fmspc=00906ed50000",
                                      "/sgx/certification/v4/qe/identity"}));
  attest::SnpNeeds snp;
  snp.products = {"Turin"};
  snp.hwid.assign(kTurinHwidSize, 0xb2);
  snp.fmc = 1;
  EXPECT_EQ(paths(snp),
            (std::vector<std::string>{"/vcek/v1/Turin/b2b2b2b2b2b2b2b2"
                                      "?fmcSPL=01&blSPL=00&teeSPL=00&snpSPL=00&ucodeSPL=00",
                                      "/vcek/v1/Turin/crl"}));
  snp.vlek = true;
  EXPECT_EQ(paths(snp), std::vector<std::string>{"/vlek/v1/Turin/crl"});
}

TEST(WantedFor, NeedsThatNameNothingKnownAreRefused) {
  const auto code = [](const attest::Needs& needs) { return wanted_for(needs).error().code; };
  EXPECT_EQ(code(attest::IntelNeeds{EvidenceKind::tdx, "00906ed50000", "root"}), Errc::unsupported);
  EXPECT_EQ(code(attest::IntelNeeds{EvidenceKind::tpm, "00906ed50000", "platform"}),
            Errc::unsupported);
  EXPECT_EQ(code(attest::IntelNeeds{EvidenceKind::tdx, "00906ed5", "platform"}), Errc::malformed);
  attest::SnpNeeds snp;
  snp.products = {"Milan"};
  snp.hwid = {1};
  EXPECT_EQ(code(snp), Errc::malformed);
  snp.products = {"Venice"};
  EXPECT_EQ(code(snp), Errc::unsupported);
}

TEST(Complete, DevEvidenceNeedsNothing) {
  MapSource source;
  const Evidence dev{EvidenceKind::dev, {1, 2, 3}, {}};
  EXPECT_EQ(complete(dev, source).value(), dev);
  EXPECT_TRUE(source.asked.empty());
}

TEST(Complete, WhatIsntEvidenceIsRefused) {
  MapSource source;
  for (const EvidenceKind kind :
       {EvidenceKind::sev_snp, EvidenceKind::tdx, EvidenceKind::sgx, EvidenceKind::tpm}) {
    EXPECT_FALSE(complete({kind, {1, 2, 3}, {}}, source).ok());
  }
  EXPECT_EQ(complete({EvidenceKind::none, {}, {}}, source).error().code, Errc::unsupported);
  EXPECT_EQ(complete({EvidenceKind::tdx, {}, {1}}, source).error().code, Errc::malformed);
  EXPECT_TRUE(source.asked.empty());
}

TEST(Complete, ARecordedVtpmAsksForItsHardwares) {
  SP_RECORDED(hcl, "tpm/azure-snp-v0/hcl-report.bin");
  attest::TpmEvidence evidence;
  evidence.hcl_report = hcl;
  const auto needs = attest::needs_of({EvidenceKind::tpm, evidence.encode(), {}}, Collateral());
  ASSERT_TRUE(needs) << needs.error().message;
  const auto* snp = std::get_if<attest::SnpNeeds>(&*needs);
  ASSERT_NE(snp, nullptr);
  EXPECT_EQ(snp->hwid.size(), kHwidSize);
  EXPECT_EQ(snp->products, (std::vector<std::string>{"Milan", "Genoa"}));
}

}  // namespace
}  // namespace sp::collateral
