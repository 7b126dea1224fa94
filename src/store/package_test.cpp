#include "store/package.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "store/package_keys.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using testing::CountingRandom;
using testing::MemoryStore;
using testing::pattern;

Secret32 key_of(std::uint8_t byte) {
  Secret32 key;
  std::fill(key.writable().begin(), key.writable().end(), byte);
  return key;
}

class PackageTest : public ::testing::Test {
 protected:
  SealedPackage seal(ByteView content, const SealOptions& options = {}) {
    MemorySource source(content);
    auto sealed = seal_package(source, key_, store_, random_, options);
    SP_CHECK(sealed.ok());
    return *sealed;
  }

  Result<Bytes> open(const PackageId& id, unsigned threads = 2) { return open(id, key_, threads); }

  Result<Bytes> open(const PackageId& id, const Secret32& key, unsigned threads = 2) {
    SP_ASSIGN(const Package package, Package::fetch(store_, id));
    MemorySink sink(std::size_t{1} << 30);
    SP_TRY(package.open(key, sink, threads));
    return std::move(sink.bytes());
  }

  Errc open_error(const PackageId& id) {
    const auto opened = open(id);
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? Errc::usage : opened.error().code;
  }

  Manifest manifest_of(const PackageId& id) { return *Manifest::decode(store_.at(id)); }

  /// A package by a sealer who may do anything: small chunks, each sealed as the caller says.
  PackageId put_manifest(const Manifest& manifest) { return store_.add(manifest.encode()); }

  MemoryStore store_;
  CountingRandom random_;
  Secret32 key_ = key_of(7);
};

TEST_F(PackageTest, OpensWhatItSealed) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunkSize - 1, kChunkSize,
                                 kChunkSize + 1, 2 * kChunkSize, 5 * kChunkSize + 12'345}) {
    for (const unsigned threads : {0U, 1U, 2U, 7U}) {
      const Bytes content = pattern(size, static_cast<unsigned>(size));
      SealOptions options;
      options.threads = threads;
      const SealedPackage sealed = seal(content, options);
      EXPECT_EQ(sealed.plaintext_size, size);
      EXPECT_EQ(*open(sealed.id, threads), content);
      const Manifest manifest = manifest_of(sealed.id);
      const std::size_t chunks = std::max<std::size_t>(1, (size + kChunkSize - 1) / kChunkSize);
      EXPECT_EQ(manifest.chunks.size(), chunks);
      EXPECT_EQ(manifest.stream_size, size);
      EXPECT_EQ(sealed.sealed_size, size + 16 * chunks + manifest.encode().size());
    }
  }
}

TEST_F(PackageTest, OpensWhatItCompressed) {
  SealOptions options;
  options.compression = Compression::zstd;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{300'000}, 4 * kChunkSize}) {
    const Bytes content = pattern(size, 3);
    const SealedPackage sealed = seal(content, options);
    EXPECT_EQ(sealed.plaintext_size, size);
    EXPECT_EQ(*open(sealed.id), content);
  }
  const SealedPackage zeros = seal(Bytes(20 << 20), options);
  EXPECT_LT(zeros.sealed_size, 10'000U);
  EXPECT_EQ(*open(zeros.id), Bytes(20 << 20));
}

TEST_F(PackageTest, StreamGivesTheSame) {
  const Bytes content = pattern(3 * kChunkSize + 5);
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    SealOptions options;
    options.compression = compression;
    const Package package = *Package::fetch(store_, seal(content, options).id);
    EXPECT_EQ(*testing::read_all(*package.open_stream(key_, 3)), content);
    // One that is left early ends its threads.
    const auto left = package.open_stream(key_, 3);
    Bytes some(10);
    EXPECT_TRUE(left->read(some).ok());
  }
}

TEST_F(PackageTest, ManifestIsPutLast) {
  const SealedPackage sealed = seal(pattern(6 * kChunkSize));
  EXPECT_EQ(store_.order().back(), sealed.id);
  EXPECT_EQ(store_.order().size(), 7U);
}

TEST_F(PackageTest, SameContentAndKeyDiffer) {
  const Bytes content = pattern(2 * kChunkSize);
  const Manifest a = manifest_of(seal(content).id);
  const Manifest b = manifest_of(seal(content).id);
  EXPECT_NE(a.salt, b.salt);
  for (const BlobId& chunk : a.chunks) {
    EXPECT_EQ(std::count(b.chunks.begin(), b.chunks.end(), chunk), 0);
  }
  // Equal chunks of one package differ too.
  const Manifest zeros = manifest_of(seal(Bytes(2 * kChunkSize)).id);
  EXPECT_NE(zeros.chunks[0], zeros.chunks[1]);
}

TEST_F(PackageTest, WrongKey) {
  const SealedPackage sealed = seal(pattern(1000));
  EXPECT_EQ(open(sealed.id, key_of(8)).error().code, Errc::bad_signature);
}

TEST_F(PackageTest, MissingBlobs) {
  const SealedPackage sealed = seal(pattern(3 * kChunkSize));
  store_.erase(manifest_of(sealed.id).chunks[1]);
  EXPECT_EQ(open_error(sealed.id), Errc::not_found);
  store_.erase(sealed.id);
  EXPECT_EQ(open_error(sealed.id), Errc::not_found);
}

TEST_F(PackageTest, StoreThatLies) {
  const SealedPackage sealed = seal(pattern(2 * kChunkSize + 100));
  const Manifest manifest = manifest_of(sealed.id);
  const std::vector<std::function<void(Bytes&)>> lies = {
      [](Bytes& bytes) { bytes[0] ^= 1; },
      [](Bytes& bytes) { bytes[bytes.size() / 2] ^= 0x80; },
      [](Bytes& bytes) { bytes.back() ^= 1; },
      [](Bytes& bytes) { bytes.pop_back(); },
      [](Bytes& bytes) { bytes.push_back(0); },
      [](Bytes& bytes) { bytes.clear(); },
      [](Bytes& bytes) { bytes.resize(kBlobSizeMax + 1); },
  };
  std::vector<BlobId> targets = manifest.chunks;
  targets.push_back(sealed.id);
  for (const auto& lie : lies) {
    for (const BlobId& target : targets) {
      store_.on_get = [&](const BlobId& id, Bytes& bytes) -> Status {
        if (id == target) lie(bytes);
        return {};
      };
      EXPECT_EQ(open_error(sealed.id), Errc::mismatch);
    }
  }
  // Another, valid blob in the place of one.
  store_.on_get = [&](const BlobId& id, Bytes& bytes) -> Status {
    if (id == manifest.chunks[0]) bytes = store_.at(manifest.chunks[1]);
    return {};
  };
  EXPECT_EQ(open_error(sealed.id), Errc::mismatch);
}

TEST_F(PackageTest, StoreThatFails) {
  const SealedPackage sealed = seal(pattern(20 * kChunkSize));
  std::atomic<int> gets = 0;
  store_.on_get = [&](const BlobId&, Bytes&) -> Status {
    if (++gets > 5) return Error{Errc::unavailable, "gone"};
    return {};
  };
  EXPECT_EQ(open_error(sealed.id), Errc::unavailable);
  std::atomic<int> puts = 0;
  store_.on_put = [&](const BlobId&) -> Status {
    if (++puts > 5) return Error{Errc::unavailable, "gone"};
    return {};
  };
  const Bytes content = pattern(40 * kChunkSize, 9);
  MemorySource source(content);
  EXPECT_EQ(seal_package(source, key_, store_, random_, {}).error().code, Errc::unavailable);
  EXPECT_LE(puts, 5 + static_cast<int>(kChunksInFlight));  // what was under way, and no more
}

TEST_F(PackageTest, SourceAndSinkThatFail) {
  class Broken final : public ByteSource {
   public:
    Result<std::size_t> read(MutableByteView out) override {
      if (++calls_ > 3) return Error{Errc::conflict, "changed"};
      return out.size();
    }
    int calls_ = 0;
  };
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    Broken source;
    SealOptions options;
    options.compression = compression;
    EXPECT_EQ(seal_package(source, key_, store_, random_, options).error().code, Errc::conflict);
  }
  const SealedPackage sealed = seal(pattern(4 * kChunkSize));
  MemorySink small(kChunkSize + 1);
  EXPECT_EQ(Package::fetch(store_, sealed.id)->open(key_, small).error().code, Errc::too_large);
}

TEST_F(PackageTest, Cancelled) {
  const Bytes content = pattern(10 * kChunkSize);
  SealOptions options;
  std::vector<std::uint64_t> seen;
  options.progress = [&](std::uint64_t done) {
    seen.push_back(done);
    return seen.size() < 3;
  };
  MemorySource source(content);
  EXPECT_EQ(seal_package(source, key_, store_, random_, options).error().code, Errc::cancelled);
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));

  const Package package = *Package::fetch(store_, seal(content).id);
  MemorySink sink(content.size());
  std::uint64_t last = 0;
  const Status opened = package.open(key_, sink, 2, [&](std::uint64_t done) {
    last = done;
    return done < 4 * kChunkSize;
  });
  EXPECT_EQ(opened.error().code, Errc::cancelled);
  EXPECT_EQ(last, 4 * kChunkSize);
  EXPECT_EQ(sink.bytes().size(), 4 * kChunkSize);
}

TEST_F(PackageTest, ProgressEndsAtTheWhole) {
  const Bytes content = pattern(3 * kChunkSize + 1);
  for (const Compression compression : {Compression::none, Compression::zstd}) {
    std::uint64_t last = 0;
    const Progress progress = [&](std::uint64_t done) {
      EXPECT_GE(done, last);
      last = done;
      return true;
    };
    SealOptions options;
    options.compression = compression;
    options.progress = progress;
    const SealedPackage sealed = seal(content, options);
    EXPECT_EQ(last, content.size());
    last = 0;
    MemorySink sink(content.size());
    ASSERT_TRUE(Package::fetch(store_, sealed.id)->open(key_, sink, 2, progress).ok());
    EXPECT_EQ(last, content.size());
  }
}

TEST_F(PackageTest, RangesEqualSlices) {
  const Bytes content = pattern(3 * kChunkSize + 777);
  const Package package = *Package::fetch(store_, seal(content).id);
  const std::vector<std::size_t> borders = {0,
                                            1,
                                            kChunkSize - 1,
                                            kChunkSize,
                                            kChunkSize + 1,
                                            2 * kChunkSize,
                                            3 * kChunkSize,
                                            3 * kChunkSize + 776,
                                            content.size()};
  for (const std::size_t from : borders) {
    for (const std::size_t to : borders) {
      if (to < from) continue;
      const auto at = [&](std::size_t i) { return content.begin() + static_cast<long>(i); };
      EXPECT_EQ(*package.open_range(key_, from, to - from), Bytes(at(from), at(to)));
    }
  }
  EXPECT_EQ(package.open_range(key_, content.size(), 1).error().code, Errc::malformed);
  EXPECT_EQ(package.open_range(key_, UINT64_MAX, 2).error().code, Errc::malformed);
  EXPECT_EQ(package.open_range(key_, 0, kRangeSizeMax + 1).error().code, Errc::too_large);
  EXPECT_EQ(package.open_range(key_of(1), 5, 5).error().code, Errc::bad_signature);
  SealOptions compressed;
  compressed.compression = Compression::zstd;
  EXPECT_EQ(
      Package::fetch(store_, seal(content, compressed).id)->open_range(key_, 0, 1).error().code,
      Errc::unsupported);
}

TEST_F(PackageTest, RangeFetchesOnlyItsChunks) {
  const Package package = *Package::fetch(store_, seal(pattern(8 * kChunkSize)).id);
  std::atomic<int> gets = 0;
  store_.on_get = [&](const BlobId&, Bytes&) -> Status {
    ++gets;
    return {};
  };
  ASSERT_TRUE(package.open_range(key_, 3 * kChunkSize - 1, 2).ok());
  EXPECT_EQ(gets, 2);
}

TEST_F(PackageTest, WrappedKeys) {
  const auto alice = crypto::X25519KeyPair::generate(random_);
  const auto bob = crypto::X25519KeyPair::from_secret(key_of(3));
  const auto eve = crypto::X25519KeyPair::from_secret(key_of(4));
  SealOptions options;
  options.recipients = {alice.public_key, bob.public_key};
  options.context = to_bytes(as_bytes("order 1"));
  const Package package = *Package::fetch(store_, seal(pattern(10), options).id);
  for (const auto* reader : {&alice, &bob}) {
    const auto key = package.unwrap(*reader, options.context);
    ASSERT_TRUE(key.ok());
    EXPECT_TRUE(std::ranges::equal(key->reveal(), key_.reveal()));
  }
  EXPECT_EQ(package.unwrap(eve, options.context).error().code, Errc::not_found);
  EXPECT_EQ(package.unwrap(bob, as_bytes("order 2")).error().code, Errc::bad_signature);
  EXPECT_EQ(package.unwrap(bob, {}).error().code, Errc::bad_signature);

  Manifest forged = package.manifest();
  forged.recipients[1].sealed[40] ^= 1;
  EXPECT_EQ(Package::fetch(store_, put_manifest(forged))->unwrap(bob, options.context).error().code,
            Errc::bad_signature);
  forged = package.manifest();
  forged.salt[0] ^= 1;  // the header is authenticated
  EXPECT_EQ(Package::fetch(store_, put_manifest(forged))->unwrap(bob, options.context).error().code,
            Errc::bad_signature);
}

TEST_F(PackageTest, RecipientsThatCannotBe) {
  SealOptions options;
  options.recipients.resize(kRecipientsMax + 1);
  MemorySource source({});
  EXPECT_EQ(seal_package(source, key_, store_, random_, options).error().code, Errc::too_large);
  options.recipients.resize(1);  // all zeros: a low-order point
  EXPECT_EQ(seal_package(source, key_, store_, random_, options).error().code, Errc::refused);
}

TEST_F(PackageTest, ManifestsThatAreForged) {
  const SealedPackage sealed = seal(pattern(4 * kChunkSize + 9));
  const Manifest good = manifest_of(sealed.id);
  const auto opens = [&](const Manifest& manifest) { return open_error(put_manifest(manifest)); };

  Manifest swapped = good;
  std::swap(swapped.chunks[0], swapped.chunks[2]);
  EXPECT_EQ(opens(swapped), Errc::bad_signature);
  Manifest doubled = good;
  doubled.chunks[1] = doubled.chunks[0];
  EXPECT_EQ(opens(doubled), Errc::bad_signature);
  Manifest cut = good;
  cut.chunks.pop_back();
  cut.stream_size = 4 * kChunkSize;
  EXPECT_EQ(opens(cut), Errc::bad_signature);
  Manifest headless = good;
  headless.chunks.erase(headless.chunks.begin());
  headless.stream_size -= kChunkSize;
  EXPECT_EQ(opens(headless), Errc::bad_signature);
  Manifest joined = good;
  joined.chunks.insert(joined.chunks.end(), good.chunks.begin(), good.chunks.end());
  joined.stream_size = 9 * kChunkSize + 9;
  EXPECT_EQ(opens(joined), Errc::bad_signature);
  Manifest shorter = good;
  shorter.stream_size -= 1;
  EXPECT_EQ(opens(shorter), Errc::bad_signature);
  Manifest longer = good;
  longer.stream_size += 1;
  EXPECT_EQ(opens(longer), Errc::bad_signature);
  Manifest compressed = good;
  compressed.compression = Compression::zstd;
  EXPECT_EQ(opens(compressed), Errc::bad_signature);
  Manifest salted = good;
  salted.salt[31] ^= 1;
  EXPECT_EQ(opens(salted), Errc::bad_signature);
  Manifest small = good;
  small.chunk_size = kChunkSize / 2;
  small.stream_size = 4 * (kChunkSize / 2) + 9;
  EXPECT_EQ(opens(small), Errc::bad_signature);  // the blobs are larger than it says
}

TEST_F(PackageTest, OtherChunkSizes) {
  const Bytes content = pattern(10'000);
  for (const std::uint32_t chunk_size : {kChunkSizeMin, kChunkSizeMin * 2, kChunkSizeMax}) {
    Manifest manifest;
    manifest.chunk_size = chunk_size;
    manifest.stream_size = content.size();
    const PackageKeys keys(key_, manifest);
    const std::size_t chunks = (content.size() + chunk_size - 1) / chunk_size;
    manifest.chunks.resize(chunks);
    for (std::size_t i = 0; i < chunks; ++i) {
      const ByteView part = ByteView(content).subspan(i * chunk_size);
      const ByteView plain = part.first(manifest.plaintext_size(i));
      Bytes sealed(plain.size() + crypto::kGcmTagSize);
      keys.seal(static_cast<std::uint32_t>(i), i + 1 == chunks, plain, sealed);
      manifest.chunks[i] = store_.add(sealed);
    }
    EXPECT_EQ(*open(put_manifest(manifest)), content);
  }
}

/// Whatever the compressed bytes are, opening ends with an error of the sealer's.
TEST_F(PackageTest, BrokenCompression) {
  SealOptions options;
  options.compression = Compression::zstd;
  const Bytes content = pattern(1000);
  const Package good = *Package::fetch(store_, seal(content, options).id);
  Manifest plain = good.manifest();
  plain.compression = Compression::none;
  // The frame itself, by a sealer who says afterwards that a stream is compressed.
  const PackageKeys compressed_keys(key_, good.manifest());
  Bytes frame(good.manifest().stream_size);
  ASSERT_TRUE(compressed_keys.open(0, true, store_.at(good.manifest().chunks[0]), frame).ok());
  const auto opens = [&](const Bytes& stream) {
    Manifest manifest = good.manifest();
    manifest.stream_size = stream.size();
    Bytes sealed(stream.size() + crypto::kGcmTagSize);
    compressed_keys.seal(0, true, stream, sealed);
    manifest.chunks = {store_.add(sealed)};
    return open(put_manifest(manifest));
  };
  EXPECT_EQ(*opens(frame), content);
  for (std::size_t cut = 0; cut < frame.size(); cut += 37) {
    EXPECT_EQ(opens(Bytes(frame.begin(), frame.begin() + static_cast<long>(cut))).error().code,
              Errc::malformed);
  }
  Bytes longer = frame;
  longer.push_back(0);
  EXPECT_EQ(opens(longer).error().code, Errc::malformed);
  Bytes twice = frame;
  append(twice, frame);
  EXPECT_EQ(opens(twice).error().code, Errc::malformed);
  EXPECT_EQ(opens(pattern(500, 77)).error().code, Errc::malformed);
  // Magic number, frame header with a window of 2^24 bytes (RFC 8878 section 3.1.1.1.2).
  EXPECT_EQ(opens({0x28, 0xb5, 0x2f, 0xfd, 0x00, (24 - 10) << 3, 1, 0, 0}).error().code,
            Errc::malformed);
  EXPECT_EQ(*opens({0x28, 0xb5, 0x2f, 0xfd, 0x00, (23 - 10) << 3, 1, 0, 0}), Bytes{});
}

std::size_t peak_resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t value = 0;
    if (word == "VmHWM:" && status >> value) return value;
  }
  return 0;
}

TEST(PackageMemory, IsBoundedWhateverTheSize) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's memory is not ours";
#endif
  class Zeros final : public ByteSource {
   public:
    Result<std::size_t> read(MutableByteView out) override {
      const std::size_t size = std::min<std::size_t>(out.size(), left_);
      std::fill_n(out.begin(), size, std::uint8_t{0});
      left_ -= size;
      return size;
    }
    std::size_t left_ = 256 << 20;
  };
  class Null final : public BlobStore {
   public:
    Status put(const BlobId&, ByteView bytes) override {
      bytes_ += bytes.size();
      return {};
    }
    Result<Bytes> get(const BlobId&, std::size_t) override { return Error{Errc::not_found, ""}; }
    Result<std::uint64_t> size(const BlobId&) override { return Error{Errc::not_found, ""}; }
    std::atomic<std::size_t> bytes_ = 0;
  };
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak counts from here
  const std::size_t before = peak_resident_kib();
  if (before == 0) GTEST_SKIP() << "no VmHWM here";
  Zeros source;
  Null store;
  CountingRandom random;
  ASSERT_TRUE(seal_package(source, key_of(1), store, random, {}).ok());
  EXPECT_GT(store.bytes_, std::size_t{256} << 20);
  EXPECT_LT(peak_resident_kib() - before, 64U << 10);
}

}  // namespace
}  // namespace sp::store
