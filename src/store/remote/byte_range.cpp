#include "store/remote/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace sp::store {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || rest != text.data() + text.size()) return {};
  return value;
}

}  // namespace

std::optional<ByteRange> parse_byte_range(std::string_view field, std::uint64_t whole) {
  constexpr std::string_view kUnit = "bytes=";
  if (field.size() > kRangeFieldMax || !field.starts_with(kUnit)) return {};
  field.remove_prefix(kUnit.size());
  const std::size_t dash = field.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view from = field.substr(0, dash);
  const std::string_view to = field.substr(dash + 1);
  if (from.empty()) {  // the last so many bytes
    const auto count = number(to);
    if (!count) return {};
    const std::uint64_t size = std::min(*count, whole);
    return ByteRange{whole - size, size};
  }
  const auto first = number(from);
  if (!first) return {};
  const auto last = to.empty() ? std::optional(UINT64_MAX) : number(to);
  if (!last || *last < *first) return {};
  if (*first >= whole) return ByteRange{};
  return ByteRange{*first, std::min(*last, whole - 1) - *first + 1};
}

std::optional<ContentRange> parse_content_range(std::string_view field) {
  constexpr std::string_view kUnit = "bytes ";
  const std::size_t dash = field.find('-');
  const std::size_t slash = field.find('/');
  if (field.size() > kRangeFieldMax || !field.starts_with(kUnit) || slash > field.size() ||
      dash > slash) {
    return {};
  }
  const auto first = number(field.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = number(field.substr(dash + 1, slash - dash - 1));
  const auto whole = number(field.substr(slash + 1));
  if (!first || !last || !whole || *first > *last || *last >= *whole) return {};
  const ContentRange range{*first, *last, *whole};
  if (content_range(range) != field) return {};
  return range;
}

std::string content_range(const ContentRange& range) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
         std::to_string(range.whole);
}

}  // namespace sp::store
