// AWS Signature Version 4 with the Authorization header and a payload that is always signed, in
// S3's manner: a path is percent-encoded once and never normalised. (AWS documentation,
// "Authenticating Requests: Using the Authorization Header".)
//
// Pure functions; safe to call from any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/secret.hpp"
#include "net/http.hpp"

namespace sp::store {

/// Who signs. Move-only; the secrets are wiped when they go and have no text form. The session
/// token travels in each request, so copies of it pass through the HTTP client's buffers.
struct S3Credentials {
  std::string access_key;
  SecretBytes secret_key;
  SecretBytes session_token;  ///< empty where the keys are lasting ones
};

using S3Query = std::vector<std::pair<std::string, std::string>>;  ///< not encoded, in any order

struct SigningRequest {
  std::string method;
  std::string path = "/";  ///< not encoded
  S3Query query;
  net::Headers headers;  ///< all of them are signed; "host" and "x-amz-date" must be there
  Digest32 payload;      ///< SHA-256 of the body
};

struct SigningScope {
  std::string region;
  std::string service = "s3";
  std::int64_t unix_seconds = 0;  ///< the time of "x-amz-date"
};

/// "20130524T000000Z".
std::string amz_date(std::int64_t unix_seconds);

/// A path, percent-encoded between its slashes.
std::string encode_path(std::string_view path);
/// "a=1&b=": encoded and ordered; what is signed is what goes into the URL.
std::string encode_query(const S3Query& query);

std::string canonical_request(const SigningRequest& request);

/// The key that signs everything of one day, region and service.
Secret32 signing_key(const SecretBytes& secret_key, const SigningScope& scope);

/// The value of the Authorization field.
std::string sigv4_authorization(const SigningRequest& request, const S3Credentials& credentials,
                                const SigningScope& scope);

}  // namespace sp::store
