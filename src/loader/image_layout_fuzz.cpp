// A whole image layout whose digests are right: config, manifest and index of the input's choices,
// and layers of tar entries, some compressed, that are spoiled. Nothing is written outside of the
// root, and what is accepted holds to the limits.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/fuzz_input.hpp"
#include "base/testing/temporary_folder.hpp"
#include "crypto/hash.hpp"
#include "loader/oci_image.hpp"
#include "loader/rootfs.hpp"
#include "store/testing/compressed.hpp"

namespace sp::loader {
namespace {

namespace fs = std::filesystem;
using sp::testing::FuzzInput;

constexpr RootfsLimits kLimits{64 << 10, 32};
constexpr std::size_t kTarBlock = 512;

/// Folders of this process: image/ and root/ below, and nothing else.
const Path& scratch() {
  static const sp::testing::TemporaryFolder kept(sp::testing::memory_path());
  return kept.path();
}

void put_text(Bytes& block, std::size_t at, std::string_view text, std::size_t size_max) {
  std::copy_n(text.begin(), std::min(text.size(), size_max), block.begin() + static_cast<long>(at));
}

std::string octal(std::size_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (std::size_t i = digits; i > 0 && value > 0; --i, value >>= 3) {
    text[i - 1] = static_cast<char>('0' + (value & 7));
  }
  return text;
}

// One entry of a tar (POSIX ustar), its checksum right.
Bytes tar_entry(const std::string& name, char type, const std::string& link, ByteView content) {
  Bytes block(kTarBlock);
  put_text(block, 0, name, 100);
  put_text(block, 100, octal(0755, 7), 7);
  put_text(block, 124, octal(content.size(), 11), 11);
  put_text(block, 156, std::string(1, type), 1);
  put_text(block, 157, link, 100);
  put_text(block, 257, std::string_view("ustar\00000", 8), 8);
  put_text(block, 148, "        ", 8);
  std::size_t sum = 0;
  for (const std::uint8_t byte : block) sum += byte;
  put_text(block, 148, octal(sum, 6) + std::string("\0 ", 2), 8);
  append(block, content);
  block.resize((block.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  return block;
}

std::string any_name(FuzzInput& input) {
  static constexpr std::array<const char*, 16> kNames{
      "a", "a/b",     "bin", "bin/sh", "../x",    "/etc/passwd", "etc/passwd",   ".wh.a",
      ".", "a/.wh.b", "etc", "link",   "link/in", "link/../x",   ".wh..wh..opq", "a//b/./c"};
  return input.byte() % 8 == 0 ? input.text(40) : input.one_of(kNames);
}

Bytes any_layer(FuzzInput& input) {
  static constexpr std::array<char, 8> kTypes{'0', '0', '5', '5', '1', '2', '2', '6'};
  Bytes tar;
  for (std::size_t i = input.below(6); i > 0; --i) {
    const char type = input.one_of(kTypes);
    const std::string link = type == '1' || type == '2' ? any_name(input) : "";
    const ByteView content = type == '0' ? input.bytes(60) : ByteView();
    append(tar, tar_entry(any_name(input), type, link, content));
  }
  tar.resize(tar.size() + 2 * kTarBlock);
  return input.spoiled(std::move(tar));
}

struct Layer {
  Bytes bytes;
  std::string media_type;
};

// As it is, or compressed and spoiled once more.
Layer stored_layer(FuzzInput& input) {
  const std::string type = "application/vnd.oci.image.layer.v1.tar";
  Bytes tar = any_layer(input);
  switch (input.byte() % 8) {
    case 1:
      return {input.spoiled(store::testing::compressed(tar, ARCHIVE_FILTER_GZIP)), type + "+gzip"};
    case 2:
      return {input.spoiled(store::testing::compressed(tar, ARCHIVE_FILTER_ZSTD)), type + "+zstd"};
    default:
      return {std::move(tar), type};
  }
}

// Writes a blob of the layout; what a document says of it.
Json add_blob(ByteView bytes, const std::string& media_type) {
  const std::string digest = crypto::sha256(bytes).hex();
  std::ofstream file(scratch() / "image/blobs/sha256" / digest, std::ios::binary);
  file.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  return {{"mediaType", media_type}, {"digest", "sha256:" + digest}, {"size", bytes.size()}};
}

Json add_document(FuzzInput& input, const Json& document, const std::string& media_type) {
  return add_blob(input.spoiled(to_bytes(as_bytes(document.dump()))), media_type);
}

void make_layout(FuzzInput& input) {
  const std::string base = "application/vnd.oci.image.";
  Json layers = Json::array();
  for (std::size_t i = 1 + input.below(3); i > 0; --i) {
    const Layer layer = stored_layer(input);
    layers.push_back(add_blob(layer.bytes, layer.media_type));
  }
  const Json inner{{"Entrypoint", {"/bin/sh"}}, {"Env", {"A=1"}}, {"WorkingDir", "/a"}};
  const Json config{{"os", "linux"}, {"architecture", "amd64"}, {"config", inner}};
  const Json manifest{{"schemaVersion", 2},
                      {"config", add_document(input, config, base + "config.v1+json")},
                      {"layers", layers}};
  const Json entry = add_document(input, manifest, base + "manifest.v1+json");
  const Json index{{"schemaVersion", 2}, {"manifests", Json::array({entry})}};
  std::ofstream(scratch() / "image/index.json") << index.dump();
  std::ofstream(scratch() / "image/oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
}

void check_root(const Path& root) {
  std::uintmax_t entries = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto type = entry.symlink_status().type();
    SP_CHECK(type == fs::file_type::regular || type == fs::file_type::directory ||
             type == fs::file_type::symlink);
    ++entries;
  }
  // Folders that names pass through need no entry of their own.
  SP_CHECK(entries <= kLimits.entries_max * 32);
}

void unpack(const Image& image) {
  const Path root = scratch() / "root";
  Rootfs rootfs(root, std::nullopt, kLimits);
  SP_CHECK(image.layers.size() <= kImageLayersMax);
  for (const ImageLayer& layer : image.layers) {
    if (!rootfs.apply(scratch() / "image", layer)) return;
  }
  static_cast<void>(rootfs.make_working_dir(image.config.working_dir).ok());
  static_cast<void>(rootfs.make_mount_point("a/b").ok());
  const auto passwd = rootfs.text_of("etc/passwd");
  if (passwd) static_cast<void>(resolve_user(image.config.user, *passwd, "").ok());
  static_cast<void>(rootfs.has_program("/bin/sh", image.config.working_dir, "/bin"));
}

}  // namespace
}  // namespace sp::loader

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::loader;
  sp::testing::FuzzInput input({data, size});
  fs::create_directories(scratch() / "image/blobs/sha256");
  fs::create_directory(scratch() / "root");
  make_layout(input);
  const auto image = read_image(scratch() / "image");
  SP_CHECK(image.ok() || size > 0);
  if (image) unpack(*image);
  check_root(scratch() / "root");
  SP_CHECK(std::distance(fs::directory_iterator(scratch()), {}) == 2);
  fs::remove_all(scratch() / "image");
  fs::remove_all(scratch() / "root");
  return 0;
}
