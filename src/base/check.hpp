// SP_CHECK: an assertion about our own code that stays on in release. Never for what others send.
#pragma once

namespace sp {

/// Prints where and what, then aborts. Never returns.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace sp

#define SP_CHECK(condition)                                               \
  do {                                                                    \
    if (!(condition)) ::sp::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
