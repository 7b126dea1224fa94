// Builds a container's root file system from the layers of its image (OCI image spec, "Applying
// changesets"), never writing outside of its folder whatever the layers hold.
//
// A layer is a tar, plain or gzip or zstd. Names with "..", absolute names, devices, FIFOs, links
// that climb out of the root and misused whiteouts are refused. Links inside of the image are kept
// and followed as the container would follow them: the root is their end. Set-user-id bits and
// extended attributes are left out. Belongs to one thread.
#pragma once

#include <optional>

#include "base/files.hpp"
#include "loader/oci_image.hpp"

namespace sp::loader {

inline constexpr std::size_t kImageEntriesMax = 500'000;  ///< of all layers together
inline constexpr std::uint32_t kMappedIds = 65536;        ///< ids of a container, from 0

struct RootfsLimits {
  std::uint64_t bytes_max = 0;  ///< file bytes of all layers together
  std::size_t entries_max = kImageEntriesMax;
};

class Rootfs {
 public:
  /// `folder` exists and is empty. `owner_base`: ids of the image are this much larger outside
  /// (needs root); absent = everything belongs to this process's user.
  Rootfs(Path folder, std::optional<std::uint32_t> owner_base, RootfsLimits limits);

  /// Applies the next layer, the file `layer.file` in the image's folder, its digest checked where
  /// it is known. Errc::refused, Errc::malformed, Errc::mismatch, Errc::too_large, Errc::io. After
  /// an error the file system is to be thrown away.
  Status apply(const Path& image_folder, const ImageLayer& layer);

  /// Makes an empty folder (and its parents) if there is none. Errc::refused where something else
  /// or a symbolic link is in the way.
  Status make_mount_point(const std::string& name);

  /// Makes the working folder of the image's config if there is none. Errc::refused.
  Status make_working_dir(const std::string& path);

  /// Text of a file such as etc/passwd, or "" where there is none.
  [[nodiscard]] Result<std::string> text_of(const std::string& name) const;

  /// Whether `program`, an absolute path or a name to be found in `search_path`, is there to be
  /// started.
  [[nodiscard]] bool has_program(const std::string& program, const std::string& working_dir,
                                 std::string_view search_path) const;

 private:
  friend class LayerReader;
  Path folder_;
  std::optional<std::uint32_t> owner_base_;
  RootfsLimits limits_;
  std::uint64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace sp::loader
