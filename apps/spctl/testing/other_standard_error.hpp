// Another standard error than this process's own, for tests: a terminal, or a pipe.
#pragma once

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/files.hpp"

namespace sp::spctl::testing {

/// This process's standard error while this lives. A writer waits where over some KiB are unread.
class OtherStandardError {
 public:
  enum class Kind : std::uint8_t { terminal, pipe };

  explicit OtherStandardError(Kind kind) : saved_(::dup(STDERR_FILENO)) {
    int ends[2];
    if (kind == Kind::pipe) {
      SP_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    } else {
      ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
      SP_CHECK(::grantpt(ends[0]) == 0 && ::unlockpt(ends[0]) == 0);
      ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
      termios raw{};
      SP_CHECK(::tcgetattr(ends[1], &raw) == 0);
      ::cfmakeraw(&raw);
      SP_CHECK(::tcsetattr(ends[1], TCSANOW, &raw) == 0);
    }
    reads_ = Fd(ends[0]);
    const Fd writes(ends[1]);
    SP_CHECK(::dup2(writes.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  ~OtherStandardError() { ::dup2(saved_.get(), STDERR_FILENO); }
  OtherStandardError(const OtherStandardError&) = delete;
  OtherStandardError& operator=(const OtherStandardError&) = delete;

  /// What was written since the last call.
  std::string seen() {
    SP_CHECK(::write(STDERR_FILENO, &kEnd, 1) == 1);
    std::string text;
    for (char c = 0; ::read(reads_.get(), &c, 1) == 1 && c != kEnd;) text += c;
    return text;
  }

 private:
  static constexpr char kEnd = '\x1e';
  const Fd saved_;
  Fd reads_;
};

}  // namespace sp::spctl::testing
