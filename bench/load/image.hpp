// An OCI image with one small program, as customers would bring it.
#pragma once

#include "base/files.hpp"

namespace sp::bench {

/// Writes an OCI layout into `folder`.
void make_image(const Path& folder);

}  // namespace sp::bench
