// What platform, TDX module and quoting enclave say together, and what is read of TCB info.
#include "attest/intel_status.hpp"

#include <gtest/gtest.h>

#include "attest/intel.hpp"
#include "attest/testing/intel_vendor.hpp"
#include "crypto/random.hpp"

namespace sp::attest {
namespace {

using testing::IntelOptions;
using testing::IntelRecipe;
using testing::IntelVendor;
using testing::kIntelNow;

const IntelVendor& vendor() {
  static crypto::SystemRandom random;
  static const IntelVendor made(random);
  return made;
}

Result<Claims> verify(const IntelRecipe& recipe) {
  const auto kind = recipe.tee_type == 0 ? EvidenceKind::sgx : EvidenceKind::tdx;
  return verify_intel(kind, vendor().quote(recipe), IntelVendor::collateral(recipe),
                      vendor().anchors(), kIntelNow);
}

// "UpToDate A,B": status and advisories, or the error.
std::string told(const Result<Claims>& claims) {
  if (!claims) return claims.error().message;
  std::string text(tcb_name(claims->tcb_status));
  for (const std::string& advisory : claims->advisories) text += " " + advisory;
  return text;
}

TEST(IntelStatus, CombinesAsIntelsLibraryDoes) {
  using enum TcbStatus;
  for (const TcbStatus platform : {up_to_date, sw_hardening_needed, configuration_needed,
                                   configuration_and_sw_hardening_needed, out_of_date,
                                   out_of_date_configuration_needed, revoked}) {
    EXPECT_EQ(intel::combined(platform, up_to_date), platform);
    EXPECT_EQ(intel::combined(platform, revoked), revoked);
  }
  EXPECT_EQ(intel::combined(up_to_date, out_of_date), out_of_date);
  EXPECT_EQ(intel::combined(sw_hardening_needed, out_of_date), out_of_date);
  EXPECT_EQ(intel::combined(configuration_needed, out_of_date), out_of_date_configuration_needed);
  EXPECT_EQ(intel::combined(configuration_and_sw_hardening_needed, out_of_date),
            out_of_date_configuration_needed);
  EXPECT_EQ(intel::combined(out_of_date, out_of_date), out_of_date);
  EXPECT_EQ(intel::combined(out_of_date_configuration_needed, out_of_date),
            out_of_date_configuration_needed);
  EXPECT_EQ(intel::combined(revoked, out_of_date), revoked);
}

TEST(IntelStatus, TheVendorsOptionsShowInClaims) {
  IntelOptions options;
  options.measurement.data.fill(0x17);
  options.tcb_status = TcbStatus::sw_hardening_needed;
  options.advisories = {"INTEL-SA-00615", "INTEL-SA-00289"};
  ReportData data;
  data.data.fill(9);
  for (const bool debug : {false, true}) {
    options.debug = debug;
    for (const Evidence& evidence : {vendor().tdx(data, options), vendor().sgx(data, options)}) {
      const auto claims = verify_intel(evidence.kind, evidence.body,
                                       Collateral::decode(evidence.collateral).value(),
                                       vendor().anchors(), kIntelNow);
      EXPECT_EQ(told(claims), "SWHardeningNeeded INTEL-SA-00289 INTEL-SA-00615");
      EXPECT_EQ(claims->kind, evidence.kind);
      EXPECT_EQ(claims->debug, debug);
      EXPECT_EQ(claims->report_data, data);
      EXPECT_EQ(claims->anchor, vendor().anchors().intel[0]);
      EXPECT_EQ(claims->hardware_id, Bytes(16, 0xab));
      EXPECT_EQ(claims->measurement.hex().substr(0, 64), options.measurement.hex().substr(0, 64));
      EXPECT_FALSE(Anchors::is_vendor(claims->anchor));
    }
  }
}

TEST(IntelStatus, EveryStatusOfThePlatformIsTold) {
  for (const char* status :
       {"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
        "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"}) {
    IntelRecipe recipe = vendor().sgx_recipe({});
    recipe.tcb_info["tcbLevels"][0]["tcbStatus"] = status;
    EXPECT_EQ(told(verify(recipe)), status);
  }
  IntelRecipe recipe = vendor().sgx_recipe({});
  recipe.tcb_info["tcbLevels"][1]["tcbStatus"] = "Fine";
  EXPECT_EQ(told(verify(recipe)), "intel.tcbinfo.form: tcbStatus isn't a known status");
}

TEST(IntelStatus, TheHighestReachedLevelCounts) {
  IntelRecipe recipe = vendor().tdx_recipe({});
  recipe.pck.pcesvn = 9;  // below the first level's 10
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00003");
  recipe = vendor().tdx_recipe({});
  recipe.pck.components[15] = 3;  // below the first level's 4
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00003");
  recipe = vendor().tdx_recipe({});
  recipe.body[2] = 1;  // TDX component 2 below the first level's 2
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00003");
  // Components 0 and 1 don't count from module version 1 on, which has levels of its own.
  recipe = vendor().tdx_recipe({});
  recipe.tcb_info["tcbLevels"][0]["tcb"]["tdxtcbcomponents"][0]["svn"] = 200;
  EXPECT_EQ(told(verify(recipe)), "UpToDate");
  recipe.body[1] = 0;
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00003");
  // The order in which Intel lists levels doesn't matter.
  recipe = vendor().tdx_recipe({});
  std::swap(recipe.tcb_info["tcbLevels"][0], recipe.tcb_info["tcbLevels"][1]);
  EXPECT_EQ(told(verify(recipe)), "UpToDate");
}

TEST(IntelStatus, ModuleAndQuotingEnclaveCount) {
  IntelRecipe recipe = vendor().tdx_recipe({});
  recipe.body[0] = 3;
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00002");
  recipe.body[0] = 1;
  EXPECT_EQ(told(verify(recipe)), "Revoked INTEL-SA-00001");
  recipe = vendor().tdx_recipe({});
  recipe.qe_report[258] = 3;
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00002");
  recipe.qe_report[258] = 1;
  EXPECT_EQ(told(verify(recipe)), "Revoked INTEL-SA-00001");
  recipe.qe_report[258] = 3;
  recipe.tcb_info["tcbLevels"][0]["tcbStatus"] = "ConfigurationNeeded";
  recipe.tcb_info["tcbLevels"][0]["advisoryIDs"] = {"INTEL-SA-00009", "INTEL-SA-00002"};
  EXPECT_EQ(told(verify(recipe)), "OutOfDateConfigurationNeeded INTEL-SA-00002 INTEL-SA-00009");
}

TEST(IntelStatus, ARelaunchIsAdvisedWhereTheModuleWasUpdated) {
  IntelOptions options;
  options.version = 5;
  const auto advised = [](const IntelRecipe& recipe) {
    const auto claims = verify(recipe);
    EXPECT_TRUE(claims.ok()) << claims.error().message;
    return claims->details["relaunchAdvised"].get<bool>();
  };
  constexpr std::size_t kSecond = intel::TdReport::kSize10;  // where TEE_TCB_SVN_2 is
  const IntelRecipe good = vendor().tdx_recipe({}, options);
  EXPECT_FALSE(advised(good));
  IntelRecipe recipe = good;
  recipe.body[0] = 2;  // started with a module that is out of date; now 4 runs
  EXPECT_TRUE(advised(recipe));
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00002");
  recipe.body[kSecond] = 3;
  EXPECT_FALSE(advised(recipe));
  recipe.body[kSecond] = 4;
  recipe.body[kSecond + 2] = 1;  // late microcode
  EXPECT_FALSE(advised(recipe));
  recipe.body[kSecond + 2] = 2;
  recipe.body[kSecond + 1] = 0;  // module version 0: by the level's own component
  EXPECT_TRUE(advised(recipe));
  recipe.body[kSecond + 1] = 7;
  EXPECT_EQ(told(verify(recipe)),
            "intel.tcbinfo.module: expected an identity of TDX_07, actual none");
  recipe.body[kSecond + 1] = 1;
  recipe.qe_report[258] = 2;  // the quoting enclave is out of date as well
  EXPECT_FALSE(advised(recipe));
}

TEST(IntelStatus, Version2IsSgxAlone) {
  IntelRecipe recipe = vendor().sgx_recipe({});
  recipe.tcb_info["version"] = 2;
  recipe.tcb_info.erase("id");
  for (Json& level : recipe.tcb_info["tcbLevels"]) {
    Json tcb = {{"pcesvn", level["tcb"]["pcesvn"]}};
    for (int i = 1; i <= 16; ++i) {
      const std::string number = (i < 10 ? "0" : "") + std::to_string(i);
      tcb["sgxtcbcomp" + number + "svn"] = 4;
    }
    level["tcb"] = tcb;
  }
  EXPECT_EQ(told(verify(recipe)), "UpToDate");
  recipe.tcb_info["tcbLevels"][0]["tcb"]["sgxtcbcomp16svn"] = 6;
  EXPECT_EQ(told(verify(recipe)), "OutOfDate INTEL-SA-00003");
  recipe.tcb_info["tcbLevels"][0]["tcb"].erase("sgxtcbcomp16svn");
  EXPECT_EQ(told(verify(recipe)), "intel.tcbinfo.form: sgxtcbcomp16svn is missing");
}

struct Misformed {
  const char* expected;
  std::function<void(Json&)> spoil;
};

TEST(IntelTcbInfo, MisformedFieldsAreRefused) {
  const Misformed rows[] = {
      {"id is neither SGX nor TDX", [](Json& j) { j["id"] = "TDY"; }},
      {"issueDate isn't a date", [](Json& j) { j["issueDate"] = "2025-02-30T00:00:00Z"; }},
      {"nextUpdate isn't a date", [](Json& j) { j["nextUpdate"] = "2025-02-20 00:00:00Z"; }},
      {"fmspc expected ", [](Json& j) { j["fmspc"] = "00"; }},
      {"pceId isn't a text", [](Json& j) { j["pceId"] = 0; }},
      {"tcbType isn't a whole number", [](Json& j) { j["tcbType"] = -1; }},
      {"tcbLevels isn't a list of 1 to 256", [](Json& j) { j["tcbLevels"] = Json::array(); }},
      {"tcbLevels holds a level twice",
       [](Json& j) { j["tcbLevels"].push_back(j["tcbLevels"][0]); }},
      {"sgxtcbcomponents isn't a list of 16",
       [](Json& j) { j["tcbLevels"][0]["tcb"]["sgxtcbcomponents"].erase(15); }},
      {"svn isn't a whole number from 0 to 255",
       [](Json& j) { j["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3]["svn"] = 256; }},
      {"tdxtcbcomponents is missing",
       [](Json& j) { j["tcbLevels"][1]["tcb"].erase("tdxtcbcomponents"); }},
      {"pcesvn isn't a whole number from 0 to 65535",
       [](Json& j) { j["tcbLevels"][0]["tcb"]["pcesvn"] = 65536; }},
      {"tcbDate isn't a date", [](Json& j) { j["tcbLevels"][0]["tcbDate"] = "soon"; }},
      {"advisoryIDs holds what isn't a name",
       [](Json& j) { j["tcbLevels"][0]["advisoryIDs"] = Json::array({""}); }},
      {"advisoryIDs isn't a list", [](Json& j) { j["tcbLevels"][0]["advisoryIDs"] = "x"; }},
      {"tdxModule is missing", [](Json& j) { j.erase("tdxModule"); }},
      {"mrsigner expected ", [](Json& j) { j["tdxModule"]["mrsigner"] = "00"; }},
      {"tdxModuleIdentities holds a module twice",
       [](Json& j) { j["tdxModuleIdentities"].push_back(j["tdxModuleIdentities"][0]); }},
      {"tcbStatus isn't a status of a module or enclave",
       [](Json& j) {
         j["tdxModuleIdentities"][0]["tcbLevels"][0]["tcbStatus"] = "ConfigurationNeeded";
       }},
  };
  const Json good = vendor().tdx_recipe({}).tcb_info;
  EXPECT_TRUE(intel::read_tcb_info(good.dump()).ok());
  for (const Misformed& row : rows) {
    Json json = good;
    row.spoil(json);
    const std::string expected = "intel.tcbinfo.form: " + std::string(row.expected);
    const auto info = intel::read_tcb_info(json.dump());
    ASSERT_FALSE(info.ok()) << row.expected;
    EXPECT_EQ(info.error().message.substr(0, expected.size()), expected);
  }
}

TEST(IntelTcbInfo, JsonOfTwoMeaningsIsRefused) {
  IntelRecipe recipe = vendor().tdx_recipe({});
  const std::string text = recipe.tcb_info.dump();
  recipe.tcb_info_text = "{\"version\":3," + text.substr(1);
  EXPECT_EQ(told(verify(recipe)), "intel.tcbinfo.form: the key \"version\" stands twice");
  recipe.tcb_info_text = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(told(verify(recipe)), "intel.tcbinfo.form: JSON nested deeper than 32");
  recipe.tcb_info_text = text + "x";
  EXPECT_TRUE(told(verify(recipe)).starts_with("intel.tcbinfo.form: not JSON at byte "));
  recipe.tcb_info_text = "[]";
  EXPECT_EQ(told(verify(recipe)), "intel.tcbinfo.form: version is missing");
}

}  // namespace
}  // namespace sp::attest
