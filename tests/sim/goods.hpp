// What is ordered: a sealed image and sealed data, the same for every run, since only their making
// takes time.
#pragma once

#include <map>

#include "sim/dice.hpp"
#include "store/package.hpp"

namespace sp::sim {

struct Goods {
  struct Sealed {
    store::PackageId package;
    Secret32 key;
  };
  Sealed image, data;
  std::map<store::BlobId, Bytes> blobs;
};

/// Made once a program.
const Goods& goods();

/// A store in memory.
class MemoryStore final : public store::BlobStore {
 public:
  explicit MemoryStore(std::map<store::BlobId, Bytes>& blobs) : blobs_(blobs) {}
  Status put(const store::BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const store::BlobId& id, std::size_t size_max) override;
  Result<std::uint64_t> size(const store::BlobId& id) override;

 private:
  std::map<store::BlobId, Bytes>& blobs_;
};

}  // namespace sp::sim
