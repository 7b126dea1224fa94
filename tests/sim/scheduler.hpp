// Tasks on one thread instead of threads, a clock that jumps, and processes that can be killed.
//
// One task runs at a time, on a stack of its own, until it blocks; which one goes on next is drawn
// from the seed. When none can go on, the clock jumps to the next time limit. A task belongs to a
// process (that of the task that started it); killing a process ends its tasks by an exception at
// the points where they block, so that everything is destroyed in order and nothing leaks. What a
// process does after it was killed has no effect: disk and network ask alive().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/sync.hpp"
#include "base/world.hpp"
#include "sim/dice.hpp"

namespace sp::sim {

using ProcessId = std::uint32_t;
using Nanoseconds = std::chrono::nanoseconds;

/// Ends a task whose process was killed. Nobody catches it but the scheduler.
struct Killed {};

/// Everything that happened, as one number and, where wanted, as text.
class Trace {
 public:
  explicit Trace(bool print) : print_(print) {}
  void note(Nanoseconds now, std::string_view what);
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  bool print_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;  // FNV-1a
  std::uint64_t events_ = 0;
};

class Tasks final : public Scheduler {
 public:
  Tasks(Dice dice, Trace& trace);
  ~Tasks() override;
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  /// A process without tasks yet.
  ProcessId make_process(std::string name);
  TaskId start_in(ProcessId process, std::function<void()> body);
  /// Ends all tasks of the process; those of the calling task's own end at their next blocking.
  void kill(ProcessId process);
  [[nodiscard]] bool alive(ProcessId process) const { return processes_[process].alive; }
  /// Whether it still has tasks: a killed one takes a moment to end.
  [[nodiscard]] bool has_tasks(ProcessId process) const { return processes_[process].tasks > 0; }
  [[nodiscard]] const std::string& name_of(ProcessId process) const {
    return processes_[process].name;
  }
  [[nodiscard]] ProcessId current_process() const;
  /// 0 outside of tasks.
  [[nodiscard]] TaskId current_task() const;
  /// Blocks until the process has no tasks.
  void await_end(ProcessId process);
  /// Blocks until the calling task is the last one of its process; for what all its tasks use.
  void await_alone();
  /// Throws Killed where the calling task's process was killed and the task isn't ending already.
  void live_or_end();
  /// Blocks for that long.
  void sleep(Nanoseconds duration);
  /// Runs until `done` says so between two tasks, or nothing can happen any more (false).
  bool run(const std::function<bool()>& done);
  /// Ends all tasks of all processes.
  void end_all();
  [[nodiscard]] std::uint64_t switches() const { return switches_; }

  TaskId start(std::function<void()> body) override { return start_in(current_process(), body); }
  void join(TaskId task) override;
  bool block(const void* place, std::optional<Nanoseconds> until, AtEnd at_end) override;
  void wake(const void* place, bool all) override;
  void pass() override;
  [[nodiscard]] Nanoseconds now() const override { return now_; }

 private:
  struct Task;
  struct Process {
    std::string name;
    bool alive = true;
    std::size_t tasks = 0;
  };
  struct Timer {
    Nanoseconds at;
    std::uint64_t number;
    Task* task;
    bool operator<(const Timer& other) const {
      return std::pair(at, number) < std::pair(other.at, other.number);
    }
  };

  static void enter(unsigned low, unsigned high);
  void body_of(Task& task);
  void resume(Task& task);
  void yield_from(Task& task);
  void make_ready(Task& task, bool woken);
  void forget(Task& task);
  bool step();

  Dice dice_;
  Trace& trace_;
  Nanoseconds now_{std::chrono::hours(24)};
  std::deque<Process> processes_;
  std::map<TaskId, std::unique_ptr<Task>> tasks_;
  std::vector<Task*> ready_;
  std::unordered_map<const void*, std::vector<Task*>> waiting_;  // looked up, never walked through
  std::set<Timer> timers_;
  Task* running_ = nullptr;
  TaskId next_id_ = 1;
  std::uint64_t next_timer_ = 0;
  std::uint64_t switches_ = 0;
};

/// The tasks' clock. Unix time starts at `epoch`.
class SimClock final : public Clock {
 public:
  SimClock(Tasks& tasks, std::int64_t epoch) : tasks_(tasks), epoch_(epoch) {}
  [[nodiscard]] std::int64_t unix_seconds() const override {
    return epoch_ + std::chrono::duration_cast<std::chrono::seconds>(tasks_.now()).count();
  }
  [[nodiscard]] Nanoseconds monotonic() const override { return tasks_.now(); }
  void sleep_for(Nanoseconds duration) const override { tasks_.sleep(duration); }

 private:
  Tasks& tasks_;
  std::int64_t epoch_;
};

/// A daemon's own objects go when all its tasks have gone.
class Alone {
 public:
  explicit Alone(Tasks& tasks) : tasks_(tasks) {}
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() { tasks_.await_alone(); }
  void wait_for_ever() {
    for (;;) tasks_.block(this, std::nullopt, Scheduler::AtEnd::may_end);
  }

 private:
  Tasks& tasks_;
};

}  // namespace sp::sim
