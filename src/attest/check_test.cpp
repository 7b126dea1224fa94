// The list of checks: names of their own, all of them explained to people.
#include "attest/check.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace sp::attest {
namespace {

// Prints the list for tools/mutants.sh.
TEST(Checks, HaveNamesOfTheirOwn) {
  std::set<std::string_view> ids;
  for (const CheckInfo& check : all_checks()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    EXPECT_FALSE(check.what.empty()) << check.id;
    std::cout << "check " << check.id << "\n";
  }
  EXPECT_GT(ids.size(), 50U);
}

TEST(Checks, AreAllExplained) {
  std::ifstream file(SP_TEST_SOURCE_DIR "/docs/ATTESTATION.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const CheckInfo& check : all_checks()) {
    EXPECT_NE(text.str().find("`" + std::string(check.id) + "`"), std::string::npos) << check.id;
  }
}

TEST(Checks, FailuresSayWhatWasExpected) {
  const CheckInfo& info = all_checks().front();
  const Error error = check_failed(Check{0}, "1", "2");
  EXPECT_EQ(error.code, info.code);
  EXPECT_EQ(error.message, std::string(info.id) + ": expected 1, actual 2");
  EXPECT_EQ(check_failed(Check{0}, Error{Errc::io, "why"}).message, std::string(info.id) + ": why");
}

}  // namespace
}  // namespace sp::attest
