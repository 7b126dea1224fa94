#include "attest/intel_json.hpp"

#include <chrono>

namespace sp::attest::intel {
namespace {

const Json kNull;
const std::string kEmpty;

// The number of the digits from `at` on; empty where they aren't digits.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (const char digit : text.substr(at, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  return value;
}

// "2025-06-19T10:16:03Z".
std::optional<std::int64_t> unix_time(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() != kDateSize || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':' || text[19] != 'Z') {
    return std::nullopt;
  }
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const chrono::year_month_day date{chrono::year(static_cast<int>(*year)), chrono::month(*month),
                                    chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 + *second;
}

}  // namespace

void JsonFields::fail(const char* key, std::string_view what) {
  if (!failure_) failure_ = Error{Errc::malformed, std::string(key) + " " + std::string(what)};
}

Status JsonFields::status() const {
  if (failure_) return *failure_;
  return {};
}

const Json& JsonFields::at(const Json& object, const char* key, bool may_be_absent) {
  if (object.is_object()) {
    const auto found = object.find(key);
    if (found != object.end()) return *found;
  }
  if (!may_be_absent) fail(key, "is missing");
  return kNull;
}

const std::string& JsonFields::text(const Json& object, const char* key) {
  const Json& value = at(object, key);
  if (const auto* text = value.get_ptr<const std::string*>(); text != nullptr) return *text;
  fail(key, "isn't a text");
  return kEmpty;
}

std::uint64_t JsonFields::number(const Json& object, const char* key, std::uint64_t max) {
  const Json& value = at(object, key);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= max) {
    return value.get<std::uint64_t>();
  }
  fail(key, "isn't a whole number from 0 to " + std::to_string(max));
  return 0;
}

std::int64_t JsonFields::date(const Json& object, const char* key) {
  const auto time = unix_time(text(object, key));
  if (!time) fail(key, "isn't a date");
  return time.value_or(0);
}

void JsonFields::array(const Json& object, const char* key, std::size_t max,
                       const std::function<void(const Json&)>& each) {
  const Json& list = at(object, key);
  if (!list.is_array() || list.empty() || list.size() > max) {
    fail(key, "isn't a list of 1 to " + std::to_string(max));
    return;
  }
  for (const Json& element : list) each(element);
}

LevelStatus JsonFields::level_status(const Json& level) {
  LevelStatus says;
  says.date = text(level, "tcbDate");
  if (!unix_time(says.date)) fail("tcbDate", "isn't a date");
  if (const auto status = tcb_from_name(text(level, "tcbStatus"))) {
    says.status = *status;
  } else {
    fail("tcbStatus", "isn't a known status");
  }
  if (at(level, "advisoryIDs", true).is_null()) return says;
  const Json& list = at(level, "advisoryIDs");
  if (!list.is_array() || list.size() > kAdvisoriesMax) fail("advisoryIDs", "isn't a list");
  for (const Json& advisory : list) {
    const auto* name = advisory.get_ptr<const std::string*>();
    if (name == nullptr || name->empty() || name->size() > kAdvisorySizeMax) {
      fail("advisoryIDs", "holds what isn't a name");
    } else {
      says.advisories.push_back(*name);
    }
  }
  return says;
}

std::vector<VersionLevel> JsonFields::version_levels(const Json& object) {
  std::vector<VersionLevel> levels;
  array(object, "tcbLevels", kTcbLevelsMax, [&](const Json& element) {
    VersionLevel level;
    level.isvsvn = static_cast<std::uint16_t>(number(at(element, "tcb"), "isvsvn", UINT16_MAX));
    level.says = level_status(element);
    if (level.says.status != TcbStatus::up_to_date && level.says.status != TcbStatus::out_of_date &&
        level.says.status != TcbStatus::revoked) {
      fail("tcbStatus", "isn't a status of a module or enclave");
    }
    levels.push_back(std::move(level));
  });
  std::sort(levels.begin(), levels.end(),
            [](const auto& a, const auto& b) { return a.isvsvn > b.isvsvn; });
  const auto same = [](const auto& a, const auto& b) { return a.isvsvn == b.isvsvn; };
  if (std::adjacent_find(levels.begin(), levels.end(), same) != levels.end()) {
    fail("tcbLevels", "holds a level twice");
  }
  return levels;
}

}  // namespace sp::attest::intel
