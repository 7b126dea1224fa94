#include "loader/oci_image.hpp"

#include <fcntl.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "loader/beneath.hpp"

namespace sp::loader {
namespace {

constexpr int kIndexDepthMax = 2;
constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kLayerTypes[] = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
};
constexpr std::uint32_t kIdMax = 65535;  // ids of a container that are mapped

/// Reads fields of a document that may hold any others; remembers the first failure.
class Fields {
 public:
  Fields(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value_.is_object()) fail("must be an object");
  }

  /// Null where it is absent.
  const Json& any(const char* key) {
    static const Json kNothing;
    if (!value_.is_object()) return kNothing;
    const auto found = value_.find(key);
    return found == value_.end() ? kNothing : *found;
  }
  std::string text(const char* key) {
    const Json& value = any(key);
    if (value.is_string()) return checked(value, key);
    fail(std::string(key) + " must be a text");
    return {};
  }
  /// "" where it is absent or null.
  std::string optional_text(const char* key) { return any(key).is_null() ? "" : text(key); }
  /// Empty where it is absent or null.
  std::vector<std::string> texts(const char* key, std::size_t count_max) {
    const Json& value = any(key);
    std::vector<std::string> list;
    if (value.is_null()) return list;
    if (!value.is_array() || value.size() > count_max) {
      fail(std::string(key) + " must be a list of at most " + std::to_string(count_max));
      return list;
    }
    for (const Json& entry : value) {
      if (!entry.is_string()) fail(std::string(key) + " must be a list of texts");
      list.push_back(entry.is_string() ? checked(entry, key) : "");
    }
    return list;
  }
  std::uint64_t number(const char* key) {
    const Json& value = any(key);
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    fail(std::string(key) + " must be a whole number");
    return 0;
  }
  void fail(const std::string& message, Errc code = Errc::malformed) {
    if (!failure_) failure_ = Error{code, where_ + ": " + message};
  }
  [[nodiscard]] Status finish() const { return failure_ ? Status(*failure_) : Status(); }

 private:
  std::string checked(const Json& value, const char* key) {
    auto text = value.get<std::string>();
    if (text.size() > kImageTextMax || text.find('\0') != std::string::npos) {
      fail(std::string(key) + " has a text over 64 KiB or with NUL");
    }
    return text;
  }

  const Json& value_;
  std::string where_;
  std::optional<Error> failure_;
};

Result<ImageBlob> parse_blob(const Json& json, const std::string& where) {
  Fields fields(json, where);
  ImageBlob blob;
  blob.media_type = fields.optional_text("mediaType");
  blob.size = fields.number("size");
  const std::string digest = fields.text("digest");
  SP_TRY(fields.finish());
  if (!digest.starts_with("sha256:")) {
    return Error{Errc::unsupported, where + ": only sha256 digests are known"};
  }
  auto value = Digest32::from_hex(digest.substr(std::string_view("sha256:").size()));
  if (!value || "sha256:" + value->hex() != digest) {
    return Error{Errc::malformed, where + ": not a digest: " + digest.substr(0, 80)};
  }
  blob.digest = *value;
  return blob;
}

bool is_index(const ImageBlob& blob) {
  return blob.media_type == kOciIndex || blob.media_type == kDockerIndex;
}

// Whether an entry of an index is for this platform; one that names none is taken for it.
bool fits_platform(const Json& entry) {
  Fields fields(entry, "manifest");
  const Json& platform = fields.any("platform");
  if (platform.is_null()) return true;
  Fields parts(platform, "platform");
  return parts.optional_text("os") == "linux" && parts.optional_text("architecture") == "amd64";
}

std::string blob_file(const Digest32& digest) { return "blobs/sha256/" + digest.hex(); }

Result<std::string> read_blob(int folder, const ImageBlob& blob) {
  SP_ASSIGN(std::string text,
            read_beneath(folder, blob_file(blob.digest), kImageJsonMax, Links::refused));
  if (text.size() != blob.size || crypto::sha256(as_bytes(text)) != blob.digest) {
    return Error{Errc::mismatch, "blob " + blob.digest.hex() + " isn't what the image says of it"};
  }
  return text;
}

Result<Image> read_layout(int folder) {
  SP_ASSIGN(std::string index, read_beneath(folder, "index.json", kImageJsonMax, Links::refused));
  SP_ASSIGN(ImageBlob blob, parse_image_index(index));
  for (int depth = 1; is_index(blob); ++depth) {
    if (depth == kIndexDepthMax) return Error{Errc::unsupported, "an index too deep"};
    SP_ASSIGN(index, read_blob(folder, blob));
    SP_ASSIGN(blob, parse_image_index(index));
  }
  SP_ASSIGN(const std::string manifest_text, read_blob(folder, blob));
  SP_ASSIGN(const ImageManifest manifest, parse_image_manifest(manifest_text));
  SP_ASSIGN(const std::string config, read_blob(folder, manifest.config));
  Image image;
  SP_ASSIGN(image.config, parse_image_config(config));
  for (const ImageBlob& layer : manifest.layers) {
    image.layers.push_back({blob_file(layer.digest), layer});
  }
  return image;
}

Result<Image> read_docker_archive(int folder) {
  SP_ASSIGN(const std::string text,
            read_beneath(folder, "manifest.json", kImageJsonMax, Links::refused));
  SP_ASSIGN(const DockerManifest manifest, parse_docker_manifest(text));
  SP_ASSIGN(const std::string config,
            read_beneath(folder, manifest.config, kImageJsonMax, Links::refused));
  Image image;
  SP_ASSIGN(image.config, parse_image_config(config));
  for (const std::string& layer : manifest.layers) image.layers.push_back({layer, std::nullopt});
  return image;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> id_of(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure != std::errc() || end != text.data() + text.size() || id > kIdMax) return {};
  return id;
}

// The line of passwd or group whose first field is `name`, or whose id is (`by_id`).
std::optional<std::vector<std::string_view>> find_line(std::string_view file, std::string_view name,
                                                       std::optional<std::uint32_t> by_id) {
  for (const std::string_view line : split(file, '\n')) {
    auto fields = split(line, ':');
    if (fields.size() < 4) continue;
    if (by_id ? id_of(fields[2]) == by_id : fields[0] == name) return fields;
  }
  return std::nullopt;
}

}  // namespace

Result<ImageBlob> parse_image_index(std::string_view json) {
  SP_ASSIGN(const Json document, parse_json(json, kImageJsonMax));
  Fields fields(document, "index");
  const Json& manifests = fields.any("manifests");
  if (!manifests.is_array() || manifests.size() > kImageManifestsMax) {
    fields.fail("manifests must be a list of at most " + std::to_string(kImageManifestsMax));
  }
  SP_TRY(fields.finish());
  for (const Json& entry : manifests) {
    if (!entry.is_object() || !fits_platform(entry)) continue;
    return parse_blob(entry, "index entry");
  }
  return Error{Errc::unsupported, "the image has nothing for linux/amd64"};
}

Result<ImageManifest> parse_image_manifest(std::string_view json) {
  SP_ASSIGN(const Json document, parse_json(json, kImageJsonMax));
  Fields fields(document, "manifest");
  if (fields.number("schemaVersion") != 2) fields.fail("schemaVersion must be 2");
  const std::string type = fields.optional_text("mediaType");
  if (!type.empty() && type != kOciManifest && type != kDockerManifest) {
    fields.fail("unknown media type", Errc::unsupported);
  }
  const Json& layers = fields.any("layers");
  if (!layers.is_array() || layers.size() > kImageLayersMax) {
    fields.fail("layers must be a list of at most " + std::to_string(kImageLayersMax));
  }
  SP_TRY(fields.finish());
  ImageManifest manifest;
  SP_ASSIGN(manifest.config, parse_blob(fields.any("config"), "config"));
  for (const Json& entry : layers) {
    SP_ASSIGN(ImageBlob layer, parse_blob(entry, "layer"));
    if (std::find(std::begin(kLayerTypes), std::end(kLayerTypes), layer.media_type) ==
        std::end(kLayerTypes)) {
      return Error{Errc::unsupported, "unknown media type of a layer: " + layer.media_type};
    }
    manifest.layers.push_back(std::move(layer));
  }
  return manifest;
}

Result<ImageConfig> parse_image_config(std::string_view json) {
  SP_ASSIGN(const Json document, parse_json(json, kImageJsonMax));
  Fields fields(document, "image config");
  if (fields.text("os") != "linux" || fields.text("architecture") != "amd64") {
    fields.fail("only linux/amd64 images run here", Errc::unsupported);
  }
  SP_TRY(fields.finish());
  ImageConfig config;
  if (fields.any("config").is_null()) return config;
  Fields inner(fields.any("config"), "image config");
  config.entrypoint = inner.texts("Entrypoint", kImageTextsMax);
  config.command = inner.texts("Cmd", kImageTextsMax);
  config.environment = inner.texts("Env", kImageTextsMax);
  config.working_dir = inner.optional_text("WorkingDir");
  config.user = inner.optional_text("User");
  if (!config.working_dir.empty() && config.working_dir.front() != '/') {
    inner.fail("WorkingDir must be absolute");
  }
  for (const std::string& variable : config.environment) {
    if (variable.find('=') == std::string::npos || variable.front() == '=') {
      inner.fail("Env must be a list of NAME=value");
    }
  }
  SP_TRY(inner.finish());
  return config;
}

Result<DockerManifest> parse_docker_manifest(std::string_view json) {
  SP_ASSIGN(const Json document, parse_json(json, kImageJsonMax));
  if (!document.is_array() || document.size() != 1) {
    return Error{Errc::unsupported, "manifest.json must list exactly one image"};
  }
  Fields fields(document[0], "manifest.json");
  DockerManifest manifest;
  manifest.config = fields.text("Config");
  manifest.layers = fields.texts("Layers", kImageLayersMax);
  SP_TRY(fields.finish());
  return manifest;
}

Result<Image> read_image(const Path& folder) {
  const Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open", folder);
  // Archives of newer `docker save` are both; the layout has digests.
  if (open_beneath(fd.get(), "index.json", O_PATH, Links::refused)) {
    SP_TRY(open_beneath(fd.get(), "oci-layout", O_PATH, Links::refused));
    return read_layout(fd.get());
  }
  if (open_beneath(fd.get(), "manifest.json", O_PATH, Links::refused)) {
    return read_docker_archive(fd.get());
  }
  return Error{Errc::malformed,
               "not an image: neither index.json (OCI layout) nor manifest.json (docker save)"};
}

Result<ImageUser> resolve_user(std::string_view user, std::string_view passwd,
                               std::string_view group) {
  const auto parts = split(user, ':');
  if (parts.size() > 2) return Error{Errc::malformed, "not a user: " + std::string(user)};
  ImageUser result;
  const std::string_view name = parts[0];
  const auto number = id_of(name);
  if (!name.empty()) {
    const auto line = find_line(passwd, name, number);
    if (!line && !number) {
      return Error{Errc::not_found, "the image has no user " + std::string(name)};
    }
    const auto uid = number ? number : id_of((*line)[2]);
    const auto gid = line ? id_of((*line)[3]) : 0U;
    if (!uid || !gid) return Error{Errc::malformed, "a user's ids must be 0 to 65535"};
    result = {*uid, *gid};
  }
  if (parts.size() == 2) {
    auto gid = id_of(parts[1]);
    if (!gid) {
      const auto line = find_line(group, parts[1], std::nullopt);
      if (!line) return Error{Errc::not_found, "the image has no group " + std::string(parts[1])};
      gid = id_of((*line)[2]);
    }
    if (!gid) return Error{Errc::malformed, "a user's ids must be 0 to 65535"};
    result.gid = *gid;
  }
  return result;
}

}  // namespace sp::loader
