// Damage to JSON for fuzz targets: documents that are valid but for a place or two, so that what
// reads them is reached beyond its first field.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "base/json.hpp"
#include "base/testing/fuzz_input.hpp"

namespace sp::testing {

/// Puts another value somewhere into a document, an unknown key, or nothing where something was:
/// where, the input's bytes say level by level. `words`, one at least, are texts that the format
/// knows.
inline void spoil_json(FuzzInput& input, Json& json, std::span<const char* const> words) {
  if (json.is_structured() && !json.empty() && input.byte() % 8 != 0) {
    const auto at = static_cast<std::ptrdiff_t>(input.below(json.size()));
    spoil_json(input, *std::next(json.begin(), at), words);
    return;
  }
  switch (input.byte() % 8) {
    case 0:
      json = input.byte();
      break;
    case 1:
      json = to_hex(input.bytes(20));
      break;
    case 2:
      json = nullptr;
      break;
    case 3:
      json = Json::array({json, json});
      break;
    case 4:
      json = std::int64_t{-1};
      break;
    case 5:
      if (json.is_object()) json["unknown"] = input.byte();
      break;
    case 6:
      if (json.is_structured() && !json.empty()) json.erase(json.begin());
      break;
    default:
      json = words[input.below(words.size())];
  }
}

/// The text of what spoil_json made; bytes that aren't UTF-8 read as U+FFFD.
inline std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sp::testing
