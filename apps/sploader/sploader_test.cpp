#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.hpp"
#include "loader/result.hpp"
#include "store/tree.hpp"
#include "testing/world.hpp"

namespace sp::testing {
namespace {

using api::LimitHit;
using api::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;

bool can_run() { return ::geteuid() == 0 && std::system("runc --version >/dev/null 2>&1") == 0; }

std::string text_of(const Path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Sploader : public ::testing::Test {
 public:
  static void SetUpTestSuite() {
    if (can_run()) world = std::make_unique<World>();
  }
  static void TearDownTestSuite() { world.reset(); }
  void SetUp() override {
    if (!world) GTEST_SKIP() << "needs root and runc: the loader can't be started here";
  }

  // The receipt, checked as to run and signature.
  static api::Receipt receipt_of(const api::Start& start, const RunReport& report) {
    EXPECT_TRUE(report.finish && report.finish->receipt) << world->log_text();
    if (!report.finish || !report.finish->receipt) return {};
    const auto& receipt = *report.finish->receipt;
    EXPECT_EQ(receipt.statement.run.order, start.terms.order_id(start.market));
    const Address session = report.finish->attestation->statement.session;
    EXPECT_TRUE(receipt.verify(start.market, session).ok());
    EXPECT_TRUE(report.finish->attestation->verify(start.market, world->attestor()).ok());
    EXPECT_TRUE(report.end && report.end->exit_code == 0);
    return receipt.statement;
  }

  // The opened result.
  Path result_of(const RunReport& report) {
    const Path folder = results_.path() / std::to_string(++opened_);
    const Status opened = world->open_result(report, folder);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return folder;
  }

  static std::unique_ptr<World> world;
  TemporaryFolder results_;
  int opened_ = 0;
};
std::unique_ptr<World> Sploader::world;

TEST_F(Sploader, RunsTheImagesOwnCommand) {
  const api::Start start = world->start_for({});
  const RunReport report = world->run(start);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::success) << report.finish->failure << world->log_text();
  EXPECT_TRUE(receipt.started);
  EXPECT_EQ(receipt.exit_code, 0);
  EXPECT_EQ(receipt.opened, 0b1111U);
  const std::string log = text_of(result_of(report) / "log.txt");
  EXPECT_THAT(log, HasSubstr("argument by image\n"));
  EXPECT_THAT(log, HasSubstr("variable KEPT=yes\n"));
  EXPECT_THAT(log, HasSubstr("user 1000 group 100 folder /etc\n"));
  std::cout << "whole loader: " << report.whole.count() / 1000 << " us\n";
  for (const auto& [stage, time] : report.stages) {
    std::cout << "  " << api::stage_name(stage) << " at " << time.count() / 1000 << " us\n";
  }
}

}  // namespace
}  // namespace sp::testing
