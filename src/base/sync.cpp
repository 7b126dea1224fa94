#include "base/sync.hpp"

#include <utility>

namespace sp {

thread_local constinit Scheduler* Scheduler::current_ = nullptr;

bool Mutex::try_lock() {
  if (Scheduler::current() == nullptr) return mutex_.try_lock();
  return !std::exchange(taken_, true);
}

void Mutex::lock_in(Scheduler& scheduler) {
  scheduler.pass();
  while (taken_) scheduler.block(this, std::nullopt, Scheduler::AtEnd::stays);
  taken_ = true;
}

void Mutex::unlock_in(Scheduler& scheduler) {
  taken_ = false;
  scheduler.wake(this, false);
}

void Condition::notify(bool all) {
  if (Scheduler* scheduler = Scheduler::current()) return scheduler->wake(this, all);
  if (all) {
    condition_.notify_all();
  } else {
    condition_.notify_one();
  }
}

void Condition::wait(Lock& lock) {
  if (Scheduler* scheduler = Scheduler::current()) {
    block_in(*scheduler, lock, std::nullopt);
    return;
  }
  std::unique_lock<std::mutex> inner(lock.mutex()->mutex_, std::adopt_lock);
  condition_.wait(inner);
  inner.release();
}

bool Condition::wait_for(Lock& lock, std::chrono::nanoseconds limit) {
  if (Scheduler* scheduler = Scheduler::current()) {
    return block_in(*scheduler, lock, scheduler->now() + limit);
  }
  std::unique_lock<std::mutex> inner(lock.mutex()->mutex_, std::adopt_lock);
  const bool in_time = condition_.wait_for(inner, limit) == std::cv_status::no_timeout;
  inner.release();
  return in_time;
}

bool Condition::block_in(Scheduler& scheduler, Lock& lock,
                         std::optional<std::chrono::nanoseconds> until) {
  // The lock is held again however the wait ends, by the scheduler's exception as well.
  struct Unlocked {
    explicit Unlocked(Lock& held) : lock(held) { lock.unlock(); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;
    ~Unlocked() { lock.lock(); }
    Lock& lock;
  };
  const Unlocked unlocked(lock);
  return scheduler.block(this, until, Scheduler::AtEnd::may_end);
}

bool Condition::wait_in(Scheduler& scheduler, Lock& lock, std::chrono::nanoseconds limit,
                        const std::function<bool()>& predicate) {
  const auto until = scheduler.now() + limit;
  while (!predicate()) {
    if (!block_in(scheduler, lock, until)) return predicate();
  }
  return true;
}

Thread::Thread(std::function<void()> body) : scheduler_(Scheduler::current()) {
  if (scheduler_ != nullptr) {
    task_ = scheduler_->start(std::move(body));
  } else {
    thread_ = std::thread(std::move(body));
  }
}

Thread::Thread(Thread&& other) noexcept
    : thread_(std::move(other.thread_)),
      scheduler_(std::exchange(other.scheduler_, nullptr)),
      task_(other.task_) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  SP_CHECK(!joinable());
  thread_ = std::move(other.thread_);
  scheduler_ = std::exchange(other.scheduler_, nullptr);
  task_ = other.task_;
  return *this;
}

Thread::~Thread() { SP_CHECK(!joinable()); }

void Thread::join() {
  if (Scheduler* scheduler = std::exchange(scheduler_, nullptr)) return scheduler->join(task_);
  thread_.join();
}

}  // namespace sp
