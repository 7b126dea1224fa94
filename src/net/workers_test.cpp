#include "net/workers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>

#include "net/http.hpp"

namespace sp::net {
namespace {

// Requests that have begun wait for the gate, so that who runs and who waits is known.
class WorkersTest : public ::testing::Test {
 protected:
  ~WorkersTest() override { open_gate(); }

  void start(unsigned count) {
    begun_.clear();
    open_ = false;
    workers_ = std::make_unique<Workers>(count);
  }
  void ask(const std::string& peer, std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) {
      workers_->submit(peer, {[this, peer] { run(peer); }, [this, peer] { refused_ += peer; }});
    }
  }
  // Whether so many of the peer have begun, within five seconds.
  bool begun(const std::string& peer, std::ptrdiff_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(5),
                             [&] { return std::ranges::count(begun_, peer) >= count; });
  }
  std::ptrdiff_t count_begun(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(begun_, peer);
  }
  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  // What has begun, in its order, once all has run.
  std::vector<std::string> finish() {
    open_gate();
    workers_.reset();
    return begun_;
  }

  std::unique_ptr<Workers> workers_;
  std::string refused_;  // their peers' names, one behind the other

 private:
  void run(const std::string& peer) {
    std::unique_lock lock(mutex_);
    begun_.push_back(peer);
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> begun_;  // under mutex_
  bool open_ = false;               // under mutex_
};

TEST_F(WorkersTest, OnePeerLeavesThreadsToOthers) {
  const std::array<std::array<std::ptrdiff_t, 4>, 4> cases = {
      {{12, 8, 2, 1}, {8, 5, 2, 1}, {4, 2, 1, 1}, {2, 1, 1, 0}}};
  for (const auto& [threads, first, second, third] : cases) {
    start(static_cast<unsigned>(threads));
    ask("a", 20);
    EXPECT_TRUE(begun("a", first)) << threads;
    ask("b", 20);
    EXPECT_TRUE(begun("b", second)) << threads;
    ask("c", 20);
    EXPECT_TRUE(begun("c", third)) << threads;
    EXPECT_EQ(count_begun("a"), first) << threads;
    EXPECT_EQ(count_begun("b"), second) << threads;
    EXPECT_EQ(count_begun("c"), third) << threads;
    EXPECT_EQ(finish().size(), 60U) << threads;
  }
}

TEST_F(WorkersTest, ALoneThreadServesThoseWhoWaitInTurn) {
  start(1);
  ask("x");
  ASSERT_TRUE(begun("x", 1));
  ask("a", 3);
  ask("b");
  ask("c", 2);
  EXPECT_EQ(finish(), (std::vector<std::string>{"x", "a", "b", "c", "a", "c", "a"}));
}

TEST_F(WorkersTest, WhoIsntCountedMayHoldAllThreads) {
  start(4);
  ask("", 4);
  EXPECT_TRUE(begun("", 4));
  ask("a");
  EXPECT_EQ(finish().size(), 5U);
}

TEST_F(WorkersTest, AFullQueueRefusesTheNewestOfWhoHasMost) {
  start(1);
  ask("x");
  ASSERT_TRUE(begun("x", 1));
  ask("a", kQueuedRequestsMax);
  EXPECT_EQ(refused_, "");
  ask("a");
  EXPECT_EQ(refused_, "a");
  ask("b", 3);
  EXPECT_EQ(refused_, "aaaa");
  ask("", 2);
  EXPECT_EQ(refused_, "aaaaaa");
  const auto order = finish();
  EXPECT_EQ(std::ranges::count(order, "a"), kQueuedRequestsMax - 5);
  EXPECT_EQ(std::ranges::count(order, "b"), 3);
  EXPECT_EQ(std::ranges::count(order, ""), 2);
}

TEST_F(WorkersTest, AFullQueueRefusesWhoComesWhereNobodyHasMore) {
  start(1);
  ask("x");
  ASSERT_TRUE(begun("x", 1));
  for (std::size_t i = 0; i < kQueuedRequestsMax; ++i) ask("peer" + std::to_string(i));
  EXPECT_EQ(refused_, "");
  ask("late");
  EXPECT_EQ(refused_, "late");
  EXPECT_EQ(finish().size(), kQueuedRequestsMax + 1);
}

TEST_F(WorkersTest, AStopRunsWhatWaitsAndRefusesWhatComes) {
  start(2);
  ask("a", 5);
  ASSERT_TRUE(begun("a", 1));
  workers_->stop_taking();
  ask("b");
  EXPECT_EQ(refused_, "b");
  EXPECT_EQ(finish(), std::vector<std::string>(5, "a"));
}

TEST_F(WorkersTest, NothingIsForgottenWhereManyAskAtOnce) {
  constexpr unsigned kAsking = 4;
  constexpr unsigned kRequests = 5000;
  std::atomic<unsigned> ran = 0;
  std::atomic<unsigned> refused = 0;
  Workers workers(5);
  {
    std::vector<std::jthread> asking;
    for (unsigned i = 0; i < kAsking; ++i) {
      asking.emplace_back([&, i] {
        for (unsigned j = 0; j < kRequests; ++j) {
          const std::string peer(1, static_cast<char>('a' + (i + j) % 7));
          workers.submit(peer, {[&] { ++ran; }, [&] { ++refused; }});
        }
      });
    }
  }
  // All is begun by itself, not by the stop.
  for (int i = 0; i < 500 && ran + refused < kAsking * kRequests; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(ran + refused, kAsking * kRequests);
}

}  // namespace
}  // namespace sp::net
