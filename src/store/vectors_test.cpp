// The vectors of FORMATS.md section 4 (testdata/package_vectors.json), made again and compared.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "crypto/hash.hpp"
#include "store/receipt.hpp"
#include "store/testing/test_support.hpp"
#include "store/tree.hpp"

namespace sp::store {
namespace {

using testing::CountingRandom;
using testing::MemoryStore;
using testing::TemporaryFolder;

constexpr char kVectorsFile[] = SP_TEST_SOURCE_DIR "/src/store/testdata/package_vectors.json";
constexpr std::size_t kVectorsSizeMax = 1 << 20;
constexpr std::size_t kChunkShownMax = 256;

Secret32 secret_of(std::uint8_t byte) {
  Secret32 secret;
  std::fill(secret.writable().begin(), secret.writable().end(), byte);
  return secret;
}

/// Byte i is i mod 251.
Bytes ramp(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  return bytes;
}

Json package_vector(const std::string& name, const Bytes& content, bool wrapped) {
  MemoryStore store;
  CountingRandom random;
  const auto recipient = crypto::X25519KeyPair::from_secret(secret_of(0x22));
  SealOptions options;
  Json vector{{"name", name}, {"content_key", to_hex(secret_of(0x11).reveal())}};
  if (wrapped) {
    options.recipients = {recipient.public_key};
    options.context = to_bytes(as_bytes("order 7"));
    vector["recipient_secret"] = to_hex(recipient.secret.reveal());
    vector["context"] = to_hex(options.context);
  }
  if (content.size() <= kChunkShownMax) vector["content"] = to_hex(content);
  vector["content_size"] = content.size();
  MemorySource source(content);
  const SealedPackage sealed = *seal_package(source, secret_of(0x11), store, random, options);
  vector["id"] = sealed.id.hex();
  vector["manifest"] = to_hex(store.at(sealed.id));
  vector["chunks"] = Json::array();
  const Manifest manifest = *Manifest::decode(store.at(sealed.id));
  for (const BlobId& id : manifest.chunks) {
    Json chunk{{"digest", id.hex()}};
    if (store.at(id).size() <= kChunkShownMax) chunk["bytes"] = to_hex(store.at(id));
    vector["chunks"].push_back(chunk);
  }
  return vector;
}

/// run (executable), data/ with an empty file, and a path that needs a pax header.
Json tree_vector() {
  const TemporaryFolder folder;
  const std::string long_name(120, 'n');
  std::filesystem::create_directory(folder / "data");
  std::ofstream(folder / "run") << "#!/bin/sh\n";
  std::ofstream(folder / "data/empty");
  std::ofstream(folder / ("data/" + long_name)) << "long";
  EXPECT_EQ(::chmod((folder / "run").c_str(), 0700), 0);
  const auto source = *read_tree({{"", folder.path()}}, OddEntries::refuse);
  const Bytes tar = *testing::read_all(*source);
  const ByteView run_header = ByteView(tar).subspan(tar.size() - 4 * 512, 512);
  return {{"size", tar.size()},
          {"sha256", crypto::sha256(tar).hex()},
          {"header_of_run", to_hex(run_header)}};
}

Json receipt_vector() {
  const auto key = *crypto::EthKey::from_secret(secret_of(0x33));
  StorageReceipt receipt;
  receipt.package = blob_id(as_bytes("a manifest"));
  receipt.size = 1'234'567;
  receipt.until = 1'800'000'000;
  receipt.signature = key.sign(receipt.digest());
  return {{"key", to_hex(secret_of(0x33).reveal())},
          {"address", key.address().hex0x()},
          {"package", receipt.package.hex()},
          {"size", receipt.size},
          {"until", receipt.until},
          {"eip712_digest", receipt.digest().hex()},
          {"encoded", to_hex(receipt.encode())}};
}

Json kept_vectors() {
  PosixFiles files;
  const auto text = files.read(kVectorsFile, kVectorsSizeMax);
  SP_CHECK(text.ok());
  return *parse_json(as_text(*text), kVectorsSizeMax);
}

TEST(Vectors, AreMadeAgain) {
  const Json made{{"packages",
                   {package_vector("empty", {}, false),
                    package_vector("wrapped", to_bytes(as_bytes("hello, sealed world")), true),
                    package_vector("two chunks", ramp(kChunkSize + 1), false)}},
                  {"compressed", kept_vectors().at("compressed")},
                  {"tree", tree_vector()},
                  {"storage_receipt", receipt_vector()}};
  if (made == kept_vectors()) return;
  const std::string path = ::testing::TempDir() + "package_vectors.json";
  std::ofstream(path) << made.dump(1) << "\n";
  FAIL() << "other vectors than kept; see " << path;
}

/// As another implementation would read them: from the file alone.
TEST(Vectors, Open) {
  const Json vectors = kept_vectors();
  std::vector<Json> packages = vectors.at("packages");
  packages.push_back(vectors.at("compressed"));
  int opened = 0;
  for (const Json& vector : packages) {
    MemoryStore store;
    const auto hex = [&](const Json& from, const char* key) {
      return *from_hex(from.at(key).get<std::string>());
    };
    const BlobId id = store.add(hex(vector, "manifest"));
    EXPECT_EQ(id.hex(), vector.at("id"));
    bool whole = true;
    for (const Json& chunk : vector.at("chunks")) {
      whole = whole && chunk.contains("bytes");
      if (chunk.contains("bytes")) {
        EXPECT_EQ(store.add(hex(chunk, "bytes")).hex(), chunk.at("digest"));
      }
    }
    if (!whole) continue;
    const Package package = *Package::fetch(store, id);
    Secret32 key = *Secret32::from(hex(vector, "content_key"));
    if (vector.contains("recipient_secret")) {
      const auto recipient =
          crypto::X25519KeyPair::from_secret(*Secret32::from(hex(vector, "recipient_secret")));
      key = *package.unwrap(recipient, hex(vector, "context"));
    }
    MemorySink sink(1 << 20);
    ASSERT_TRUE(package.open(key, sink).ok());
    EXPECT_EQ(sink.bytes().size(), vector.at("content_size"));
    if (vector.contains("content")) {
      EXPECT_EQ(to_hex(sink.bytes()), vector.at("content"));
    }
    ++opened;
  }
  EXPECT_EQ(opened, 3);
}

}  // namespace
}  // namespace sp::store
