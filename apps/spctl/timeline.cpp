#include "spctl/timeline.hpp"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace sp::spctl {

void Timeline::mark(const std::string& stage, const std::string& remark) {
  const std::chrono::duration<double, std::milli> since = clock_.monotonic() - start_;
  {
    const std::lock_guard lock(mutex_);
    marks_.push_back({stage, since.count()});
  }
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%9.1f ms  ", since.count());
  console_.note(time.data() + stage + (remark.empty() ? "" : ": " + remark));
}

Json Timeline::to_json() {
  const std::lock_guard lock(mutex_);
  Json list = Json::array();
  for (const Mark& mark : marks_) {
    list.push_back({{"stage", mark.stage}, {"ms", mark.milliseconds}});
  }
  return list;
}

}  // namespace sp::spctl
