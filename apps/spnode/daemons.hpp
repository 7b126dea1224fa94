// The daemons, each from its settings until a stop signal. docs/SETTINGS.md has the schema of the
// files.
#pragma once

#include "base/files.hpp"

namespace sp::apps {

Status run_store(const Path& settings);
Status run_broker(const Path& settings);
Status run_provider(const Path& settings);

}  // namespace sp::apps
