// The Range field of HTTP (RFC 9110 section 14), as far as the store honours it: one range of
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sp::store {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  ///< 0: the range lies outside of the content
};

/// Which bytes of a content of `whole` bytes the field asks for. Empty where it isn't one
/// well-formed range: it is to be ignored then.
std::optional<ByteRange> parse_byte_range(std::string_view field, std::uint64_t whole);

}  // namespace sp::store
