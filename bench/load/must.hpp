// must(): the value of what a benchmark relies on, or its end with the error's words.
#pragma once

#include <stdexcept>

#include "base/result.hpp"

namespace sp::bench {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace sp::bench
