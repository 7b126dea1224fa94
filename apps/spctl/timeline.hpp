// The stages of an order with their times, shown as they pass and kept for the result. Safe to call
// from any thread.
#pragma once

#include "base/world.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {

class Timeline {
 public:
  Timeline(Console& console, const Clock& clock)
      : console_(console), clock_(clock), start_(clock.monotonic()) {}

  /// A stage has been reached: "uploaded", with a remark for people.
  void mark(const std::string& stage, const std::string& remark);
  /// [{"stage", "ms"}], milliseconds since the start.
  Json to_json();

 private:
  struct Mark {
    std::string stage;
    double milliseconds = 0;
  };
  Console& console_;
  const Clock& clock_;
  const std::chrono::nanoseconds start_;
  std::mutex mutex_;  // guards marks_
  std::vector<Mark> marks_;
};

}  // namespace sp::spctl
