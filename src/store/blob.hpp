// Blobs: immutable bytes named by their SHA-256. A store is believed only by digest: whoever reads
// checks.
//
// Implementations of BlobStore are safe to call from any thread.
#pragma once

#include <deque>

#include "base/bytes.hpp"
#include "base/files.hpp"
#include "base/sync.hpp"
#include "store/stream.hpp"

namespace sp::store {

using BlobId = FixedBytes<struct BlobIdTag, 32>;  ///< SHA-256 of the bytes

inline constexpr std::size_t kBlobSizeMax =
    40 << 20;  ///< the largest manifest; chunks are far smaller

inline constexpr std::size_t kPutLatelyBytesMax = 256 << 20;  ///< new blobs in the system's memory
inline constexpr std::size_t kPutLatelyMax = 4096;            ///< of these, in number

BlobId blob_id(ByteView bytes);

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Keeps the bytes; idempotent. Errc::mismatch where `id` isn't their digest, Errc::too_large,
  /// Errc::io, Errc::unavailable.
  virtual Status put(const BlobId& id, ByteView bytes) = 0;
  /// As put(), for a caller that has checked the digest: an implementation may leave the check out.
  virtual Status put_checked(const BlobId& id, ByteView bytes) { return put(id, bytes); }
  /// The whole blob, its digest checked. Errc::not_found, Errc::mismatch, Errc::too_large (over
  /// `size_max`), Errc::unavailable.
  virtual Result<Bytes> get(const BlobId& id, std::size_t size_max) = 0;
  /// As get(), for a caller that checks the digest itself: an implementation may leave the check
  /// out.
  virtual Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) {
    return get(id, size_max);
  }
  /// Hands the blob's bytes from `offset` to the end to `sink`, as they come; whoever reads checks
  /// the digest, and may go on where an error left off. Errors of get_unverified() and of the sink;
  /// Errc::mismatch where the blob ends before `offset`.
  virtual Status stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                                   ByteSink& sink);
  /// The size in bytes. Errc::not_found, Errc::unavailable.
  virtual Result<std::uint64_t> size(const BlobId& id) = 0;
  /// Deletes a blob, or what the caller has of it where others own it as well; no error where there
  /// is none. Errc::unsupported where blobs stay, Errc::unauthorised, Errc::refused, Errc::io,
  /// Errc::unavailable.
  virtual Status remove(const BlobId& id);
};

/// A store of which parts of a blob can be read.
class RangedStore : public BlobStore {
 public:
  /// `size` bytes from `offset`; the digest can't be checked. Errc::malformed beyond the end.
  virtual Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset,
                                             std::size_t size) = 0;
  /// Bytes of all blobs together; slow where there are many. Errc::io; Errc::unsupported where it
  /// can't be told.
  [[nodiscard]] virtual Result<std::uint64_t> total_size() const = 0;
};

/// Blobs as files under one folder: FOLDER/ab/abcdef....; written atomically, so a name is always a
/// whole blob. Of the newest the system's memory holds kPutLatelyBytesMax, since what was brought
/// is often fetched soon; of others what is read.
class DirectoryStore final : public RangedStore {
 public:
  DirectoryStore(Files& files, Path folder) : files_(files), folder_(std::move(folder)) {}

  Status put(const BlobId& id, ByteView bytes) override;
  Status put_checked(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  Result<std::uint64_t> size(const BlobId& id) override;
  Status remove(const BlobId& id) override;
  Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset,
                                     std::size_t size) override;
  [[nodiscard]] Result<std::uint64_t> total_size() const override;
  /// Where a blob lies, or would.
  [[nodiscard]] Path path_of(const BlobId& id) const;

 private:
  void note_put(const Path& path, std::size_t size);

  Files& files_;
  Path folder_;
  Mutex mutex_;                                          // guards all below
  std::deque<std::pair<Path, std::size_t>> put_lately_;  // oldest first
  std::size_t bytes_put_lately_ = 0;
};

}  // namespace sp::store
