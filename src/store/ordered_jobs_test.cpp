#include "store/ordered_jobs.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>

namespace sp::store {
namespace {

TEST(OrderedJobs, GivesResultsInOrder) {
  for (const unsigned threads : {1U, 2U, 5U}) {
    OrderedJobs<int> jobs(threads);
    for (int i = 0; i < 200; ++i) {
      jobs.submit([i]() -> Result<int> { return i * 3; });
    }
    for (int i = 0; i < 200; ++i) EXPECT_EQ(*jobs.take(), i * 3);
    EXPECT_EQ(jobs.in_flight(), 0U);
  }
}

TEST(OrderedJobs, OneJobRunsOnTheOwnersThread) {
  OrderedJobs<std::thread::id> jobs(4);
  jobs.submit([]() -> Result<std::thread::id> { return std::this_thread::get_id(); });
  EXPECT_EQ(*jobs.take(), std::this_thread::get_id());
}

TEST(OrderedJobs, JobsRunAtTheSameTime) {
  OrderedJobs<int> jobs(2);
  std::latch both(2);  // opens only where two jobs are under way at once
  for (int i = 0; i < 2; ++i) {
    jobs.submit([&both, i]() -> Result<int> {
      both.arrive_and_wait();
      return i;
    });
  }
  EXPECT_EQ(*jobs.take(), 0);
  EXPECT_EQ(*jobs.take(), 1);
}

TEST(OrderedJobs, ErrorsComeInTheirTurn) {
  OrderedJobs<int> jobs(3);
  for (int i = 0; i < 10; ++i) {
    jobs.submit([i]() -> Result<int> {
      if (i == 7) return Error{Errc::io, "seven"};
      return i;
    });
  }
  for (int i = 0; i < 7; ++i) EXPECT_EQ(*jobs.take(), i);
  EXPECT_EQ(jobs.take().error().code, Errc::io);
}

TEST(OrderedJobs, DroppedJobsNeverBegin) {
  std::atomic<int> begun = 0;
  {
    OrderedJobs<int> jobs(1);
    for (int i = 0; i < 10; ++i) {
      jobs.submit([&begun]() -> Result<int> { return ++begun; });
    }
    EXPECT_TRUE(jobs.take().ok());
  }
  EXPECT_EQ(begun, 1);
}

TEST(OrderedJobs, DestructorWaitsForWhatHasBegun) {
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  for (int round = 0; round < 50; ++round) {
    OrderedJobs<int> jobs(4);
    for (int i = 0; i < 8; ++i) {
      jobs.submit([&]() -> Result<int> {
        ++begun;
        std::this_thread::yield();
        ++ended;
        return 0;
      });
    }
  }
  EXPECT_EQ(begun, ended);
}

}  // namespace
}  // namespace sp::store
