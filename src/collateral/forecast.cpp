#include "collateral/forecast.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/world.hpp"

namespace sp::collateral {
namespace {

// Rounded down, so that the day in which it ends counts as none.
std::int64_t days_left(std::int64_t until, std::int64_t now) {
  constexpr std::int64_t kDay = 24LL * 3600;
  const std::int64_t left = until - now;
  return left >= 0 ? left / kDay : -((-left + kDay - 1) / kDay);
}

}  // namespace

Json forecast(const attest::Verdict& verdict, std::int64_t now) {
  return forecast(verdict.claims().validity, now);
}

Json forecast(std::span<const attest::Validity> validity, std::int64_t now) {
  Json result{{"holdsUntil", nullptr}, {"endsFirst", nullptr}, {"daysLeft", nullptr}};
  result["pieces"] = Json::array();
  std::vector<attest::Validity> sorted(validity.begin(), validity.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.until < b.until; });
  for (const attest::Validity& piece : sorted) {
    result["pieces"].push_back({{"piece", piece.piece},
                                {"from", to_rfc3339(piece.from)},
                                {"until", to_rfc3339(piece.until)},
                                {"daysLeft", days_left(piece.until, now)}});
  }
  if (sorted.empty()) return result;
  result["holdsUntil"] = to_rfc3339(sorted.front().until);
  result["endsFirst"] = sorted.front().piece;
  result["daysLeft"] = days_left(sorted.front().until, now);
  return result;
}

}  // namespace sp::collateral
