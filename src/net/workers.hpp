// A fixed pool of threads with a bounded queue. Safe to call from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sp::net {

class Workers {
 public:
  explicit Workers(unsigned count);
  /// Runs what is queued, then joins the threads.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False where kQueuedRequestsMax jobs wait already, or after stop_taking.
  bool submit(std::function<void()> job);
  void stop_taking();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // under mutex_
  bool stopping_ = false;                   // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace sp::net
