// Standard output: what a program was asked for, and nothing of it lost in silence.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace sp::apps {

/// Writes all of it. A reader who has gone (a closed pipe, `| head`) has seen enough and is no
/// error, where SIGPIPE is ignored. Errc::io where it is lost, such as on a full disk. Waits for a
/// slow reader; calls of several threads don't mix where each is below PIPE_BUF bytes.
Status write_standard_output(std::string_view text);

}  // namespace sp::apps
