// Every rule of an appraisal allows what it should and refuses the rest.
#include "attest/appraisal.hpp"

#include <gtest/gtest.h>

#include "attest/testing/amd_vendor.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

class AppraisalTest : public ::testing::Test {
 protected:
  AppraisalTest() {
    policy_ = AppraisalPolicy::standard();
    policy_.roots = amd_.anchors().amd;
    const Anchors intel = intel_.anchors();
    policy_.roots.insert(policy_.roots.end(), intel.intel.begin(), intel.intel.end());
  }

  Verdict snp(const testing::SnpOptions& options = {}) {
    auto verdict = verify(amd_.snp({}, options), testing::kVendorNow, amd_.anchors());
    EXPECT_TRUE(verdict.ok()) << verdict.error().message;
    return *verdict;
  }
  Verdict tdx(const testing::IntelOptions& options = {}) {
    auto verdict = verify(intel_.tdx({}, options), testing::kIntelNow, intel_.anchors());
    EXPECT_TRUE(verdict.ok()) << verdict.error().message;
    return *verdict;
  }
  // The first rule that refuses; empty where all allow.
  static std::string refusal(const Verdict& verdict, const AppraisalPolicy& policy) {
    for (const RuleOutcome& rule : appraise(verdict, policy)) {
      if (!rule.allowed) return rule.rule;
    }
    return "";
  }
  std::string refusal_with(const Verdict& verdict,
                           const std::function<void(AppraisalPolicy&)>& change) {
    AppraisalPolicy changed = policy_;
    change(changed);
    return refusal(verdict, changed);
  }

  crypto::SystemRandom random_;
  testing::AmdVendor amd_{random_};
  testing::IntelVendor intel_{random_};
  AppraisalPolicy policy_;
};

TEST_F(AppraisalTest, TheStandardPolicyTakesGoodEvidence) {
  EXPECT_EQ(refusal(snp(), policy_), "");
  EXPECT_EQ(refusal(tdx(), policy_), "");
}

TEST_F(AppraisalTest, EachRuleRefusesByName) {
  const Verdict verdict = snp();
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.kinds = {EvidenceKind::tdx}; }), "tee.kinds");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.roots = {}; }), "tee.roots");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.any_measurement = false; }), "tee.measurements");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.tcb_statuses = {TcbStatus::out_of_date}; }),
            "tee.tcb");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.vmpls = {1}; }), "tee.vmpls");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.minimum_tcb["snp"] = 22; }),
            "tee.minimumTcb.snp");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.minimum_tcb["snp"] = 21; }), "");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.minimum_tcb["fmc"] = 0; }), "tee.minimumTcb.fmc")
      << "Genoa has no such part";
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.registers["rtmr0"] = {"00"}; }),
            "tee.registers.rtmr0");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.chips = {ChipId{{1}}}; }), "tee.chips");
  EXPECT_EQ(refusal_with(verdict, [&](auto& p) { p.chips = {verdict.chip()}; }), "");
  EXPECT_EQ(refusal_with(verdict, [&](auto& p) { p.revoked_chips = {verdict.chip()}; }),
            "tee.revokedChips");
}

TEST_F(AppraisalTest, DebugAndMissingRevocationListsNeedTheirNames) {
  testing::SnpOptions debug;
  debug.debug = true;
  EXPECT_EQ(refusal(snp(debug), policy_), "tee.debug");
  EXPECT_EQ(refusal_with(snp(debug), [](auto& p) { p.allow_debug = true; }), "");
  testing::SnpOptions no_crl;
  no_crl.crl = false;
  EXPECT_FALSE(snp(no_crl).revocation_checked());
  EXPECT_EQ(refusal(snp(no_crl), policy_), "tee.requireCrl");
  EXPECT_EQ(refusal_with(snp(no_crl), [](auto& p) { p.require_crl = false; }), "");
}

TEST_F(AppraisalTest, AMaskedChipIsNoChip) {
  testing::SnpOptions masked;
  masked.masked_chip_id = true;
  masked.key = SnpKey::vlek;
  const Verdict verdict = snp(masked);
  EXPECT_TRUE(verdict.chip().is_zero());
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.chips = {ChipId()}; }), "")
      << "whoever lists zero means it";
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.revoked_chips = {ChipId{{1}}}; }),
            "tee.revokedChips");
}

TEST_F(AppraisalTest, TdxNeedsItsRegistersWhereTheMeasurementCounts) {
  testing::IntelOptions options;
  options.measurement = Measurement{{7}};
  const Verdict verdict = tdx(options);
  const auto strict = [](AppraisalPolicy& p) {
    p.any_measurement = false;
    p.measurements = {Measurement{{7}}};
  };
  EXPECT_EQ(refusal_with(verdict, strict), "tee.registers");
  const std::string rtmr1 = verdict.claims().registers[1].hex();
  EXPECT_EQ(refusal_with(verdict,
                         [&](auto& p) {
                           strict(p);
                           p.registers["rtmr1"] = {rtmr1};
                         }),
            "");
  EXPECT_EQ(refusal_with(verdict,
                         [&](auto& p) {
                           strict(p);
                           p.registers["rtmr1"] = {std::string(96, 'f')};
                         }),
            "tee.registers.rtmr1");
}

TEST_F(AppraisalTest, AdvisoriesAreRefusedWhereTheyAreListed) {
  testing::IntelOptions options;
  options.tcb_status = TcbStatus::sw_hardening_needed;
  options.advisories = {"INTEL-SA-00001"};
  const Verdict verdict = tdx(options);
  EXPECT_EQ(refusal(verdict, policy_), "");
  EXPECT_EQ(refusal_with(verdict, [](auto& p) { p.any_advisory = false; }), "tee.advisories");
  EXPECT_EQ(refusal_with(verdict,
                         [](auto& p) {
                           p.any_advisory = false;
                           p.advisories = {"INTEL-SA-00001"};
                         }),
            "");
}

TEST_F(AppraisalTest, PoliciesAreStrictJsonAndComeBackTheSame) {
  AppraisalPolicy rich = policy_;
  rich.allow_debug = true;
  rich.any_measurement = false;
  rich.measurements = {Measurement{{1}}};
  rich.registers["rtmr2"] = {"00aa"};
  rich.registers["pcr23"] = {"01"};
  rich.minimum_tcb["microcode"] = 5;
  rich.vmpls = {0, 3};
  rich.any_advisory = false;
  rich.advisories = {"INTEL-SA-1"};
  rich.chips = {ChipId{{1}}};
  rich.revoked_chips = {ChipId{{2}}};
  rich.require_crl = false;
  const auto again = AppraisalPolicy::from_json(rich.to_json(), "policy");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, rich);

  const auto refused = [](const char* text) {
    return !AppraisalPolicy::from_json(Json::parse(text), "policy").ok();
  };
  EXPECT_TRUE(refused(R"({"kinds": ["snp"]})"));
  EXPECT_TRUE(refused(R"({"measurements": "any"})"));
  EXPECT_TRUE(refused(R"({"kinds": ["snp"], "measurements": "any", "alowDebug": true})"));
  EXPECT_TRUE(refused(R"({"kinds": ["sev"], "measurements": "any"})"));
  EXPECT_TRUE(refused(R"({"kinds": ["snp"], "measurements": "any", "registers": {"rtmr4": []}})"));
  EXPECT_TRUE(refused(R"({"kinds": ["snp"], "measurements": "any", "vmpls": [4]})"));
  EXPECT_TRUE(refused(R"({"kinds": ["snp"], "measurements": "any", "minimumTcb": {"snp": 256}})"));
  EXPECT_FALSE(refused(R"({"kinds": ["snp"], "measurements": "any"})"));
}

}  // namespace
}  // namespace sp::attest
