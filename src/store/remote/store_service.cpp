#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/http_store.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kBlobsPath = "/v1/blobs/";
constexpr std::string_view kReceiptsPath = "/v1/receipts";
constexpr std::string_view kIdentityPath = "/v1/identity";
constexpr std::string_view kHealthPath = "/health";

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::malformed:
    case Errc::unsupported:
    case Errc::usage:
    case Errc::bad_signature:
      return 400;
    case Errc::unauthorised:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::mismatch:
    case Errc::refused:
    case Errc::conflict:
    case Errc::expired:
      return 409;
    case Errc::too_large:
      return 413;
    case Errc::timed_out:
    case Errc::unavailable:
    case Errc::cancelled:
      return 503;
    case Errc::io:
      return 500;
  }
  SP_CHECK(false);
}

net::HttpResponse error_response(unsigned status, const Error& error) {
  const Json body{{"error", errc_name(error.code)}, {"message", error.message}};
  return net::text_response(status, "application/json",
                            body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

net::HttpResponse error_response(const Error& error) {
  // The system's words may name folders of this machine; they are for its own log.
  if (error.code == Errc::io) {
    log(LogLevel::error, "store_io", {{"message", error.message}});
    return error_response(500, {Errc::io, "the store's disk failed"});
  }
  return error_response(status_of(error.code), error);
}

net::HttpResponse not_allowed(std::string_view allowed) {
  auto response = error_response(405, {Errc::unsupported, "method not allowed"});
  response.headers["allow"] = allowed;
  return response;
}

net::HttpResponse binary_response(unsigned status, Bytes body) {
  net::HttpResponse response;
  response.status = status;
  response.headers["content-type"] = "application/octet-stream";
  response.body = std::move(body);
  return response;
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

StoreService::StoreService(DirectoryStore& blobs, const crypto::EthKey& key, const Clock& clock,
                           const Options& options)
    : blobs_(blobs), key_(key), clock_(clock), options_(options) {}

net::HttpResponse StoreService::handle(const net::HttpRequest& request) {
  const std::string_view path = request.path;
  if (path.starts_with(kBlobsPath)) return handle_blob(request);
  if (path == kReceiptsPath) {
    return request.method == "POST" ? issue_receipt(request) : not_allowed("POST");
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (path == kIdentityPath) {
    if (!reads) return not_allowed("GET, HEAD");
    const Json body{{"address", key_.address().hex0x()}};
    return net::text_response(200, "application/json", body.dump() + "\n");
  }
  if (path == kHealthPath) {
    return reads ? net::text_response(200, "text/plain", "ok\n") : not_allowed("GET, HEAD");
  }
  return error_response(404, {Errc::not_found, "nothing is at this path"});
}

net::HttpResponse StoreService::handle_blob(const net::HttpRequest& request) {
  const std::string_view name = std::string_view(request.path).substr(kBlobsPath.size());
  if (name.size() != 2 * BlobId::kSize || !is_lower_hex(name)) {
    return error_response(400, {Errc::malformed, "a blob's name is 64 lower-case hex digits"});
  }
  const BlobId id = *BlobId::from_hex(name);
  if (request.method == "GET") return get_blob(id, request);
  if (request.method == "HEAD") return head_blob(id);
  if (request.method == "PUT") return put_blob(id, request.body);
  return not_allowed("GET, HEAD, PUT");
}

net::HttpResponse StoreService::put_blob(const BlobId& id, ByteView bytes) {
  const auto kept = blobs_.size(id);
  const bool fresh = !kept || *kept != bytes.size();
  if (fresh) {
    if (const Status room = reserve(bytes.size()); !room) return error_response(507, room.error());
  }
  if (const Status done = blobs_.put(id, bytes); !done) {
    if (fresh) release(bytes.size());
    if (done.error().code != Errc::io) return error_response(done.error());
    log(LogLevel::error, "store_io", {{"message", done.error().message}});
    return error_response(507, {Errc::io, "the store can't keep the blob"});
  }
  net::HttpResponse response;
  response.status = fresh ? 201 : 200;
  return response;
}

/// Counts a blob that is about to be written. Two that write the same one at once count it twice;
/// the count is right again after a restart.
Status StoreService::reserve(std::size_t size) {
  if (options_.bytes_max == 0) return {};
  const std::lock_guard lock(mutex_);
  if (!bytes_used_) {
    const auto total = blobs_.total_size();
    if (!total) {
      log(LogLevel::error, "store_io", {{"message", total.error().message}});
      return Error{Errc::io, "the store can't count its blobs"};
    }
    bytes_used_ = *total;
  }
  if (*bytes_used_ > options_.bytes_max || size > options_.bytes_max - *bytes_used_) {
    return Error{Errc::io, "the store is full: " + std::to_string(options_.bytes_max) + " bytes"};
  }
  *bytes_used_ += size;
  return {};
}

void StoreService::release(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (bytes_used_) *bytes_used_ -= size;
}

net::HttpResponse StoreService::get_blob(const BlobId& id, const net::HttpRequest& request) {
  const auto size = blobs_.size(id);
  if (!size) return error_response(404, {Errc::not_found, "no blob " + id.hex()});
  const auto field = request.headers.find("range");
  const auto range = field == request.headers.end() ? std::optional<ByteRange>{}
                                                    : parse_byte_range(field->second, *size);
  if (range && range->size == 0) {
    auto response = error_response(416, {Errc::malformed, "the range lies outside of the blob"});
    response.headers["content-range"] = "bytes */" + std::to_string(*size);
    return response;
  }
  const ByteRange part = range.value_or(ByteRange{0, *size});
  if (part.size > kBlobSizeMax)
    return error_response({Errc::too_large, "not a blob of this store"});
  auto bytes = blobs_.get_range_unverified(id, part.first, static_cast<std::size_t>(part.size));
  if (!bytes) return error_response(bytes.error());
  auto response = binary_response(range ? 206 : 200, *std::move(bytes));
  response.headers["accept-ranges"] = "bytes";
  if (range) {
    response.headers["content-range"] = "bytes " + std::to_string(part.first) + "-" +
                                        std::to_string(part.first + part.size - 1) + "/" +
                                        std::to_string(*size);
  }
  return response;
}

net::HttpResponse StoreService::head_blob(const BlobId& id) {
  const auto size = blobs_.size(id);
  if (!size) return error_response(404, {Errc::not_found, "no blob " + id.hex()});
  auto response = binary_response(200, {});
  response.headers["accept-ranges"] = "bytes";
  response.headers["content-length"] = std::to_string(*size);
  return response;
}

net::HttpResponse StoreService::issue_receipt(const net::HttpRequest& request) {
  const auto json = parse_json(as_text(request.body), kReceiptRequestMax);
  if (!json) return error_response(json.error());
  JsonObject object(*json, "receipt request");
  const auto package = object.fixed<PackageId>("package");
  const auto until = static_cast<std::int64_t>(object.number("until", INT64_MAX));
  if (const Status read = object.finish(); !read) return error_response(read.error());
  const std::int64_t now = clock_.unix_seconds();
  if (until <= now) return error_response({Errc::expired, "until is in the past"});
  if (until - now > options_.keep_seconds_max) {
    return error_response(
        {Errc::refused,
         "this store promises at most " + std::to_string(options_.keep_seconds_max) + " seconds"});
  }
  const CrashEffect effect(CrashSite::store_receipt);
  const auto receipt = issue_storage_receipt(blobs_, package, until, key_);
  if (!receipt) return error_response(receipt.error());
  return binary_response(200, receipt->encode());
}

}  // namespace sp::store
