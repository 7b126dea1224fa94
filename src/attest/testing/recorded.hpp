// Evidence that real processors made, for tests: read from EVIDENCE_DIR or beside the project.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/world.hpp"
#include "crypto/test_support.hpp"

namespace sp::attest::testing {

/// A file of evidence; empty where it is absent.
inline std::optional<Bytes> recorded(std::string_view path) {
  const auto file = crypto::evidence(std::string(path));
  if (!file) return std::nullopt;
  return to_bytes(as_bytes(*file));
}

/// The beginning of a day, "2025-06-01", in seconds of Unix time.
inline std::int64_t day(std::string text) {
  text += "T00:00:00Z";
  return from_rfc3339(text).value();
}

/// Declares `name` with the bytes of a recorded file, or skips the test with one visible line.
#define SP_RECORDED(name, path)                                                         \
  const auto SP_CONCAT(sp_recorded_, __LINE__) = ::sp::attest::testing::recorded(path); \
  if (!SP_CONCAT(sp_recorded_, __LINE__)) GTEST_SKIP() << "no evidence " << (path);     \
  const Bytes& name = *SP_CONCAT(sp_recorded_, __LINE__)

}  // namespace sp::attest::testing
