#include "common/output.hpp"

#include <poll.h>
#include <unistd.h>

#include "base/files.hpp"

namespace sp::apps {
namespace {

bool reader_has_gone() {
  pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

Status write_standard_output(std::string_view text) {
  const Status written = write_fully(STDOUT_FILENO, as_bytes(text), "standard output");
  if (written || reader_has_gone()) return {};
  return Error{
      written.error().code,
      written.error().message + ". What was asked for is done, but its result isn't written whole"};
}

}  // namespace sp::apps
