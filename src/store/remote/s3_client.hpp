// Signed requests to one bucket of an S3 server (AWS or another that speaks its REST API with
// Signature Version 4), repeated where the server is overloaded or can't be reached.
//
// A request is tried again after 429, 500, 502, 503, 504, RequestTimeout and whatever broke off,
// after a pause that doubles from `backoff_first` to `backoff_max`, of which a random part is slept
// ("full jitter"); never before the seconds that Retry-After names. A server that asks for more
// than kRetryAfterMax isn't waited for. Each try is signed anew.
#pragma once

#include <memory>
#include <optional>

#include "base/world.hpp"
#include "net/http.hpp"
#include "store/remote/sigv4.hpp"

namespace sp::store {

inline constexpr unsigned kS3AttemptsMax = 20;                     ///< that may be asked for
inline constexpr std::chrono::milliseconds kS3BackoffMax{60'000};  ///< that may be asked for
inline constexpr std::size_t kS3BucketMin = 3, kS3BucketMax = 63;  ///< letters
inline constexpr std::size_t kS3PrefixMax = 512;                   ///< letters
inline constexpr std::size_t kS3RegionMax = 64;                    ///< letters
inline constexpr std::size_t kS3AccessKeyMax = 128;                ///< letters
inline constexpr std::size_t kS3SecretKeyMax = 256;                ///< bytes
inline constexpr std::size_t kS3SessionTokenMax = 8192;            ///< bytes; it is a header field

struct S3Settings {
  enum class Addressing : std::uint8_t {
    path,          ///< https://endpoint/bucket/key
    virtual_host,  ///< https://bucket.endpoint/key
  };
  std::string endpoint;  ///< "https://s3.eu-central-1.amazonaws.com": no path
  std::string region = "us-east-1";
  std::string bucket;  ///< lower-case letters, digits, '-' and '.'
  std::string prefix;  ///< in front of each key, "sp/blobs/"; letters, digits and "-._/"
  S3Credentials credentials;
  Addressing addressing = Addressing::path;

  unsigned attempts = 5;                          ///< of one request, 1 to kS3AttemptsMax
  std::chrono::milliseconds backoff_first{200};   ///< 1 ms to backoff_max
  std::chrono::milliseconds backoff_max{20'000};  ///< at most kS3BackoffMax

  /// Errc::usage says what is wrong; never a secret's bytes.
  [[nodiscard]] Status check() const;
};

struct S3Request {
  std::string method;
  std::string key;  ///< without the prefix
  S3Query query;
  net::Headers headers;
  ByteView body;
  Digest32 payload;        ///< SHA-256 of the body
  bool of_bucket = false;  ///< the bucket itself, no key in it
};

/// Safe to call from any thread.
class S3Client {
 public:
  /// What is passed must outlive the client. The HTTP client's timeout is that of one try, so it
  /// has to fit the largest body. Errc::usage for settings that can't be.
  static Result<std::unique_ptr<S3Client>> make(net::HttpClient& http, const Clock& clock,
                                                Random& random, S3Settings settings);

  /// Tries as the settings say. An answer is a value, whatever its status; where all tries fail it
  /// is what the last one got. Errors are net::HttpClient's.
  Result<net::HttpResponse> call(const S3Request& request) const;
  /// Tries once.
  Result<net::HttpResponse> call_once(const S3Request& request) const;

  /// The object's whole name in the bucket.
  [[nodiscard]] std::string object_key(std::string_view key) const;
  [[nodiscard]] std::string url(const S3Request& request) const;

 private:
  S3Client(net::HttpClient& http, const Clock& clock, Random& random, S3Settings settings);
  [[nodiscard]] std::string path(const S3Request& request) const;

  net::HttpClient& http_;
  const Clock& clock_;
  Random& random_;
  const S3Settings settings_;
  std::string scheme_, host_;  // "https://", and the Host field
};

/// SHA-256 of no bytes.
Digest32 s3_empty_payload();

/// What an answer that isn't a success says: Errc::not_found (a 404 whose body names NoSuchKey or
/// NoSuchUpload: whoever stands before the server may answer 404 as well), Errc::unauthorised,
/// Errc::too_large, Errc::io (the server is full), Errc::usage (no such bucket, or another
/// endpoint's), Errc::unavailable for all others. Of the body only the code is repeated.
Error s3_error(const net::HttpResponse& response, std::string_view doing);

}  // namespace sp::store
