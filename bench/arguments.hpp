// Numbers among a benchmark's arguments.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"

namespace sp::bench {

/// A whole number; CHECKs that the text is one.
inline std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  SP_CHECK(failure == std::errc{} && rest == text.data() + text.size());
  return value;
}

}  // namespace sp::bench
