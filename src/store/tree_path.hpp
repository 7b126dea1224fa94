// Names in trees: which are accepted, and how they are opened without leaving their folder. Safe to
// call from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/files.hpp"

namespace sp::store {

/// A name of an archive or a member as the path of a tree: "a/b", without empty and "." components;
/// "" for the root itself. Errc::refused for absolute names, ".." and NUL; Errc::too_large over
/// kTreePathMax bytes or kTreeNameMax in a component.
Result<std::string> clean_tree_path(std::string_view name);

/// "a/b" of "a/b/c"; "" of "a".
std::string_view tree_parent(std::string_view path);

/// Opens `path` ("" = the folder itself) beneath a folder, passing through no link; the result is
/// invalid with errno set where that fails (ELOOP and EXDEV for what would lead out).
Fd open_beneath(const Fd& folder, const std::string& path, int flags, unsigned mode = 0);

}  // namespace sp::store
