// The cache of what vendors publish in a process of its own: a local system's evidence needs none,
// so its write is killed here.
#pragma once

#include "base/files.hpp"

namespace sp::crash {

/// The first argument that makes this program such a process; the second is the cache's folder.
inline constexpr const char* kCacheChild = "keep-one";

/// Fetches one thing into the cache and ends. An exit code.
int keep_one(const Path& folder);
/// What the cache in the folder holds, without asking anybody; empty where it holds nothing.
std::string kept_in(const Path& folder);

}  // namespace sp::crash
