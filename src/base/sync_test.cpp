#include "base/sync.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace sp {
namespace {

using std::chrono::milliseconds;

// A scheduler for one task that writes down what it is asked, and wakes a blocked task at once.
class OneTask final : public Scheduler {
 public:
  OneTask() { install(this); }
  ~OneTask() override { install(nullptr); }
  OneTask(const OneTask&) = delete;
  OneTask& operator=(const OneTask&) = delete;

  TaskId start(std::function<void()> body) override {
    said.emplace_back("start");
    body();
    return 7;
  }
  void join(TaskId task) override { said.push_back("join " + std::to_string(task)); }
  bool block(const void* /*place*/, std::optional<std::chrono::nanoseconds> until,
             AtEnd at_end) override {
    said.emplace_back(at_end == AtEnd::may_end ? "block" : "block to lock");
    if (fails) throw std::runtime_error("ended");
    if (until) time = *until;
    return !until.has_value();
  }
  void wake(const void* /*place*/, bool all) override {
    said.emplace_back(all ? "wake all" : "wake one");
  }
  void pass() override {}
  [[nodiscard]] std::chrono::nanoseconds now() const override { return time; }

  std::vector<std::string> said;
  std::chrono::nanoseconds time{};
  bool fails = false;
};

TEST(Sync, ThreadsShareUnderALock) {
  Mutex mutex;
  int count = 0;
  std::vector<Thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        const std::lock_guard lock(mutex);
        ++count;
      }
    });
  }
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(count, 4000);
  EXPECT_FALSE(threads[0].joinable());
}

TEST(Sync, ConditionsWakeWhoWaits) {
  Mutex mutex;
  Condition changed;
  bool ready = false;
  Thread other([&] {
    const std::lock_guard lock(mutex);
    ready = true;
    changed.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ready; });
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_TRUE(changed.wait_for(lock, milliseconds(0), [&] { return ready; }));
  }
  other.join();
}

TEST(Sync, WaitsEndAtTheirLimit) {
  Mutex mutex;
  Condition changed;
  std::unique_lock lock(mutex);
  EXPECT_FALSE(changed.wait_for(lock, milliseconds(1), [] { return false; }));
  while (changed.wait_for(lock, milliseconds(1))) {
  }
  EXPECT_TRUE(lock.owns_lock());
  Thread([&] { EXPECT_FALSE(mutex.try_lock()); }).join();
}

TEST(Sync, LaterGivesTheValueOrTheException) {
  EXPECT_EQ(Later<int>([] { return 3; }).get(), 3);
  Later<int> fails([]() -> int { throw std::runtime_error("no"); });
  EXPECT_THROW(fails.get(), std::runtime_error);
  std::atomic<bool> ran{false};
  {
    const Later<bool> unwanted([&] { return ran = true; });
  }
  EXPECT_TRUE(ran);
}

TEST(Sync, ASchedulerTakesEverythingOver) {
  OneTask scheduler;
  Mutex mutex;
  Condition changed;
  {
    std::unique_lock lock(mutex);
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_FALSE(changed.wait_for(lock, milliseconds(5), [] { return false; }));
    EXPECT_EQ(scheduler.time, milliseconds(5));
    changed.wait(lock);
    changed.notify_one();
    changed.notify_all();
  }
  Thread task([] {});
  EXPECT_TRUE(task.joinable());
  task.join();
  EXPECT_EQ(scheduler.said,
            (std::vector<std::string>{"wake one", "block", "wake one", "block", "wake one",
                                      "wake all", "wake one", "start", "join 7"}));
}

TEST(Sync, ATaskThatIsEndedInAWaitHoldsItsLock) {
  OneTask scheduler;
  Mutex mutex;
  Condition changed;
  std::unique_lock lock(mutex);
  scheduler.fails = true;
  EXPECT_THROW(changed.wait(lock), std::runtime_error);
  EXPECT_TRUE(lock.owns_lock());
  EXPECT_FALSE(mutex.try_lock());
}

}  // namespace
}  // namespace sp
