// The broker's release for every kind of evidence: that of test vendors, whose roots are injected,
// and recorded evidence of real processors, which binds nobody's session.
#include "attest/intel.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "attest/testing/recorded.hpp"
#include "attest/testing/tpm_vendor.hpp"
#include "broker/remote.hpp"
#include "broker/testing/broker_fixture.hpp"

namespace sp::broker {
namespace {

using attest::EvidenceKind;
using attest::ReportData;

struct Platform {
  EvidenceKind kind = EvidenceKind::none;
  std::int64_t now = 0;
  attest::Anchors anchors;
  attest::ChipId chip;
  std::function<attest::Evidence(const ReportData&)> evidence;
  std::function<attest::Evidence(const ReportData&)> debug_evidence;
};

class KindsTest : public BrokerTest {
 protected:
  Platform snp() {
    Platform platform{
        EvidenceKind::sev_snp, attest::testing::kVendorNow, amd_.anchors(), {}, {}, {}};
    platform.chip = attest::chip_id(attest::Vendor::amd, amd_.chip_id(attest::SnpFamily::genoa));
    platform.evidence = [this](const ReportData& data) { return amd_.snp(data, snp_options()); };
    platform.debug_evidence = [this](const ReportData& data) {
      auto options = snp_options();
      options.debug = true;
      return amd_.snp(data, options);
    };
    return platform;
  }
  Platform tpm() {
    Platform platform = snp();
    platform.kind = EvidenceKind::tpm;
    platform.evidence = [this](const ReportData& data) {
      attest::testing::TpmOptions options;
      options.snp = snp_options();
      return tpm_.tpm(data, options);
    };
    platform.debug_evidence = [this](const ReportData& data) {
      attest::testing::TpmOptions options;
      options.snp = snp_options();
      options.snp.debug = true;
      return tpm_.tpm(data, options);
    };
    return platform;
  }
  Platform intel(EvidenceKind kind) {
    Platform platform{kind, attest::testing::kIntelNow, intel_.anchors(), {}, {}, {}};
    platform.chip = attest::chip_id(attest::Vendor::intel, intel_.tdx_recipe({}).pck.ppid.view());
    const auto make = [this, kind](const ReportData& data, bool debug) {
      attest::testing::IntelOptions options;
      options.measurement = measured();
      options.debug = debug;
      return kind == EvidenceKind::tdx ? intel_.tdx(data, options) : intel_.sgx(data, options);
    };
    platform.evidence = [make](const ReportData& data) { return make(data, false); };
    platform.debug_evidence = [make](const ReportData& data) { return make(data, true); };
    return platform;
  }
  std::vector<Platform> all() {
    return {snp(), tpm(), intel(EvidenceKind::tdx), intel(EvidenceKind::sgx)};
  }

  // A launch measurement that every kind can have: SGX's ends in zeros.
  static attest::Measurement measured() {
    attest::Measurement measurement;
    std::fill_n(measurement.data.begin(), 32, std::uint8_t{0x44});
    return measurement;
  }
  static attest::testing::SnpOptions snp_options() {
    attest::testing::SnpOptions options;
    options.measurement = measured();
    return options;
  }

  attest::AppraisalPolicy accepting_kind(const Platform& platform) {
    attest::AppraisalPolicy policy;
    policy.kinds = {platform.kind};
    policy.measurements = {measured()};
    policy.tcb_statuses = {attest::TcbStatus::up_to_date};
    policy.roots = platform.anchors.amd;
    policy.roots.insert(policy.roots.end(), platform.anchors.intel.begin(),
                        platform.anchors.intel.end());
    const auto verdict = attest::verify(platform.evidence({}), platform.now, platform.anchors);
    EXPECT_TRUE(verdict.ok()) << verdict.error().message;
    if (verdict->claims().registers.size() > 1) {
      policy.registers["rtmr1"] = {verdict->claims().registers[1].hex()};
    }
    if (!verdict->claims().pcrs.empty()) {
      policy.registers["pcr4"] = {verdict->claims().pcrs[4]->hex()};
    }
    return policy;
  }

  // The order is of this platform now, and so are the data's policy and the broker's.
  void move_to(const Platform& platform, const attest::AppraisalPolicy& tee) {
    evidence_of = platform.evidence;
    OrderFacts& facts = view_.facts_now;
    facts.now = platform.now;
    facts.created_at = platform.now - 10;
    facts.terms.choices[0].kind = platform.kind;
    facts.terms.choices[0].chip = platform.chip;
    broker_.emplace(keys_, view_, *vault_, prover_, clock_, random_,
                    Broker::Options{tee, platform.anchors, collateral_});
    ReleasePolicy released = policy();
    released.tee = tee;
    released.until = platform.now + 1000;
    deposit_data(released);
  }

  collateral::CollateralSource* collateral_ = nullptr;
  attest::testing::AmdVendor amd_{random_};
  attest::testing::TpmVendor tpm_{amd_};
  attest::testing::IntelVendor intel_{random_};
};

TEST_F(KindsTest, EveryKindIsAttestedAndGivenTheKey) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    move_to(platform, accepting_kind(platform));
    const auto answer = broker_->release(request(proof()));
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_FALSE(answer->refusal.has_value());
  }
}

TEST_F(KindsTest, TheMetricSaysUntilWhenEvidenceVerifies) {
  const Platform platform = snp();
  move_to(platform, accepting_kind(platform));
  EXPECT_EQ(broker_->metrics().find("holds_until_seconds{"), std::string::npos);
  ASSERT_TRUE(broker_->release(request(proof())).ok());
  const auto verdict = attest::verify(platform.evidence({}), platform.now, platform.anchors);
  const auto ends = verdict->ends_first();
  ASSERT_TRUE(ends.has_value());
  const std::string text = broker_->metrics();
  EXPECT_NE(text.find("holds_until_seconds{kind=\"snp\",piece=\"" + ends->piece + "\"} " +
                      std::to_string(ends->until)),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("sessions_total{outcome=\"released\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("sessions_total{outcome=\"failed\"} 0\n"), std::string::npos);
}

TEST_F(KindsTest, EvidenceOfAnotherSessionIsRefused) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    move_to(platform, accepting_kind(platform));
    const attest::Evidence old = platform.evidence(ReportData{{1}});
    evidence_of = [&](const ReportData&) { return old; };
    EXPECT_EQ(attest_error(proof()), Errc::mismatch);
  }
}

TEST_F(KindsTest, ARootThatIsNotInjectedIsNoRoot) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    const attest::AppraisalPolicy tee = accepting_kind(platform);
    move_to(platform, tee);
    broker_.emplace(keys_, view_, *vault_, prover_, clock_, random_,
                    Broker::Options{tee, attest::Anchors::vendors(), nullptr});
    EXPECT_FALSE(broker_->attest(proof()).ok());
  }
}

TEST_F(KindsTest, ARootThatThePolicyDoesNotNameIsRefused) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    attest::AppraisalPolicy tee = accepting_kind(platform);
    tee.roots.clear();
    move_to(platform, tee);
    EXPECT_EQ(attest_error(proof()), Errc::refused);
  }
}

TEST_F(KindsTest, DebugIsRefused) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    move_to(platform, accepting_kind(platform));
    evidence_of = platform.debug_evidence;
    EXPECT_EQ(attest_error(proof()), Errc::refused);
  }
}

TEST_F(KindsTest, AnotherChipOrKindThanTheOffersIsRefused) {
  for (const Platform& platform : all()) {
    SCOPED_TRACE(attest::kind_name(platform.kind));
    move_to(platform, accepting_kind(platform));
    view_.facts_now.terms.choices[0].chip.data[0] ^= 1;
    EXPECT_EQ(attest_error(proof()), Errc::mismatch);
    move_to(platform, accepting_kind(platform));
    view_.facts_now.terms.choices[0].kind = EvidenceKind::dev;
    EXPECT_EQ(attest_error(proof()), Errc::mismatch);
  }
}

TEST_F(KindsTest, EvidenceWithoutAChipBacksNoOffer) {
  Platform masked = snp();
  masked.evidence = [this](const ReportData& data) {
    auto options = snp_options();
    options.key = attest::SnpKey::vlek;
    options.masked_chip_id = true;
    return amd_.snp(data, options);
  };
  move_to(masked, accepting_kind(masked));
  EXPECT_EQ(attest_error(proof()), Errc::mismatch);
}

// What AMD's service would publish of the test vendor.
class VendorService final : public collateral::CollateralSource {
 public:
  explicit VendorService(attest::Collateral pieces) : pieces_(std::move(pieces)) {}
  Result<collateral::Published> get(const collateral::Wanted& wanted) override {
    ++asked;
    const bool chip = std::holds_alternative<collateral::AmdChipCertificate>(wanted);
    const bool crl = std::holds_alternative<collateral::AmdCrl>(wanted);
    if (!chip && !crl) return Error{Errc::not_found, "not published"};
    return collateral::Published{to_bytes(pieces_.get(chip ? attest::PieceKind::amd_chip_certificate
                                                           : attest::PieceKind::amd_crl)),
                                 {}};
  }
  void publish(attest::Collateral pieces) { pieces_ = std::move(pieces); }
  int asked = 0;

 private:
  attest::Collateral pieces_;
};

TEST_F(KindsTest, MissingCollateralComesFromTheSource) {
  const Platform platform = snp();
  const attest::AppraisalPolicy tee = accepting_kind(platform);
  const attest::Collateral all = amd_.collateral(snp_options());
  VendorService service(all);
  collateral_ = &service;
  move_to(platform, tee);
  // The vendor's own intermediate and root aren't built in, so they travel with the evidence.
  evidence_of = [&](const ReportData& data) {
    attest::Evidence evidence = platform.evidence(data);
    attest::Collateral some = all;
    some.pieces.erase(attest::PieceKind::amd_chip_certificate);
    some.pieces.erase(attest::PieceKind::amd_crl);
    evidence.collateral = some.encode();
    return evidence;
  };
  const auto answer = broker_->release(request(proof()));
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_FALSE(answer->refusal.has_value());
  EXPECT_GE(service.asked, 2);

  collateral_ = nullptr;
  const auto bare = evidence_of;
  move_to(platform, tee);
  evidence_of = bare;
  EXPECT_EQ(attest_error(proof()), Errc::not_found) << "without a source nothing is added";
}

// Neither attested nor released, and no signed refusal, which would end the order: its caller is
// told when to try again, and is served once the vendor has renewed its list.
TEST_F(KindsTest, CollateralThatIsNotCurrentIsAReasonToTryAgain) {
  const Platform platform = snp();
  const attest::Collateral current = amd_.collateral(snp_options());
  auto ended = snp_options();
  ended.change_crl = [&](auto& crl) { crl.next_update = platform.now - 1; };
  VendorService service(current);
  collateral_ = &service;
  move_to(platform, accepting_kind(platform));
  evidence_of = [&](const ReportData& data) {
    attest::Evidence evidence = platform.evidence(data);
    attest::Collateral some = current;
    some.pieces.erase(attest::PieceKind::amd_crl);
    evidence.collateral = some.encode();
    return evidence;
  };
  const api::ReleaseRequest attested = request(proof());
  ASSERT_TRUE(broker_->release(attested).ok());

  service.publish(amd_.collateral(ended));
  net::HttpRequest http;
  http.method = "POST";
  for (const auto& [path, body] : {std::pair("/v1/attest", attested.proof.encode()),
                                   std::pair("/v1/release", attested.encode())}) {
    http.path = path;
    http.body = body;
    const net::HttpResponse answer = handle_broker_request(*broker_, http);
    EXPECT_EQ(answer.status, 503U) << path;
    EXPECT_TRUE(answer.headers.contains("retry-after"));
    EXPECT_NE(as_text(answer.body).find("snp.crl.dates"), std::string_view::npos);
  }

  service.publish(current);
  EXPECT_EQ(handle_broker_request(*broker_, http).status, 200U);
}

// Real evidence, good at its time, was made for nobody's session of ours.
TEST_F(KindsTest, RecordedEvidenceIsRefusedForItsReportData) {
  SP_RECORDED(quote, "tdx/v4-a/quote.bin");
  SP_RECORDED(collateral, "tdx/v4-a/collateral.json");
  SP_RECORDED(report, "snp/milan-b/report.bin");
  SP_RECORDED(vcek, "snp/milan-b/vcek.der");
  const auto pieces = attest::intel_collateral_from_json(as_text(collateral));
  ASSERT_TRUE(pieces.ok()) << pieces.error().message;
  attest::Collateral amd;
  amd.pieces[attest::PieceKind::amd_chip_certificate] = vcek;
  const std::vector<std::pair<attest::Evidence, std::int64_t>> real = {
      {{EvidenceKind::tdx, quote, pieces->encode()}, attest::testing::day("2025-06-22")},
      {{EvidenceKind::sev_snp, report, amd.encode()}, attest::testing::day("2023-06-01")}};
  for (const auto& [evidence, now] : real) {
    const auto verdict = attest::verify(evidence, now);
    ASSERT_TRUE(verdict.ok()) << verdict.error().message;
    Platform platform{evidence.kind, now, attest::Anchors::vendors(), verdict->chip(), {}, {}};
    platform.evidence = [&evidence = evidence](const ReportData&) { return evidence; };
    attest::AppraisalPolicy tee = attest::AppraisalPolicy::standard();
    tee.require_crl = false;
    move_to(platform, tee);
    EXPECT_EQ(attest_error(proof()), Errc::mismatch);
  }
}

}  // namespace
}  // namespace sp::broker
