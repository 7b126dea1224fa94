#include "spctl/interrupts.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace sp::spctl {
namespace {

// In a process of its own: signals are one process's.
TEST(Interrupts, OneThatIsHandledStopsNothingMoreAndTheNextLeaves) {
  const auto run = [] {
    catch_interrupts();
    interrupt_is_handled();  // none has come: the first one still counts
    if (interrupted()) ::_exit(1);
    ::raise(SIGINT);
    if (!interrupted()) ::_exit(2);
    interrupt_is_handled();
    if (interrupted()) ::_exit(3);
    std::this_thread::sleep_for(kSamePress);
    ::raise(SIGINT);
    ::_exit(4);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(kExitInterrupted), "");
}

TEST(Interrupts, OnePressThatIsToldTwiceStillAsks) {
  const auto run = [] {
    catch_interrupts();
    ::raise(SIGINT);
    ::raise(SIGTERM);
    ::_exit(interrupted() ? 0 : 1);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace sp::spctl
