// must(): the value of what a test relies on, or the end of that test with the error's words.
#pragma once

#include <stdexcept>

#include "base/result.hpp"

namespace sp::hostile {

/// Fails the running test (GoogleTest reports the exception) where there is no value.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace sp::hostile
