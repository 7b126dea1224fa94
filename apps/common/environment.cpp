#include "common/environment.hpp"

#include <cstdlib>

namespace sp::apps {

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace sp::apps
