// An S3 server in memory for tests: objects, ranges, uploads in parts, and signatures that are
// checked. A hook answers in its place, or alters what it answers.
#pragma once

#include <ctime>
#include <functional>
#include <iomanip>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

#include "base/world.hpp"
#include "crypto/hash.hpp"
#include "net/http.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/s3_client.hpp"

namespace sp::store::testing {

/// Time that stands still: what is slept is kept. Belongs to one thread.
class SleepKeeper final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return 1'800'000'000; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  void sleep_for(std::chrono::nanoseconds duration) const override {
    slept.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
  }
  mutable std::vector<std::chrono::milliseconds> slept;
};

class FakeS3 {
 public:
  using Hook = std::function<std::optional<net::HttpResponse>(const net::HttpRequest&)>;

  explicit FakeS3(net::HttpServer::Options options = {}) {
    options.body_max = 64 << 20;
    server_ = *net::HttpServer::start(
        options, [this](const net::HttpRequest& request) { return handle(request); });
  }

  static S3Credentials credentials(std::string_view secret = "secret") {
    return {"key", SecretBytes(as_bytes(secret)), {}};
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  static net::HttpResponse error(unsigned status, const std::string& code) {
    return net::text_response(status, "application/xml",
                              "<?xml version='1.0'?><Error><Code>" + code + "</Code></Error>");
  }

  Hook hook;                                                 // set it while nothing is asked
  std::function<void(net::HttpResponse&)> alter;             // as above
  bool any_time = false;                                     // requests aren't SleepKeeper's
  std::string bucket_in_host;                                // virtual-host style where not empty
  std::map<std::string, Bytes> objects;                      // by key
  std::vector<std::string> asked;                            // "PUT /b/k?uploadId", in order
  std::map<std::string, std::map<unsigned, Bytes>> uploads;  // by id
  std::map<std::string, std::string> upload_keys;            // id to key

 private:
  net::HttpResponse handle(const net::HttpRequest& request) {
    const std::lock_guard lock(mutex_);
    std::string line = request.method + " " + request.path;
    for (const auto& [name, value] : request.query)
      line += (line.find('?') == std::string::npos ? "?" : "&") + name;
    asked.push_back(line);
    std::optional<net::HttpResponse> answer;
    if (hook) answer = hook(request);
    if (!answer) answer = is_signed(request) ? route(request) : error(403, "SignatureDoesNotMatch");
    if (alter) alter(*answer);
    return *std::move(answer);
  }

  // Signs what came again, from the fields that the client says it signed.
  [[nodiscard]] bool is_signed(const net::HttpRequest& request) const {
    const auto given = request.headers.find("authorization");
    const auto date = request.headers.find("x-amz-date");
    if (given == request.headers.end() || date == request.headers.end()) return false;
    SigningRequest signing{request.method, request.path, {}, {}, crypto::sha256(request.body)};
    for (const auto& pair : request.query) signing.query.push_back(pair);
    const std::size_t from = given->second.find("SignedHeaders=") + 14;
    std::string_view names = std::string_view(given->second).substr(from);
    names = names.substr(0, names.find(','));
    while (!names.empty()) {
      const std::string_view name = names.substr(0, names.find(';'));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
      const auto field = request.headers.find(name);
      if (field == request.headers.end()) return false;
      signing.headers.insert(*field);
    }
    std::tm signed_at{};
    std::istringstream(date->second) >> std::get_time(&signed_at, "%Y%m%dT%H%M%SZ");
    const SigningScope scope{"us-east-1", "s3", any_time ? ::timegm(&signed_at) : 1'800'000'000};
    return signing.headers.contains("host") && signing.headers.contains("x-amz-date") &&
           signing.headers["x-amz-content-sha256"] == signing.payload.hex() &&
           given->second == sigv4_authorization(signing, credentials(), scope);
  }

  net::HttpResponse route(const net::HttpRequest& request) {
    const std::string root = bucket_in_host.empty() ? "/bucket" : "";
    if (!request.path.starts_with(root)) return error(404, "NoSuchBucket");
    std::string key = request.path.substr(root.size());
    if (key.starts_with('/')) key.erase(0, 1);
    if (key.empty()) return list_uploads(request);
    if (request.query.contains("uploads")) return begin(key);
    if (request.query.contains("uploadId")) return in_upload(request, key);
    if (request.method == "DELETE") {  // the same answer whether it was there
      objects.erase(key);
      net::HttpResponse gone;
      gone.status = 204;
      return gone;
    }
    if (request.method == "PUT") {
      objects[key] = request.body;
      return {};
    }
    return read(request, key);
  }

  net::HttpResponse read(const net::HttpRequest& request, const std::string& key) {
    const auto object = objects.find(key);
    if (object == objects.end()) return error(404, "NoSuchKey");
    const Bytes& bytes = object->second;
    net::HttpResponse response;
    if (request.method == "HEAD") {
      response.headers["content-length"] = std::to_string(bytes.size());
      return response;
    }
    const auto field = request.headers.find("range");
    if (field == request.headers.end()) {
      response.body = bytes;
      return response;
    }
    const auto range = *parse_byte_range(field->second, bytes.size());
    if (range.size == 0) return error(416, "InvalidRange");
    response.status = 206;
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(range.first);
    response.body.assign(from, from + static_cast<std::ptrdiff_t>(range.size));
    response.headers["content-range"] = "bytes " + std::to_string(range.first) + "-" +
                                        std::to_string(range.first + range.size - 1) + "/" +
                                        std::to_string(bytes.size());
    return response;
  }

  net::HttpResponse begin(const std::string& key) {
    const std::string id = "upload-" + std::to_string(++uploads_begun_);
    uploads[id];
    upload_keys[id] = key;
    return xml("<InitiateMultipartUploadResult><UploadId>" + id +
               "</UploadId></InitiateMultipartUploadResult>");
  }

  net::HttpResponse in_upload(const net::HttpRequest& request, const std::string& key) {
    const std::string id = request.query.at("uploadId");
    if (!uploads.contains(id)) return error(404, "NoSuchUpload");
    auto& parts = uploads[id];
    if (request.method == "GET") return list_parts(parts);
    if (request.method == "POST") return complete(request, id, key);
    if (request.method == "DELETE") {
      uploads.erase(id);
      net::HttpResponse gone;
      gone.status = 204;
      return gone;
    }
    parts[static_cast<unsigned>(std::stoul(request.query.at("partNumber")))] = request.body;
    net::HttpResponse response;
    response.headers["etag"] = "\"" + crypto::md5(request.body).hex() + "\"";
    return response;
  }

  net::HttpResponse complete(const net::HttpRequest& request, const std::string& id,
                             const std::string& key) {
    Bytes whole;
    const std::string body(as_text(request.body));
    for (const auto& [number, bytes] : uploads[id]) {
      const std::string named = "<PartNumber>" + std::to_string(number) + "</PartNumber><ETag>\"" +
                                crypto::md5(bytes).hex() + "\"</ETag>";
      if (body.find(named) == std::string::npos) return error(400, "InvalidPart");
      append(whole, bytes);
    }
    objects[key] = whole;
    uploads.erase(id);
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
  }

  static net::HttpResponse list_parts(const std::map<unsigned, Bytes>& parts) {
    std::string text;
    for (const auto& [number, bytes] : parts) {
      text += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>&quot;" +
              crypto::md5(bytes).hex() + "&quot;</ETag><Size>" + std::to_string(bytes.size()) +
              "</Size></Part>";
    }
    return xml("<ListPartsResult>" + text + "</ListPartsResult>");
  }

  net::HttpResponse list_uploads(const net::HttpRequest& request) {
    if (!request.query.contains("uploads")) return {};  // the bucket is there
    std::string text;
    for (const auto& [id, parts] : uploads) {
      const std::string& key = upload_keys[id];
      if (!key.starts_with(request.query.at("prefix"))) continue;
      text += "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId></Upload>";
    }
    return xml("<ListMultipartUploadsResult>" + text + "</ListMultipartUploadsResult>");
  }

  static net::HttpResponse xml(const std::string& text) {
    return net::text_response(200, "application/xml", text);
  }

  std::mutex mutex_;
  int uploads_begun_ = 0;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace sp::store::testing
