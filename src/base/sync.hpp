// Locks, conditions and threads that a simulation can take over.
//
// They are std's own, with std's meaning, unless a Scheduler is installed for the calling thread
// (only simulations install one; see docs/THREADS.md). Then the scheduler runs everything that is
// started as tasks of its own, one at a time, and decides at each point that blocks which one goes
// on; time limits are its clock's. An object that is used under a scheduler is used under that one
// alone. Outside of simulations the cost is one look at a thread-local pointer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/check.hpp"

namespace sp {

/// Runs tasks in place of threads, one at a time, all on the thread that it is installed for.
class Scheduler {
 public:
  using TaskId = std::uint64_t;

  /// Whether the scheduler may end the task at this point, by an exception of its own that nobody
  /// else catches for good.
  enum class AtEnd : std::uint8_t { stays, may_end };

  virtual ~Scheduler() = default;
  virtual TaskId start(std::function<void()> body) = 0;
  /// Blocks the calling task until the other has ended.
  virtual void join(TaskId task) = 0;
  /// Blocks the calling task until it is woken at this place (true), or until then (false).
  virtual bool block(const void* place, std::optional<std::chrono::nanoseconds> until,
                     AtEnd at_end) = 0;
  /// Wakes one task, or all, that are blocked at this place.
  virtual void wake(const void* place, bool all) = 0;
  /// A point where another task may go on before the calling one does.
  virtual void pass() = 0;
  /// The time of `until`: never goes back.
  [[nodiscard]] virtual std::chrono::nanoseconds now() const = 0;

  /// The calling thread's; nullptr outside of simulations.
  static Scheduler* current() { return current_; }
  /// Installs one for the calling thread, or none.
  static void install(Scheduler* scheduler) { current_ = scheduler; }

 private:
  static thread_local constinit Scheduler* current_;
};

/// A std::mutex; for std::lock_guard and std::unique_lock.
class Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    if (Scheduler* scheduler = Scheduler::current()) return lock_in(*scheduler);
    mutex_.lock();
  }
  bool try_lock();
  void unlock() {
    if (Scheduler* scheduler = Scheduler::current()) return unlock_in(*scheduler);
    mutex_.unlock();
  }

 private:
  friend class Condition;
  void lock_in(Scheduler& scheduler);
  void unlock_in(Scheduler& scheduler);

  std::mutex mutex_;
  bool taken_ = false;  // under a scheduler
};

/// A std::condition_variable for std::unique_lock<Mutex>.
class Condition {
 public:
  using Lock = std::unique_lock<Mutex>;

  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() { notify(false); }
  void notify_all() { notify(true); }

  /// May return without a reason, as std's.
  void wait(Lock& lock);
  template <class Predicate>
  void wait(Lock& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }
  /// False where `limit` has passed (or, without a reason, true).
  bool wait_for(Lock& lock, std::chrono::nanoseconds limit);
  /// The predicate's last word: false only where `limit` has passed.
  template <class Predicate>
  bool wait_for(Lock& lock, std::chrono::nanoseconds limit, Predicate predicate) {
    if (Scheduler* scheduler = Scheduler::current()) {
      return wait_in(*scheduler, lock, limit, std::move(predicate));
    }
    std::unique_lock<std::mutex> inner(lock.mutex()->mutex_, std::adopt_lock);
    const bool held = condition_.wait_for(inner, limit, std::move(predicate));
    inner.release();
    return held;
  }

 private:
  void notify(bool all);
  bool block_in(Scheduler& scheduler, Lock& lock, std::optional<std::chrono::nanoseconds> until);
  bool wait_in(Scheduler& scheduler, Lock& lock, std::chrono::nanoseconds limit,
               const std::function<bool()>& predicate);

  std::condition_variable condition_;
};

/// A std::thread: join() or move it away before it is destroyed.
class Thread {
 public:
  Thread() = default;
  /// Throws std::system_error where there is no thread to be had, as std's.
  explicit Thread(std::function<void()> body);
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();

  [[nodiscard]] bool joinable() const { return scheduler_ != nullptr || thread_.joinable(); }
  void join();

 private:
  std::thread thread_;
  Scheduler* scheduler_ = nullptr;
  Scheduler::TaskId task_ = 0;
};

/// What a thread of its own makes; std::async's with its own launch. The destructor waits.
template <class T>
class Later {
 public:
  template <class Body>
  explicit Later(Body body) : state_(std::make_unique<State>()) {
    thread_ = Thread([state = state_.get(), body = std::move(body)] {
      try {
        state->value.emplace(body());
      } catch (...) {
        state->failure = std::current_exception();
      }
    });
  }
  Later(Later&&) noexcept = default;
  Later& operator=(Later&&) = delete;
  ~Later() {
    if (thread_.joinable()) thread_.join();
  }

  /// Waits for it; once. Throws what the body threw.
  T get() {
    thread_.join();
    if (state_->failure) std::rethrow_exception(state_->failure);
    return *std::move(state_->value);
  }

 private:
  struct State {
    std::optional<T> value;
    std::exception_ptr failure;
  };
  std::unique_ptr<State> state_;
  Thread thread_;
};

}  // namespace sp
