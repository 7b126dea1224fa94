// Opens the markets of a daemon as their endpoints come up, each in a thread of its own, so that a
// chain that is down keeps nobody from the others. Belongs to one thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace sp::apps {

/// How long a daemon's start waits for the first answers.
inline constexpr std::chrono::milliseconds kFirstAnswers{3'000};
inline constexpr std::chrono::milliseconds kOpenPauseFirst{250};  ///< then doubled
inline constexpr std::chrono::milliseconds kOpenPauseMax{15'000};

class Opening {
 public:
  struct Door {
    std::string name;              ///< for logs
    std::function<Status()> open;  ///< called until it succeeds
  };
  explicit Opening(std::vector<Door> doors);
  /// Stops trying; waits for tries that run.
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  /// Starts all and waits until each has had one try, at most kFirstAnswers. The error of a door
  /// that another try wouldn't open (wrong chain, damaged file): the daemon ends with it.
  Status first_tries();

 private:
  void work(std::size_t index);

  std::vector<Door> doors_;
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  bool stopping_ = false;
  std::size_t tried_ = 0;
  Status wrong_;
  std::vector<std::thread> threads_;
};

}  // namespace sp::apps
