#include "net/fields.hpp"

#include <algorithm>

namespace sp::net {

bool field_valid(std::string_view name, std::string_view value) {
  constexpr std::string_view kSeparators = "\"(),/:;<=>?@[\\]{}";
  const auto in_token = [&](char c) {
    return c > 0x20 && c < 0x7f && kSeparators.find(c) == std::string_view::npos;
  };
  const auto in_value = [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code == '\t' || (code >= 0x20 && code != 0x7f);
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), in_token) &&
         std::all_of(value.begin(), value.end(), in_value);
}

}  // namespace sp::net
