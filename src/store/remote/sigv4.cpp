#include "store/remote/sigv4.hpp"

#include "base/world.hpp"
#include "crypto/hash.hpp"
#include "net/target.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kKeyPrefix = "AWS4";
constexpr std::string_view kTerminator = "aws4_request";

std::string day_of(const SigningScope& scope) { return amz_date(scope.unix_seconds).substr(0, 8); }

std::string scope_text(const SigningScope& scope) {
  return day_of(scope) + "/" + scope.region + "/" + scope.service + "/" + std::string(kTerminator);
}

// Without spaces around it, and with one for each run of them inside.
std::string trimmed(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool space = c == ' ' || c == '\t';
    if (!space)
      result.push_back(c);
    else if (!result.empty() && result.back() != ' ')
      result.push_back(' ');
  }
  if (result.ends_with(' ')) result.pop_back();
  return result;
}

std::string signed_names(const net::Headers& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

Secret32 mac(ByteView key, std::string_view text) {
  Digest32 digest = crypto::hmac_sha256(key, as_bytes(text));
  Secret32 secret;
  std::copy(digest.data.begin(), digest.data.end(), secret.writable().begin());
  wipe(digest.data);
  return secret;
}

}  // namespace

std::string amz_date(std::int64_t unix_seconds) {
  std::string text = to_rfc3339(unix_seconds);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string encode_path(std::string_view path) {
  std::string encoded;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    encoded += net::percent_encode(segment);
    path.remove_prefix(segment.size());
    if (path.empty()) break;
    encoded.push_back('/');
    path.remove_prefix(1);
  }
  return encoded;
}

std::string encode_query(const S3Query& query) {
  S3Query encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(net::percent_encode(name), net::percent_encode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text.push_back('&');
    text += name + "=" + value;
  }
  return text;
}

std::string canonical_request(const SigningRequest& request) {
  std::string text =
      request.method + "\n" + encode_path(request.path) + "\n" + encode_query(request.query) + "\n";
  for (const auto& [name, value] : request.headers) text += name + ":" + trimmed(value) + "\n";
  return text + "\n" + signed_names(request.headers) + "\n" + request.payload.hex();
}

Secret32 signing_key(const SecretBytes& secret_key, const SigningScope& scope) {
  SecretBytes first(kKeyPrefix.size() + secret_key.size());
  const ByteView secret = secret_key.reveal();
  const MutableByteView out = first.writable();
  std::copy(kKeyPrefix.begin(), kKeyPrefix.end(), out.begin());
  std::copy(secret.begin(), secret.end(), out.begin() + kKeyPrefix.size());
  const Secret32 of_day = mac(first.reveal(), day_of(scope));
  const Secret32 of_region = mac(of_day.reveal(), scope.region);
  const Secret32 of_service = mac(of_region.reveal(), scope.service);
  return mac(of_service.reveal(), kTerminator);
}

std::string sigv4_authorization(const SigningRequest& request, const S3Credentials& credentials,
                                const SigningScope& scope) {
  const std::string digest = crypto::sha256(as_bytes(canonical_request(request))).hex();
  const std::string text = std::string(kAlgorithm) + "\n" + amz_date(scope.unix_seconds) + "\n" +
                           scope_text(scope) + "\n" + digest;
  const Secret32 key = signing_key(credentials.secret_key, scope);
  const Digest32 signature = crypto::hmac_sha256(key.reveal(), as_bytes(text));
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key + "/" +
         scope_text(scope) + ", SignedHeaders=" + signed_names(request.headers) +
         ", Signature=" + signature.hex();
}

}  // namespace sp::store
