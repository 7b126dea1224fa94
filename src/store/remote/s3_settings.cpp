#include <algorithm>

#include "store/remote/s3_client.hpp"

namespace sp::store {
namespace {

Error wrong(std::string_view what) { return {Errc::usage, "S3 settings: " + std::string(what)}; }

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_lower_or_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_visible(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](auto c) { return c > 0x20 && c < 0x7f; });
}

bool is_address(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return true;
  return std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Status check_bucket(std::string_view bucket) {
  if (bucket.size() < kS3BucketMin || bucket.size() > kS3BucketMax || !consists_of(bucket, "-.") ||
      !is_lower_or_digit(bucket.front()) || !is_lower_or_digit(bucket.back()) ||
      bucket.find("..") != std::string_view::npos || is_address(bucket)) {
    return wrong("a bucket's name is 3 to 63 lower-case letters, digits, '-' and '.'");
  }
  return {};
}

// A path that no proxy rewrites: no empty and no dot segments.
Status check_prefix(std::string_view prefix) {
  constexpr std::string_view kOthers = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._/";
  const std::string framed = "/" + std::string(prefix) + "x";
  if (prefix.size() > kS3PrefixMax || !consists_of(prefix, kOthers) ||
      framed.find("//") != std::string::npos || framed.find("/./") != std::string::npos ||
      framed.find("/../") != std::string::npos) {
    return wrong("a prefix is letters, digits and \"-._/\", without empty or dot segments");
  }
  return {};
}

Status check_endpoint(const S3Settings& settings) {
  const auto url = net::Url::parse(settings.endpoint);
  if (!url) return wrong("endpoint: " + url.error().message);
  if (url->target != "/") return wrong("the endpoint has a path");
  if (settings.addressing == S3Settings::Addressing::path) return {};
  if (is_address(url->host)) return wrong("no bucket can stand before an address: use path style");
  if (url->tls && settings.bucket.find('.') != std::string::npos) {
    return wrong("no certificate fits a bucket with a '.' before the host: use path style");
  }
  return {};
}

Status check_credentials(const S3Credentials& credentials) {
  const std::string_view key = credentials.access_key;
  if (key.empty() || key.size() > kS3AccessKeyMax || !is_visible(as_bytes(key)) ||
      key.find_first_of("/,=") != std::string_view::npos) {
    return wrong("not an access key");
  }
  const std::size_t size = credentials.secret_key.size();
  if (size == 0 || size > kS3SecretKeyMax) return wrong("not a secret key");
  if (credentials.session_token.size() > kS3SessionTokenMax ||
      !is_visible(credentials.session_token.reveal())) {
    return wrong("not a session token");
  }
  return {};
}

}  // namespace

Status S3Settings::check() const {
  SP_TRY(check_bucket(bucket));
  SP_TRY(check_prefix(prefix));
  SP_TRY(check_endpoint(*this));
  SP_TRY(check_credentials(credentials));
  if (region.empty() || region.size() > kS3RegionMax || !consists_of(region, "-")) {
    return wrong("a region is lower-case letters, digits and '-'");
  }
  if (attempts == 0 || attempts > kS3AttemptsMax) return wrong("attempts out of range");
  if (backoff_first.count() < 1 || backoff_first > backoff_max || backoff_max > kS3BackoffMax) {
    return wrong("back-off out of range");
  }
  return {};
}

}  // namespace sp::store
