// Packages as people handle them: folders, files and images are sealed and uploaded, packages
// fetched and opened.
//
// The functions block, and belong to the main thread.
#pragma once

#include "spctl/uploads.hpp"

namespace sp::spctl {

inline constexpr std::uint64_t kOpenedBytesMax = std::uint64_t{1} << 42;  ///< of one opened package

enum class ContentKind : std::uint8_t {
  image,  ///< an OCI layout folder, or an image archive
  data,   ///< any file or folder
};

/// Seals a path under a key of its own and uploads it; the key is kept in HOME/content/ID.key.
/// Errc::not_found, Errc::refused (links and the like), Errc::unavailable.
Result<Uploaded> upload_path(Context& context, OpenStore& stores, const Path& path,
                             ContentKind kind);

/// The content key kept of a package that was uploaded from this home. Errc::not_found.
Result<Secret32> kept_key(Context& context, const store::PackageId& package);

/// Opens a package below `out`, which must be empty or not exist, and is there whole or not at all.
/// Errc::conflict where it isn't empty; Errc::bad_signature, Errc::mismatch.
Status open_package_to(Download& download, const Secret32& key, const Path& out);

}  // namespace sp::spctl
