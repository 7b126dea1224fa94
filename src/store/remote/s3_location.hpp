// Where a bucket is and who asks, as people and AWS's own tools say it: "s3://BUCKET/PREFIX", the
// environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
// AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_PROFILE,
// AWS_SHARED_CREDENTIALS_FILE, HOME), and a credentials file (~/.aws/credentials).
//
// Pure functions but for the reading of that file; safe to call from any thread.
#pragma once

#include <functional>
#include <optional>

#include "base/files.hpp"
#include "store/remote/s3_client.hpp"

namespace sp::store {

inline constexpr std::size_t kS3UrlMax = 1024;                   ///< letters
inline constexpr std::size_t kS3CredentialsFileMax = 256 << 10;  ///< bytes

struct S3Location {
  std::string bucket;
  std::string prefix;  ///< empty, or with a '/' at its end

  /// "s3://BUCKET" or "s3://BUCKET/PREFIX". Errc::malformed, Errc::too_large; names are checked by
  /// S3Settings::check().
  static Result<S3Location> parse(std::string_view url);
};

/// What stands under "[profile]" in a credentials file. Errc::malformed names the line;
/// Errc::not_found where there is no such profile, or a key is missing in it.
Result<S3Credentials> read_s3_credentials(std::string_view text, std::string_view profile);

/// What the environment may leave out.
struct S3Choices {
  std::string endpoint = {};  ///< "https://...": empty: the environment's, or the region's at AWS
  std::string region = {};    ///< empty: the environment's, or us-east-1
  std::string credentials_file = {};  ///< empty: the environment's variables, or file
  std::string profile = {};           ///< empty: the environment's, or "default"
  bool path_style = false;            ///< as is taken wherever an endpoint is given
};

using Environment = std::function<std::optional<std::string>(const char*)>;

/// Settings for a bucket. Errc::usage says what is missing and how to give it.
Result<S3Settings> s3_settings(const S3Location& location, const S3Choices& choices,
                               const Environment& environment, const Files& files);

}  // namespace sp::store
