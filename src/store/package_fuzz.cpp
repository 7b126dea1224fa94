// Sealed packages of content that is built of the input. The manifest is spoiled, or a chunk under
// the digest that the manifest then names, or a chunk's content, sealed anew: what lies behind
// digests and seals is reached. What opens is what somebody with the key sealed.
#include "base/testing/fuzz_input.hpp"
#include "crypto/hash.hpp"
#include "store/package.hpp"
#include "store/package_keys.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using sp::testing::FuzzInput;
using testing::MemoryStore;

constexpr std::size_t kContentMax = 3 * kChunkSizeMin;

Bytes any_content(FuzzInput& input) {
  Bytes content(input.below(kContentMax + 1), input.byte());
  const ByteView words = input.bytes(200);
  std::copy_n(words.begin(), std::min(words.size(), content.size()), content.begin());
  return content;
}

Result<Bytes> open(MemoryStore& store, const PackageId& id, const Secret32& key) {
  SP_ASSIGN(const Package package, Package::fetch(store, id));
  MemorySink sink(kContentMax + 1);
  SP_TRY(package.open(key, sink, 1));
  return std::move(sink.bytes());
}

// The one chunk's content spoiled and sealed with the key, as large as the manifest says now.
BlobId reseal(FuzzInput& input, const Secret32& key, MemoryStore& store, Manifest& manifest) {
  const PackageKeys keys(key, manifest);
  const Bytes sealed = store.at(manifest.chunks[0]);
  Bytes plaintext(sealed.size() - crypto::kGcmTagSize);
  SP_CHECK(keys.open(0, true, sealed, plaintext).ok());
  plaintext = input.spoiled(std::move(plaintext));
  Bytes again(plaintext.size() + crypto::kGcmTagSize);
  keys.seal(0, true, plaintext, again);
  manifest.stream_size = plaintext.size();
  return store.add(again);
}

// Another manifest, blobs that nobody with the key sealed, or a content that one did.
enum class By : std::uint8_t { stranger, sealer };

By spoil(FuzzInput& input, const Secret32& key, MemoryStore& store, PackageId& id) {
  Bytes manifest = store.at(id);
  By by = By::stranger;
  if (input.flag()) {
    manifest = input.spoiled(std::move(manifest));
  } else {
    Manifest read = Manifest::decode(manifest).value();
    BlobId& chunk = read.chunks[input.below(read.chunks.size())];
    if (input.flag()) {
      chunk = store.add(input.spoiled(store.at(chunk)));
    } else {
      by = By::sealer;
      chunk = reseal(input, key, store, read);
    }
    manifest = read.encode();
  }
  id = store.add(manifest);
  return by;
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::store;
  FuzzInput input({data, size});
  const sp::Secret32 key;
  MemoryStore store;
  testing::CountingRandom random(input.byte());
  SealOptions options;
  options.compression = static_cast<Compression>(input.below(2));
  options.threads = 1;
  const sp::Bytes content = any_content(input);
  MemorySource source{sp::ByteView(content)};
  const auto package = seal_package(source, key, store, random, options);
  SP_CHECK(package.ok() && open(store, package->id, key).value() == content);
  PackageId id = package->id;
  const By by = spoil(input, key, store, id);
  const auto opened = open(store, id, key);
  SP_CHECK(!opened || by == By::sealer || *opened == content);
  return 0;
}
