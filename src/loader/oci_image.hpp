// Images as the loader reads them: a folder that is an OCI image layout (OCI image spec 1.1) or an
// unpacked `docker save` archive. The folder's content comes from the solution's owner: it is
// hostile to the loader, and so are the numbers and names in it.
//
// Everything here reads only. Values; safe to call from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/files.hpp"

namespace sp::loader {

inline constexpr std::size_t kImageJsonMax = 4 << 20;  ///< bytes of index, manifest or config
inline constexpr std::size_t kImageLayersMax = 128;
inline constexpr std::size_t kImageManifestsMax = 64;  ///< listed by one index
inline constexpr std::size_t kImageTextsMax = 1024;    ///< entries of command or environment
inline constexpr std::size_t kImageTextMax = 64 * 1024;

/// A blob of an OCI layout.
struct ImageBlob {
  Digest32 digest;  ///< SHA-256
  std::uint64_t size = 0;
  std::string media_type;
  bool operator==(const ImageBlob&) const = default;
};

/// What to run, as the image's config says.
struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string working_dir;               ///< absolute; empty = "/"
  std::string user;                      ///< "", "user", "user:group"; names or numbers
  bool operator==(const ImageConfig&) const = default;
};

struct ImageLayer {
  std::string file;  ///< in the image's folder
  /// Of the file as it lies there; empty in an archive of `docker save`, which doesn't say.
  std::optional<ImageBlob> blob;
  bool operator==(const ImageLayer&) const = default;
};

struct Image {
  ImageConfig config;
  std::vector<ImageLayer> layers;  ///< lowest first
};

/// Reads layout or archive in `folder`; digests of manifest and config are checked, those of layers
/// when they are applied. Errc::malformed, Errc::mismatch, Errc::unsupported (another platform,
/// encrypted or foreign layers), Errc::too_large, Errc::refused, Errc::io.
Result<Image> read_image(const Path& folder);

// The parts of read_image that read one document each.

/// The manifest for linux/amd64 that an index names; an index that names another index is told by
/// the blob's media type.
Result<ImageBlob> parse_image_index(std::string_view json);

struct ImageManifest {
  ImageBlob config;
  std::vector<ImageBlob> layers;
  bool operator==(const ImageManifest&) const = default;
};
Result<ImageManifest> parse_image_manifest(std::string_view json);
/// Errc::unsupported for another platform than linux/amd64.
Result<ImageConfig> parse_image_config(std::string_view json);

struct DockerManifest {
  std::string config;
  std::vector<std::string> layers;
  bool operator==(const DockerManifest&) const = default;
};
/// manifest.json of `docker save`; it must hold exactly one image.
Result<DockerManifest> parse_docker_manifest(std::string_view json);

/// Who a container runs as.
struct ImageUser {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const ImageUser&) const = default;
};
/// `user` of a config, names looked up in the texts of the image's /etc/passwd and /etc/group.
/// Errc::not_found for a name that isn't there, Errc::malformed.
Result<ImageUser> resolve_user(std::string_view user, std::string_view passwd,
                               std::string_view group);

}  // namespace sp::loader
