// Table-driven tests of checks: one row for each check, with evidence in which that one alone
// fails, and the exact error.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "attest/check.hpp"
#include "attest/claims.hpp"

namespace sp::attest::testing {

/// Asserts that `result` is the error of the check `id`, with its code and the message behind it.
inline void expect_refused(const Result<Claims>& result, std::string_view id,
                           std::string_view message) {
  ASSERT_FALSE(result.ok()) << id << " doesn't refuse";
  EXPECT_EQ(result.error().message, std::string(id) + ": " + std::string(message));
  for (const CheckInfo& info : all_checks()) {
    if (info.id == id) {
      EXPECT_EQ(result.error().code, info.code);
    }
  }
}

/// Asserts that `tested` are all checks whose id begins with `prefix`.
inline void expect_all_tested(std::string_view prefix, const std::set<std::string>& tested) {
  std::set<std::string> known;
  for (const CheckInfo& info : all_checks()) {
    if (info.id.starts_with(prefix)) known.emplace(info.id);
  }
  EXPECT_EQ(tested, known);
}

}  // namespace sp::attest::testing
