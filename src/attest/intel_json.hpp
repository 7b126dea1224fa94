// Reads fields of Intel's signed JSON. Remembers the first failure, so that a whole structure is
// read and then asked. Belongs to one thread; the JSON must outlive it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "attest/intel_tcb.hpp"
#include "base/json.hpp"

namespace sp::attest::intel {

class JsonFields {
 public:
  /// The value of a key; null where it is absent, which is a failure unless it `may_be_absent`.
  const Json& at(const Json& object, const char* key, bool may_be_absent = false);
  const std::string& text(const Json& object, const char* key);
  std::uint64_t number(const Json& object, const char* key, std::uint64_t max);
  std::int64_t date(const Json& object, const char* key);
  template <class Fixed>
  Fixed fixed(const Json& object, const char* key) {
    auto value = Fixed::from_hex(text(object, key));
    if (value) return *value;
    fail(key, value.error().message);
    return {};
  }
  /// Calls `each` for the 1 to `max` elements of an array.
  void array(const Json& object, const char* key, std::size_t max,
             const std::function<void(const Json&)>& each);
  /// "tcbDate", "tcbStatus" and "advisoryIDs" of a level.
  LevelStatus level_status(const Json& level);
  /// "tcb"/"isvsvn" and status of each of "tcbLevels"; statuses other than UpToDate, OutOfDate and
  /// Revoked fail. Newest first.
  std::vector<VersionLevel> version_levels(const Json& object);
  void fail(const char* key, std::string_view what);
  [[nodiscard]] Status status() const;

 private:
  std::optional<Error> failure_;
};

}  // namespace sp::attest::intel
