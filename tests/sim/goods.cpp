#include "sim/goods.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "sim/tee.hpp"
#include "store/tree.hpp"

namespace sp::sim {
namespace {

void write_text(const Path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

Bytes read_all(store::ByteSource& source) {
  Bytes all;
  Bytes buffer(1 << 16);
  for (;;) {
    const std::size_t got = source.read(buffer).value();
    if (got == 0) return all;
    append(all, ByteView(buffer).first(got));
  }
}

std::unique_ptr<store::ByteSource> tree_of(const Path& folder) {
  auto tree = store::read_tree({{"", folder}}, store::OddEntries::refuse);
  SP_CHECK(tree.ok());
  return std::move(*tree);
}

// Puts a blob into an OCI layout and returns its descriptor.
Json put_blob(const Path& layout, const std::string& type, ByteView bytes) {
  const std::string name = crypto::sha256(bytes).hex();
  write_text(layout / "blobs" / "sha256" / name, as_text(bytes));
  return {{"mediaType", "application/vnd.oci.image." + type},
          {"digest", "sha256:" + name},
          {"size", bytes.size()}};
}

void make_image(const Path& layout, const Path& root) {
  write_text(root / "workload", "the program\n");
  std::filesystem::permissions(root / "workload", std::filesystem::perms(0755));
  const std::string config =
      R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":["/workload"]}})";
  const Json manifest = {
      {"schemaVersion", 2},
      {"config", put_blob(layout, "config.v1+json", as_bytes(config))},
      {"layers", Json::array({put_blob(layout, "layer.v1.tar", read_all(*tree_of(root)))})}};
  const std::string text = manifest.dump();
  const Json index = {
      {"schemaVersion", 2},
      {"manifests", Json::array({put_blob(layout, "manifest.v1+json", as_bytes(text))})}};
  write_text(layout / "index.json", index.dump());
  write_text(layout / "oci-layout", R"({"imageLayoutVersion": "1.0.0"})");
}

Goods make_goods() {
  Goods made;
  MemoryStore blobs(made.blobs);
  Dice dice(7);
  const testing::TemporaryFolder folder;
  make_image(folder.path() / "image", folder.path() / "root");
  write_text(folder.path() / "data" / "data.txt", "the owner's secret data\n");
  for (const auto& [sealed, name] :
       {std::pair(&made.image, "image"), std::pair(&made.data, "data")}) {
    sealed->key = crypto::random_secret<32>(dice);
    store::SealOptions options;
    options.threads = 1;
    const auto package =
        store::seal_package(*tree_of(folder.path() / name), sealed->key, blobs, dice, options);
    SP_CHECK(package.ok());
    sealed->package = package->id;
  }
  return made;
}

}  // namespace

const Goods& goods() {
  static const Goods made = make_goods();
  return made;
}

Status MemoryStore::put(const store::BlobId& id, ByteView bytes) {
  blobs_[id] = to_bytes(bytes);
  return {};
}

Result<Bytes> MemoryStore::get(const store::BlobId& id, std::size_t /*size_max*/) {
  const auto found = blobs_.find(id);
  if (found == blobs_.end()) return Error{Errc::not_found, "no blob"};
  return found->second;
}

Result<std::uint64_t> MemoryStore::size(const store::BlobId& id) {
  SP_ASSIGN(const Bytes bytes, get(id, 0));
  return std::uint64_t{bytes.size()};
}

}  // namespace sp::sim
