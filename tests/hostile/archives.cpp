#include "archives.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/must.hpp"
#include "crypto/hash.hpp"

namespace sp::hostile {

void write_text(const Path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string tar_of(const std::vector<Entry>& entries) {
  std::string tar;
  for (const Entry& entry : entries) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    char size[12];
    std::snprintf(size, sizeof size, "%011zo", entry.content.size());
    put(0, entry.name);
    put(100, "0000755");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size);
    put(136, "00000000000");
    put(148, "        ");
    header[156] = entry.type;
    put(157, entry.link);
    put(257, std::string("ustar\0"
                         "00",
                         8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06o", sum);
    put(148, digits);
    tar += header + entry.content;
    tar.append((512 - entry.content.size() % 512) % 512, '\0');
  }
  return tar.append(1024, '\0');
}

Sealed image_of(Shop& shop, const std::string& layer, const Json& settings) {
  const Path folder =
      shop.town().work() / ("image-" + crypto::sha256(as_bytes(layer + settings.dump())).hex());
  const auto blob = [&](const std::string& type, const std::string& text) {
    const std::string digest = crypto::sha256(as_bytes(text)).hex();
    write_text(folder / "blobs" / "sha256" / digest, text);
    return Json{{"mediaType", type}, {"digest", "sha256:" + digest}, {"size", text.size()}};
  };
  const Json layer_blob = blob("application/vnd.oci.image.layer.v1.tar", layer);
  const Json config{{"architecture", "amd64"},
                    {"os", "linux"},
                    {"config", settings},
                    {"rootfs", {{"type", "layers"}, {"diff_ids", {layer_blob["digest"]}}}}};
  const Json manifest{{"schemaVersion", 2},
                      {"config", blob("application/vnd.oci.image.config.v1+json", config.dump())},
                      {"layers", Json::array({layer_blob})}};
  const Json index{
      {"schemaVersion", 2},
      {"manifests",
       Json::array({blob("application/vnd.oci.image.manifest.v1+json", manifest.dump())})}};
  write_text(folder / "index.json", index.dump());
  write_text(folder / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
  return shop.bring(folder);
}

}  // namespace sp::hostile
