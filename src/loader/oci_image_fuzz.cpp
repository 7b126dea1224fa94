// The documents of an image: index, manifest, config, docker's manifest, and users. What is
// accepted must hold to the limits.
#include "base/check.hpp"
#include "loader/beneath.hpp"
#include "loader/oci_image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::loader;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_image_index(text).ok());
  if (const auto manifest = parse_image_manifest(text)) {
    SP_CHECK(manifest->layers.size() <= kImageLayersMax);
  }
  if (const auto config = parse_image_config(text)) {
    SP_CHECK(config->working_dir.empty() || config->working_dir.front() == '/');
    for (const std::string& variable : config->environment) {
      SP_CHECK(variable.find('=') != std::string::npos);
    }
  }
  if (const auto manifest = parse_docker_manifest(text)) {
    SP_CHECK(manifest->layers.size() <= kImageLayersMax);
  }
  if (const auto user = resolve_user(text.substr(0, 64), text, text)) {
    SP_CHECK(user->uid < 65'536 && user->gid < 65'536);
  }
  if (const auto parts = split_name(text)) {
    for (const std::string& part : *parts) SP_CHECK(!part.empty() && part != ".." && part != ".");
  }
  return 0;
}
