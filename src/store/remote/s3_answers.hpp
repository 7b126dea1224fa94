// The bodies of an S3 server's answers that the store reads. What the store doesn't know is passed
// over. Hostile input; pure functions, safe to call from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace sp::store {

inline constexpr std::size_t kS3ErrorCodeMax = 64;   ///< letters and digits of an error's code
inline constexpr std::size_t kS3UploadIdMax = 1024;  ///< visible ASCII
inline constexpr std::size_t kS3EtagMax = 256;       ///< visible ASCII, without quotes
inline constexpr std::size_t kS3PartsMax = 1000;     ///< parts, or uploads, in one answer

/// A part of an upload that the server holds, in its own words.
struct S3Part {
  unsigned number = 0;  ///< from 1
  std::uint64_t size = 0;
  std::string etag;
};

/// The code of an Error document, such as "NoSuchKey"; empty where there is none that can be read.
std::string s3_error_code(ByteView body);

/// InitiateMultipartUploadResult's UploadId. Errc::malformed, Errc::too_large.
Result<std::string> s3_upload_id(ByteView body);

/// The id of the first upload of exactly this key in a ListMultipartUploadsResult.
/// Errc::malformed, Errc::too_large.
Result<std::optional<std::string>> s3_upload_of(ByteView body, std::string_view key);

/// The parts of a ListPartsResult, in the order of their numbers. Errc::malformed,
/// Errc::too_large.
Result<std::vector<S3Part>> s3_parts(ByteView body);

/// Whether the body is a CompleteMultipartUploadResult. Errc::malformed, Errc::too_large.
Status s3_completed(ByteView body);

/// An ETag without its quotes. Errc::malformed for what can't be one.
Result<std::string> s3_etag(std::string_view text);

/// The body of a CompleteMultipartUpload request. The parts' ETags are valid ones.
std::string s3_completion(const std::vector<S3Part>& parts);

}  // namespace sp::store
