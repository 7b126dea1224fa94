// Opening files by names that others chose, never leaving a folder (openat2).
#pragma once

#include <string>

#include "base/files.hpp"

namespace sp::loader {

/// How symbolic links on the way are taken.
enum class Links : std::uint8_t {
  refused,  ///< none may be on the way
  in_root   ///< as if the folder were the root: absolute ones start there, ".." stops there
};

inline constexpr std::size_t kNamePathMax = 4096;  ///< bytes of a whole name
inline constexpr std::size_t kNameDepthMax = 128;

/// The parts of a relative path; "." parts and doubled or trailing '/' are left out. Errc::refused
/// for "..", an absolute path, a NUL or a name over the limits.
Result<std::vector<std::string>> split_name(std::string_view name);

/// Opens `name` below the folder. Errc::not_found, Errc::refused for what leads out, Errc::io.
Result<Fd> open_beneath(int folder, const std::string& name, int flags, Links links,
                        unsigned mode = 0);

/// The whole regular file. Errc::not_found, Errc::too_large over `size_max`, Errc::refused,
/// Errc::io.
Result<std::string> read_beneath(int folder, const std::string& name, std::size_t size_max,
                                 Links links);

}  // namespace sp::loader
