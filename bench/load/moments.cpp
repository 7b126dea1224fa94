#include "moments.hpp"

#include <algorithm>

namespace sp::bench {

std::string_view moment_name(Moment moment) {
  static constexpr std::array<std::string_view, kMoments> kNames{
      "came", "begun", "deposited", "created", "taken",   "attested",
      "keys", "run",   "stored",    "receipt", "settled", "opened"};
  return kNames.at(static_cast<std::size_t>(moment));
}

void Moments::note_at(const api::OrderId& order, Moment moment, Time time) {
  const std::lock_guard lock(mutex_);
  courses_[order].at(static_cast<std::size_t>(moment)) = time;
}

void Moments::note_call(const std::string& method, Time took) {
  const std::lock_guard lock(mutex_);
  calls_[method].push_back(took);
}

std::vector<Course> Moments::whole_courses() const {
  const std::lock_guard lock(mutex_);
  std::vector<Course> whole;
  for (const auto& [order, course] : courses_) {
    const bool all =
        std::all_of(course.begin(), course.end(), [](Time t) { return t.count() > 0; });
    if (all) whole.push_back(course);
  }
  return whole;
}

std::map<std::string, std::vector<Time>> Moments::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace sp::bench
