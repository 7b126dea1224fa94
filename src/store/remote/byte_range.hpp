// The fields Range and Content-Range of HTTP (RFC 9110 section 14), as far as the store honours
// them: one range of bytes. Pure functions; safe to call from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sp::store {

inline constexpr std::size_t kRangeFieldMax = 128;  ///< letters; a longer one is no range

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  ///< 0: the range lies outside of the content
};

/// Which bytes of a content of `whole` bytes the field asks for. Empty where it isn't one
/// well-formed range: it is to be ignored then.
std::optional<ByteRange> parse_byte_range(std::string_view field, std::uint64_t whole);

/// "bytes 0-9/100": what an answer holds, and of how much. first <= last < whole.
struct ContentRange {
  std::uint64_t first = 0, last = 0, whole = 0;
  bool operator==(const ContentRange&) const = default;
};

/// Empty for anything else than a range of a known size, spelt without leading zeros.
std::optional<ContentRange> parse_content_range(std::string_view field);
std::string content_range(const ContentRange& range);

}  // namespace sp::store
