// A blob store in a bucket of an S3 server: blob HEX is the object PREFIX HEX, 64 lower-case
// digits, its body the bytes (docs/FORMATS.md 4.5).
//
// A blob's name is the SHA-256 that x-amz-content-sha256 has to name anyway, so the server checks
// an upload in one piece against the blob's own name. What it gives is believed by digest only;
// ETags are handles, never proof. Blobs over a part's size go up in parts and come down in ranges
// of that size, each tried again by itself; an upload that was cut off goes on with the parts that
// the server still holds, as far as their ETags are the MD5 of the very bytes.
#pragma once

#include <memory>

#include "store/blob.hpp"
#include "store/remote/s3_client.hpp"

namespace sp::store {

inline constexpr std::size_t kS3PartSizeMin = 5 << 20;  ///< S3's own, but for the last part
inline constexpr std::size_t kS3PartSizeDefault = 8 << 20;
inline constexpr unsigned kS3ThreadsDefault = 4, kS3ThreadsMax = 32;

/// Safe to call from any thread. Two that put the same blob at once write the same bytes.
class S3Store final : public RangedStore {
 public:
  /// `part_size` in bytes, from kS3PartSizeMin to kBlobSizeMax; `threads` parts of a blob, 1 to
  /// kS3ThreadsMax, are moved at once. What is passed must outlive the store. Errc::usage for
  /// settings that can't be.
  static Result<std::unique_ptr<S3Store>> make(net::HttpClient& http, const Clock& clock,
                                               Random& random, S3Settings settings,
                                               std::size_t part_size = kS3PartSizeDefault,
                                               unsigned threads = kS3ThreadsDefault);

  /// Sends nothing where the bucket has an object of that name and size. Besides BlobStore's
  /// errors: Errc::unauthorised, Errc::usage (the bucket isn't there).
  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  /// In pieces of a part's size, each handed on when it is whole.
  Status stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                           ByteSink& sink) override;
  /// Errc::not_found by the status of an answer that has no words, so that a proxy may have said
  /// it: good enough to put the blob, or to tell who asks; never to give anything up.
  Result<std::uint64_t> size(const BlobId& id) override;
  Status remove(const BlobId& id) override;
  Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset,
                                     std::size_t size) override;
  /// Whether the bucket is there and takes the credentials; asked without a second try, for
  /// whoever wants to know now. Errc::usage (it isn't there), Errc::unauthorised,
  /// Errc::unavailable.
  Status check_bucket();
  /// Errc::unsupported: a bucket may hold others' objects.
  [[nodiscard]] Result<std::uint64_t> total_size() const override;

 private:
  S3Store(std::unique_ptr<S3Client> client, std::size_t part_size, unsigned threads)
      : client_(std::move(client)), part_size_(part_size), threads_(threads) {}
  Status put_whole(const BlobId& id, ByteView bytes);
  Status put_parts(const BlobId& id, ByteView bytes);

  struct Piece {
    Bytes bytes;
    std::uint64_t whole = 0;  // the object's size
  };
  Result<Piece> read_piece(const BlobId& id, std::uint64_t offset, std::size_t size);
  Status check_end(const BlobId& id, std::uint64_t offset);

  std::unique_ptr<S3Client> client_;
  std::size_t part_size_;
  unsigned threads_;
};

}  // namespace sp::store
