// Jobs run by several threads, their results taken in the order in which the jobs were handed in.
//
// The owner hands in and takes; while it waits for a result it runs waiting jobs itself, so one
// thread needs no helper and one job never starts one. The owner bounds memory: it looks at
// in_flight() before it hands in more. The destructor drops the jobs that haven't begun and waits
// for those that have. An OrderedJobs belongs to its owner's thread; jobs run on any.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "base/result.hpp"
#include "base/sync.hpp"

namespace sp::store {

template <class T>
class OrderedJobs {
 public:
  using Job = std::function<Result<T>()>;

  /// `threads` counts the owner's.
  explicit OrderedJobs(unsigned threads) : helpers_max_(threads > 0 ? threads - 1 : 0) {}
  OrderedJobs(const OrderedJobs&) = delete;
  OrderedJobs& operator=(const OrderedJobs&) = delete;

  ~OrderedJobs() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      waiting_.clear();
    }
    changed_.notify_all();
    for (Thread& helper : helpers_) helper.join();
  }

  /// Jobs handed in and not yet taken.
  [[nodiscard]] std::size_t in_flight() const { return by_age_.size(); }

  void submit(Job job) {
    auto slot = std::make_shared<Slot>();
    slot->job = std::move(job);
    by_age_.push_back(slot);
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(slot));
    }
    changed_.notify_all();
    if (by_age_.size() > 1 && helpers_.size() < helpers_max_) start_helper();
  }

  /// The result of the oldest job; there must be one.
  Result<T> take() {
    SP_CHECK(!by_age_.empty());
    const std::shared_ptr<Slot> oldest = std::move(by_age_.front());
    by_age_.pop_front();
    std::unique_lock lock(mutex_);
    while (!oldest->result) {
      if (waiting_.empty()) {
        changed_.wait(lock);
      } else {
        run_next(lock);
      }
    }
    return *std::move(oldest->result);
  }

 private:
  struct Slot {
    Job job;
    std::optional<Result<T>> result;  // guarded by mutex_
  };

  void start_helper() {
    try {
      helpers_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {
      helpers_max_ = helpers_.size();  // no thread to be had: the owner does the work
    }
  }

  void help() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (waiting_.empty()) {
        changed_.wait(lock);
      } else {
        run_next(lock);
      }
    }
  }

  void run_next(std::unique_lock<Mutex>& lock) {
    const std::shared_ptr<Slot> slot = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    Result<T> result = slot->job();
    slot->job = nullptr;
    lock.lock();
    slot->result = std::move(result);
    changed_.notify_all();
  }

  std::size_t helpers_max_;
  std::deque<std::shared_ptr<Slot>> by_age_;  // the owner's alone
  std::vector<Thread> helpers_;               // the owner's alone
  Mutex mutex_;
  Condition changed_;
  std::deque<std::shared_ptr<Slot>> waiting_;  // guarded by mutex_
  bool stopping_ = false;                      // guarded by mutex_
};

}  // namespace sp::store
