#include "base/standard_descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/files.hpp"

namespace sp {

Status hold_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0) continue;
    // The lowest free number, which is this one: those below it are open by now.
    if (::open("/dev/null", O_RDWR) != standard) return errno_error("open", "/dev/null");
  }
  return {};
}

}  // namespace sp
