// must(): the value of what a test or a benchmark relies on, or its end with the error's words.
// Pure; safe to call from any thread.
#pragma once

#include <stdexcept>

#include "base/result.hpp"

namespace sp {

/// Throws where there is no value: GoogleTest reports the exception as the test's failure.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace sp
