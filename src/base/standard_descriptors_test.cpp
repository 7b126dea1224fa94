#include "base/standard_descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace sp {
namespace {

// What a child of this process says, whose descriptors may be closed.
bool in_child(const std::function<bool()>& says) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(says() ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(StandardDescriptors, NoFileGetsTheNumberOfAClosedOne) {
  for (unsigned closed = 1; closed < 8; ++closed) {
    EXPECT_TRUE(in_child([&] {
      for (int i = 0; i < 3; ++i) {
        if ((closed >> i & 1U) != 0) ::close(i);
      }
      return hold_standard_descriptors().ok() &&
             ::open("/dev/null", O_RDONLY | O_CLOEXEC) > STDERR_FILENO;
    })) << closed;
  }
}

TEST(StandardDescriptors, OneThatIsOpenStaysAsItIs) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  EXPECT_TRUE(in_child([&] {
    if (::dup2(ends[1], STDOUT_FILENO) < 0 || ::close(STDERR_FILENO) != 0) return false;
    if (!hold_standard_descriptors()) return false;
    return ::write(STDERR_FILENO, "x", 1) == 1 && ::write(STDOUT_FILENO, "out", 3) == 3;
  }));
  ::close(ends[1]);
  char read[8];
  EXPECT_EQ(::read(ends[0], read, sizeof(read)), 3);
  ::close(ends[0]);
}

}  // namespace
}  // namespace sp
