// The numbers 0, 1 and 2 of a process, which belong to standard input, output and error.
#pragma once

#include "base/result.hpp"

namespace sp {

/// Opens /dev/null in the place of each standard descriptor that is closed: otherwise the next file
/// or socket gets its number, and what is told goes into that. First in main(), before any thread.
/// Errc::io.
Status hold_standard_descriptors();

}  // namespace sp
