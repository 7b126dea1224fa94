// What a workload leaves in /sp/output: sealed and proven, or its own fault.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "store/tree.hpp"
#include "testing/fixture.hpp"

namespace sp::testing {
namespace {

using api::LimitHit;
using api::Outcome;

class Output : public Sploader {};

TEST_F(Output, SealsTheOutputAndProvesIt) {
  const api::Start start =
      world->start_for({{"copy", "/sp/inputs/1/data.txt", "/sp/output/copy"}, {}});
  const RunReport report = world->run(start);
  const api::Receipt receipt = receipt_of(start, report);
  ASSERT_EQ(receipt.outcome, Outcome::success) << report.finish->failure;
  const Path result = result_of(report);
  EXPECT_EQ(text_of(result / "output" / "copy"), kInputText);
  EXPECT_FALSE(std::filesystem::exists(result / "output" / "link"));
  const auto outcome = parse_json(text_of(result / "outcome.json"), 1 << 20);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ((*outcome)["outcome"], "success");
  EXPECT_EQ((*outcome)["exitCode"], 0);
  EXPECT_EQ((*outcome)["leftOut"].size(), 2U) << outcome->dump();
  const auto digest = store::tree_digest(result / "output", store::OddEntries::refuse);
  ASSERT_TRUE(digest.ok());
  const Digest32 c = crypto::hmac_sha256(world->order_secret().reveal(), digest->view());
  EXPECT_EQ(report.finish->c, c);
  const Address session = report.finish->attestation->statement.session;
  EXPECT_EQ(receipt.commitment, api::commitment_of(receipt.run, session, c));
}

// What the workload leaves and no package can hold is its own doing, and costs the provider
// nothing: log and outcome go without it.
TEST_F(Output, AnOutputThatNoPackageHoldsIsTheWorkloadsFault) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"path", "1025"}, "output: a path of more than 1024 bytes"},
      // As the output's own tree it fits, and not with "output/" in front.
      {{"path", "1018"}, "output: a path of more than 1024 bytes"},
      {{"hole", "1099511627776"}, "output: files of more bytes than allowed"},
      {{"hole", "50331649"}, "output: files of more bytes than allowed"},
  };
  for (const auto& [arguments, why] : cases) {
    SCOPED_TRACE(arguments[0] + " " + arguments[1]);
    const api::Start start = world->start_for({arguments, {}});
    const RunReport report = world->run(start);
    const api::Receipt receipt = receipt_of(start, report);
    EXPECT_EQ(receipt.outcome, Outcome::workload) << report.finish->failure;
    EXPECT_EQ(receipt.exit_code, 0);
    EXPECT_EQ(receipt.limit, LimitHit::disk);
    EXPECT_EQ(receipt.opened, 0b1111U);
    EXPECT_EQ(report.finish->failure, "stopped at its limit of disk");
    const Path result = result_of(report);
    EXPECT_TRUE(std::filesystem::is_empty(result / "output"));
    const auto outcome = parse_json(text_of(result / "outcome.json"), 1 << 20);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ((*outcome)["outcome"], "workload");
    EXPECT_EQ((*outcome)["limit"], "disk");
    EXPECT_EQ((*outcome)["leftOut"], Json::array({why}));
  }
}

TEST_F(Output, AnOutputAtTheEdgeOfWhatAPackageHoldsIsKept) {
  const std::vector<std::vector<std::string>> cases = {
      {"path", "1017"}, {"hole", "50331648"}, {"links", "3000"}, {"locked"}};
  for (const auto& arguments : cases) {
    SCOPED_TRACE(arguments[0]);
    const api::Start start = world->start_for({arguments, {}});
    const RunReport report = world->run(start);
    EXPECT_EQ(receipt_of(start, report).outcome, Outcome::success) << report.finish->failure;
    const Path result = result_of(report);
    EXPECT_FALSE(std::filesystem::is_empty(result / "output"));
    const auto outcome = parse_json(text_of(result / "outcome.json"), 4 << 20);
    ASSERT_TRUE(outcome.ok());
    const bool links = arguments[0] == "links";
    EXPECT_EQ((*outcome)["leftOutCount"], links ? 3000 : 0);
    EXPECT_EQ((*outcome)["leftOut"].size(), links ? store::kLeftOutNamedMax : 0);
  }
}

}  // namespace
}  // namespace sp::testing
