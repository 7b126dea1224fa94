#include "image.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/must.hpp"
#include "crypto/hash.hpp"
#include "store/stream.hpp"
#include "store/tree.hpp"

namespace sp::bench {
namespace {

constexpr std::size_t kLayerMax = 1 << 20;

void write_file(const Path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

Json put_blob(const Path& folder, const std::string& type, std::string_view bytes) {
  const std::string name = crypto::sha256(as_bytes(bytes)).hex();
  write_file(folder / "blobs" / "sha256" / name, bytes);
  return {{"mediaType", type}, {"digest", "sha256:" + name}, {"size", bytes.size()}};
}

}  // namespace

void make_image(const Path& folder) {
  const Path root = folder.string() + "-root";
  write_file(root / "answer", "#!/bin/sh\n");
  std::filesystem::permissions(root / "answer", std::filesystem::perms(0755));
  const auto tree = must(store::read_tree({{"", root}}, store::OddEntries::refuse));
  store::MemorySink layer(kLayerMax);
  must(store::copy_stream(*tree, layer));
  const Json config{{"architecture", "amd64"},
                    {"os", "linux"},
                    {"config", {{"Entrypoint", Json::array({"/answer"})}}}};
  const std::string prefix = "application/vnd.oci.image.";
  const Json manifest{
      {"schemaVersion", 2},
      {"config", put_blob(folder, prefix + "config.v1+json", config.dump())},
      {"layers", Json::array({put_blob(folder, prefix + "layer.v1.tar", as_text(layer.bytes()))})}};
  const Json index{
      {"schemaVersion", 2},
      {"manifests", Json::array({put_blob(folder, prefix + "manifest.v1+json", manifest.dump())})}};
  write_file(folder / "index.json", index.dump());
  write_file(folder / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
}

}  // namespace sp::bench
