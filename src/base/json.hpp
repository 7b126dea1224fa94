// Strict JSON: what others wrote is read with limits on size and depth, and a key that stands twice
// is refused.
//
// A Json value is nlohmann::json; the fields of an object are taken with JsonObject, which refuses
// unknown keys, so that a misspelt rule never reads as an absent one.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace sp {

using Json = nlohmann::json;

inline constexpr std::size_t kJsonDepthMax = 32;

/// Errc::too_large over `size_max` bytes or kJsonDepthMax levels; Errc::malformed for what isn't
/// JSON (RFC 8259), for bytes that aren't UTF-8 and for a key that stands twice in one object.
Result<Json> parse_json(std::string_view text, std::size_t size_max);

/// Reads the fields of one object by name. Remembers the first failure; finish() tells it and
/// refuses keys that nobody asked for. The value must outlive it.
class JsonObject {
 public:
  /// `where` names the object in errors: "policy.tee".
  JsonObject(const Json& value, std::string where);

  /// A text of at most `size_max` bytes.
  std::string text(std::string_view key, std::size_t size_max);
  /// A whole number from 0 to `max`.
  std::uint64_t number(std::string_view key, std::uint64_t max);
  bool boolean(std::string_view key);
  /// Any value; null where the key is absent (a failure) .
  const Json& any(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const;
  /// Hexadecimal of exactly Fixed::kSize bytes.
  template <class Fixed>
  Fixed fixed(std::string_view key) {
    auto value = Fixed::from_hex(text(key, Fixed::kSize * 2 + 2));
    if (!value) {
      fail(key, value.error().message);
      return {};
    }
    return *value;
  }

  void fail(std::string_view key, std::string_view message);
  [[nodiscard]] Status finish() const;

 private:
  const Json* find(std::string_view key);

  const Json& value_;
  std::string where_;
  std::set<std::string, std::less<>> taken_;
  std::optional<Error> failure_;
};

}  // namespace sp
