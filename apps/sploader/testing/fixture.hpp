// What the tests of the real loader share: a world around it, which skips where the loader can't be
// started, and the checks of what a run leaves. Belongs to one thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "testing/world.hpp"

namespace sp::testing {

inline bool can_run() {
  return ::geteuid() == 0 && std::system("runc --version >/dev/null 2>&1") == 0;
}

inline std::string text_of(const Path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Sploader : public ::testing::Test {
 public:
  static void SetUpTestSuite() {
    ::umask(0077);  // as the provider's unit has it
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

  static inline std::unique_ptr<World> world;
  TemporaryFolder results_;
  int opened_ = 0;
};

}  // namespace sp::testing
