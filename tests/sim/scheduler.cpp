#include "sim/scheduler.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdio>
#include <cstring>

namespace sp::sim {
namespace {

constexpr std::size_t kStackSize = 512 * 1024;
constexpr std::size_t kGuardSize = 4096;
// The C++ ABI's exceptions under way of a thread (__cxa_eh_globals): each task has its own.
constexpr std::size_t kExceptionsSize = 16;

// Stacks are kept for the next task: mapping is dear.
class Stacks {
 public:
  Stacks() = default;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks() {
    for (void* stack : free_) ::munmap(stack, kStackSize);
  }
  void* take() {
    if (!free_.empty()) {
      void* stack = free_.back();
      free_.pop_back();
      return stack;
    }
    void* stack = ::mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SP_CHECK(stack != MAP_FAILED);
    SP_CHECK(::mprotect(stack, kGuardSize, PROT_NONE) == 0);
    return stack;
  }
  void give(void* stack) { free_.push_back(stack); }

 private:
  std::vector<void*> free_;
};

Stacks& stacks() {
  static thread_local Stacks all;
  return all;
}

}  // namespace

void Trace::note(Nanoseconds now, std::string_view what) {
  ++events_;
  const auto mix = [this](std::uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; };
  for (int i = 0; i < 64; i += 8) mix(static_cast<std::uint8_t>(now.count() >> i));
  for (const char c : what) mix(static_cast<std::uint8_t>(c));
  if (!print_) return;
  std::fprintf(stderr, "%12.6f %.*s\n", static_cast<double>(now.count()) / 1e9,
               static_cast<int>(what.size()), what.data());
}

struct Tasks::Task {
  TaskId id = 0;
  ProcessId process = 0;
  std::function<void()> body;
  void* stack = nullptr;
  ucontext_t context{};
  ucontext_t caller{};
  alignas(16) unsigned char exceptions[kExceptionsSize]{};
  bool started = false;
  bool ended = false;
  bool ending = false;  // Killed is on its way through it
  bool woken = false;
  bool is_ready = false;
  const void* place = nullptr;
  std::optional<Timer> timer;
  AtEnd at_end = AtEnd::may_end;
};

Tasks::Tasks(Dice dice, Trace& trace) : dice_(dice), trace_(trace) {
  install(this);
  make_process("world");
}

Tasks::~Tasks() {
  end_all();
  install(nullptr);
}

ProcessId Tasks::make_process(std::string name) {
  processes_.push_back({std::move(name), true, 0});
  return static_cast<ProcessId>(processes_.size() - 1);
}

ProcessId Tasks::current_process() const { return running_ == nullptr ? 0 : running_->process; }

Scheduler::TaskId Tasks::current_task() const { return running_ == nullptr ? 0 : running_->id; }

Scheduler::TaskId Tasks::start_in(ProcessId process, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  task->id = next_id_++;
  task->process = process;
  task->body = std::move(body);
  ++processes_[process].tasks;
  make_ready(*task, true);
  const TaskId id = task->id;
  tasks_.emplace(id, std::move(task));
  return id;
}

void Tasks::make_ready(Task& task, bool woken) {
  if (task.is_ready) return;
  task.woken = woken;
  task.is_ready = true;
  if (task.timer) timers_.erase(*std::exchange(task.timer, std::nullopt));
  if (task.place != nullptr) {
    const auto found = waiting_.find(std::exchange(task.place, nullptr));
    SP_CHECK(found != waiting_.end());
    std::erase(found->second, &task);
    if (found->second.empty()) waiting_.erase(found);
  }
  ready_.push_back(&task);
}

void Tasks::kill(ProcessId process) {
  if (!std::exchange(processes_[process].alive, false)) return;
  trace_.note(now_, "kill " + processes_[process].name);
  for (const auto& [id, task] : tasks_) {
    if (task->process != process || task.get() == running_ || task->is_ready) continue;
    if (task->at_end == AtEnd::may_end) make_ready(*task, false);
  }
}

void Tasks::live_or_end() {
  if (running_ == nullptr || running_->ending || alive(running_->process)) return;
  running_->ending = true;
  throw Killed{};
}

void Tasks::enter(unsigned low, unsigned high) {
  const auto bits = (static_cast<std::uintptr_t>(high) << 32) | low;
  Task* task = reinterpret_cast<Task*>(bits);
  static_cast<Tasks*>(Scheduler::current())->body_of(*task);
}

void Tasks::body_of(Task& task) {
  try {
    live_or_end();
    task.body();
  } catch (const Killed&) {
  }
  task.body = nullptr;
  task.ended = true;
  ::swapcontext(&task.context, &task.caller);
}

void Tasks::resume(Task& task) {
  if (!task.started) {
    task.started = true;
    task.stack = stacks().take();
    SP_CHECK(::getcontext(&task.context) == 0);
    task.context.uc_stack.ss_sp = task.stack;
    task.context.uc_stack.ss_size = kStackSize;
    task.context.uc_link = nullptr;
    const auto bits = reinterpret_cast<std::uintptr_t>(&task);
    ::makecontext(&task.context, reinterpret_cast<void (*)()>(&Tasks::enter), 2,
                  static_cast<unsigned>(bits), static_cast<unsigned>(bits >> 32));
  }
  ++switches_;
  running_ = &task;
  unsigned char own[kExceptionsSize];
  std::memcpy(own, abi::__cxa_get_globals(), kExceptionsSize);
  std::memcpy(abi::__cxa_get_globals(), task.exceptions, kExceptionsSize);
  ::swapcontext(&task.caller, &task.context);
  std::memcpy(task.exceptions, abi::__cxa_get_globals(), kExceptionsSize);
  std::memcpy(abi::__cxa_get_globals(), own, kExceptionsSize);
  running_ = nullptr;
  if (task.ended) forget(task);
}

void Tasks::yield_from(Task& task) { ::swapcontext(&task.context, &task.caller); }

void Tasks::forget(Task& task) {
  stacks().give(task.stack);
  Process& process = processes_[task.process];
  if (--process.tasks <= 1) wake(&process, true);
  // Whoever joins it waits at its address.
  wake(&task, true);
  tasks_.erase(task.id);
}

void Tasks::join(TaskId task) {
  for (;;) {
    const auto found = tasks_.find(task);
    if (found == tasks_.end()) return;
    block(found->second.get(), std::nullopt, AtEnd::stays);
  }
}

bool Tasks::block(const void* place, std::optional<Nanoseconds> until, AtEnd at_end) {
  Task* task = running_;
  SP_CHECK(task != nullptr);
  if (at_end == AtEnd::may_end) {
    live_or_end();
    // A destructor on the way down may wait for nobody's word.
    if (task->ending) {
      const Nanoseconds soon = now_ + std::chrono::milliseconds(1);
      until = until ? std::min(*until, soon) : soon;
    }
  }
  task->place = place;
  task->at_end = at_end;
  task->is_ready = false;
  waiting_[place].push_back(task);
  if (until) {
    task->timer = Timer{std::max(*until, now_), next_timer_++, task};
    timers_.insert(*task->timer);
  }
  yield_from(*task);
  if (at_end == AtEnd::may_end) live_or_end();
  return task->woken;
}

void Tasks::wake(const void* place, bool all) {
  for (;;) {
    const auto found = waiting_.find(place);
    if (found == waiting_.end()) return;
    Task& task = *found->second[all ? 0 : dice_.below(found->second.size())];
    make_ready(task, true);
    if (!all) return;
  }
}

void Tasks::pass() {
  // Mostly nothing happens: an unneeded switch costs time and finds little.
  if (running_ == nullptr || !dice_.chance(50)) return;
  ready_.push_back(running_);
  running_->is_ready = true;
  running_->at_end = AtEnd::stays;
  yield_from(*running_);
}

void Tasks::await_end(ProcessId process) {
  while (has_tasks(process)) block(&processes_[process], std::nullopt, AtEnd::may_end);
}

void Tasks::await_alone() {
  const ProcessId own = current_process();
  while (processes_[own].tasks > 1) block(&processes_[own], std::nullopt, AtEnd::stays);
}

void Tasks::sleep(Nanoseconds duration) {
  const char place = 0;
  block(&place, now_ + duration, AtEnd::may_end);
}

bool Tasks::step() {
  if (ready_.empty()) {
    if (timers_.empty()) return false;
    const Timer first = *timers_.begin();
    now_ = std::max(now_, first.at);
    make_ready(*first.task, false);
  }
  const std::size_t index = dice_.below(ready_.size());
  Task* task = ready_[index];
  ready_[index] = ready_.back();
  ready_.pop_back();
  task->is_ready = false;
  resume(*task);
  return true;
}

bool Tasks::run(const std::function<bool()>& done) {
  while (!done()) {
    if (!step()) return false;
  }
  return true;
}

void Tasks::end_all() {
  for (ProcessId process = 0; process < processes_.size(); ++process) kill(process);
  while (!tasks_.empty()) SP_CHECK(step());
}

}  // namespace sp::sim
