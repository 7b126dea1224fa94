// One object sent to an S3 server in parts.
#pragma once

#include "store/remote/s3_client.hpp"

namespace sp::store {

/// How large objects are moved.
struct S3Pieces {
  std::size_t size = 0;  ///< bytes of each but the last
  unsigned threads = 1;  ///< pieces that are moved at once, at least 1
};

/// Whether an upload of the same key that somebody has begun is gone on with.
enum class S3Resume : std::uint8_t { yes, no };

/// Sends `bytes` as the object `key`, in pieces of that size but for the last. A part that the
/// server holds already is sent again unless its ETag is the MD5 of the bytes. An upload that fails
/// is aborted, as far as the server can be reached; one that was cut off is found again by the next
/// call. Errc::not_found where the upload went away while it was going on; others as s3_error()
/// says. Safe to call from any thread.
Status s3_upload(const S3Client& client, const std::string& key, ByteView bytes, S3Pieces pieces,
                 S3Resume resume);

}  // namespace sp::store
