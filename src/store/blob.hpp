// Blobs: immutable bytes named by their SHA-256. A store is believed only by digest: whoever reads
// checks.
//
// Implementations of BlobStore are safe to call from any thread.
#pragma once

#include "base/bytes.hpp"
#include "base/files.hpp"

namespace sp::store {

using BlobId = FixedBytes<struct BlobIdTag, 32>;  ///< SHA-256 of the bytes

inline constexpr std::size_t kBlobSizeMax =
    40 << 20;  ///< the largest manifest; chunks are far smaller

BlobId blob_id(ByteView bytes);

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Keeps the bytes; idempotent. Errc::mismatch where `id` isn't their digest, Errc::too_large,
  /// Errc::io, Errc::unavailable.
  virtual Status put(const BlobId& id, ByteView bytes) = 0;
  /// The whole blob, its digest checked. Errc::not_found, Errc::mismatch, Errc::too_large (over
  /// `size_max`), Errc::unavailable.
  virtual Result<Bytes> get(const BlobId& id, std::size_t size_max) = 0;
  /// As get(), for a caller that checks the digest itself: an implementation may leave the check
  /// out.
  virtual Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) {
    return get(id, size_max);
  }
  /// The size in bytes. Errc::not_found, Errc::unavailable.
  virtual Result<std::uint64_t> size(const BlobId& id) = 0;
};

/// Blobs as files under one folder: FOLDER/ab/abcdef....; written atomically, so a name is always a
/// whole blob.
class DirectoryStore final : public BlobStore {
 public:
  DirectoryStore(Files& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  Result<std::uint64_t> size(const BlobId& id) override;
  /// `size` bytes from `offset`; the digest can't be checked. Errc::malformed beyond the end.
  Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset, std::size_t size);
  /// Bytes of all blobs together, counted from the folder: slow where there are many. Errc::io.
  [[nodiscard]] Result<std::uint64_t> total_size() const;

 private:
  [[nodiscard]] Path path_of(const BlobId& id) const;
  Files& files_;
  Path folder_;
};

}  // namespace sp::store
