// What tests and fuzz targets of this room share: stores in memory, repeatable randomness, folders
// that go away.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <random>

#include "base/testing/temporary_folder.hpp"
#include "base/world.hpp"
#include "store/blob.hpp"
#include "store/stream.hpp"

namespace sp::store::testing {

/// Bytes that look random and repeat with the seed.
inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  std::mt19937_64 engine(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(engine());
  return bytes;
}

/// Bytes that count up from `first`; each fill goes on where the last one ended.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint8_t first = 0) : next_(first) {}
  void fill(MutableByteView out) override {
    for (auto& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_;
};

/// Keeps blobs in memory; hooks let a test fail, alter or count calls. Hooks must be safe to call
/// from several threads.
class MemoryStore final : public BlobStore {
 public:
  std::function<Status(const BlobId&)> on_put;
  std::function<Status(const BlobId&, Bytes&)> on_get;  // may alter what is given

  Status put(const BlobId& id, ByteView bytes) override {
    if (on_put) SP_TRY(on_put(id));
    if (blob_id(bytes) != id) return Error{Errc::mismatch, "not the digest"};
    const std::lock_guard lock(mutex_);
    blobs_[id] = to_bytes(bytes);
    order_.push_back(id);
    return {};
  }
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override {
    Bytes bytes;
    {
      const std::lock_guard lock(mutex_);
      const auto found = blobs_.find(id);
      if (found == blobs_.end()) return Error{Errc::not_found, "no blob " + id.hex()};
      bytes = found->second;
    }
    if (on_get) SP_TRY(on_get(id, bytes));
    if (bytes.size() > size_max) return Error{Errc::too_large, "too large"};
    return bytes;
  }
  Result<std::uint64_t> size(const BlobId& id) override {
    SP_ASSIGN(const Bytes bytes, get(id, kBlobSizeMax));
    return std::uint64_t{bytes.size()};
  }

  /// Keeps the bytes under their digest.
  BlobId add(ByteView bytes) {
    const BlobId id = blob_id(bytes);
    SP_CHECK(put(id, bytes).ok());
    return id;
  }
  void erase(const BlobId& id) { blobs_.erase(id); }
  Bytes& at(const BlobId& id) { return blobs_.at(id); }
  [[nodiscard]] std::size_t count() const { return blobs_.size(); }
  [[nodiscard]] const std::vector<BlobId>& order() const { return order_; }

 private:
  std::mutex mutex_;
  std::map<BlobId, Bytes> blobs_;
  std::vector<BlobId> order_;  // of puts
};

using sp::testing::TemporaryFolder;

/// Everything of a source; the error where it has one.
inline Result<Bytes> read_all(ByteSource& source) {
  MemorySink sink(std::size_t{1} << 30);
  SP_TRY([&]() -> Status {
    SP_ASSIGN([[maybe_unused]] const std::uint64_t size, copy_stream(source, sink));
    return {};
  }());
  return std::move(sink.bytes());
}

}  // namespace sp::store::testing
