#include "store/remote/s3_client.hpp"

#include "crypto/hash.hpp"
#include "net/patience.hpp"
#include "store/remote/backoff.hpp"
#include "store/remote/s3_answers.hpp"

namespace sp::store {
namespace {

// Codes of 400 answers that are about who asks.
constexpr std::string_view kCredentialCodes[] = {"AuthorizationHeaderMalformed", "ExpiredToken",
                                                 "InvalidAccessKeyId", "InvalidToken",
                                                 "SignatureDoesNotMatch"};

bool may_pass(const Result<net::HttpResponse>& answer) {
  if (is_transient(answer)) return true;
  return answer && answer->status == 400 && s3_error_code(answer->body) == "RequestTimeout";
}

// Completing an upload can fail after the server has begun to answer with 200: the Error document
// says so.
void mend_status(const S3Request& request, net::HttpResponse& response) {
  if (request.method != "POST" || response.status != 200) return;
  const std::string code = s3_error_code(response.body);
  if (code.empty()) return;
  const bool transient = code == "InternalError" || code == "SlowDown" ||
                         code == "ServiceUnavailable" || code == "RequestTimeout";
  response.status = transient ? 503 : code == "NoSuchUpload" ? 404 : 400;
}

}  // namespace

Digest32 s3_empty_payload() { return crypto::sha256(ByteView{}); }

Result<std::unique_ptr<S3Client>> S3Client::make(net::HttpClient& http, const Clock& clock,
                                                 Random& random, S3Settings settings) {
  SP_TRY(settings.check());
  return std::unique_ptr<S3Client>(new S3Client(http, clock, random, std::move(settings)));
}

S3Client::S3Client(net::HttpClient& http, const Clock& clock, Random& random, S3Settings settings)
    : http_(http), clock_(clock), random_(random), settings_(std::move(settings)) {
  const net::Url url = *net::Url::parse(settings_.endpoint);
  scheme_ = url.tls ? "https://" : "http://";
  host_ = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (settings_.addressing == S3Settings::Addressing::virtual_host) {
    host_ = settings_.bucket + "." + host_;
  }
  if (url.port != url.default_port()) host_ += ":" + std::to_string(url.port);
}

std::string S3Client::object_key(std::string_view key) const {
  return settings_.prefix + std::string(key);
}

std::string S3Client::path(const S3Request& request) const {
  const std::string key = request.of_bucket ? "" : object_key(request.key);
  if (settings_.addressing == S3Settings::Addressing::virtual_host) return "/" + key;
  return "/" + settings_.bucket + (key.empty() ? "" : "/") + key;
}

std::string S3Client::url(const S3Request& request) const {
  const std::string query = encode_query(request.query);
  return scheme_ + host_ + encode_path(path(request)) + (query.empty() ? "" : "?") + query;
}

Result<net::HttpResponse> S3Client::call_once(const S3Request& request) const {
  const SigningScope scope{settings_.region, "s3", clock_.unix_seconds()};
  SigningRequest signing{request.method, path(request), request.query, request.headers,
                         request.payload};
  signing.headers["host"] = host_;
  signing.headers["x-amz-date"] = amz_date(scope.unix_seconds);
  signing.headers["x-amz-content-sha256"] = request.payload.hex();
  const ByteView token = settings_.credentials.session_token.reveal();
  if (!token.empty()) signing.headers["x-amz-security-token"] = as_text(token);
  signing.headers["authorization"] = sigv4_authorization(signing, settings_.credentials, scope);
  SP_ASSIGN(net::HttpResponse response,
            http_.call(request.method, url(request), request.body, signing.headers));
  mend_status(request, response);
  return response;
}

Result<net::HttpResponse> S3Client::call(const S3Request& request) const {
  const Backoff backoff{settings_.attempts, settings_.backoff_first, settings_.backoff_max};
  for (unsigned attempt = 1;; ++attempt) {
    auto answer = call_once(request);
    if (!may_pass(answer)) return answer;
    const auto wait = pause_after(backoff, attempt, answer, random_);
    if (!wait) return answer;
    clock_.sleep_for(*wait);
  }
}

Error s3_error(const net::HttpResponse& response, std::string_view doing) {
  const std::string code = s3_error_code(response.body);
  Errc errc = Errc::unavailable;
  if (response.status == 401 || response.status == 403) errc = Errc::unauthorised;
  if (response.status == 404 && code == "NoSuchBucket") errc = Errc::usage;
  if (response.status == 404 && (code == "NoSuchKey" || code == "NoSuchUpload")) {
    errc = Errc::not_found;
  }
  if (response.status == 301 || response.status == 307 || response.status == 308) {
    errc = Errc::usage;
  }
  if (response.status == 413 || code == "EntityTooLarge") errc = Errc::too_large;
  if (response.status == 507) errc = Errc::io;
  const auto* end = std::end(kCredentialCodes);
  if (response.status == 400 && std::find(std::begin(kCredentialCodes), end, code) != end) {
    errc = Errc::unauthorised;
  }
  std::string text = "status " + std::to_string(response.status);
  if (!code.empty()) text += " " + code;
  if (response.status == 404 && code.empty()) {
    text += " without an S3 server's words, perhaps of a proxy: look at what is before the bucket";
  }
  if (const auto wait = net::retry_after(response.headers)) {
    text += ", to be tried again after " + std::to_string(wait->count()) + " s";
  }
  return Error{errc, text}.in(doing);
}

}  // namespace sp::store
