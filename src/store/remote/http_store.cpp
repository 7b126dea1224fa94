#include "store/remote/http_store.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kIdentityMax = 1024;
constexpr std::size_t kErrorBodyMax = 4096;

/// What the store says about an error, as far as it is readable.
std::string words_of(const net::HttpResponse& response) {
  std::string text = "status " + std::to_string(response.status);
  const auto json = parse_json(as_text(response.body), kErrorBodyMax);
  if (!json || !json->is_object()) return text;
  const auto message = json->find("message");
  if (message == json->end() || !message->is_string()) return text;
  std::string words = message->get<std::string>().substr(0, kErrorMessageMax);
  for (char& c : words) c = c >= ' ' && c <= '~' ? c : '?';
  return text + ": " + words;
}

Error error_of(const net::HttpResponse& response, std::string_view doing) {
  Errc code = Errc::unavailable;
  if (response.status == 404) code = Errc::not_found;
  if (response.status == 413) code = Errc::too_large;
  if (response.status == 507) code = Errc::io;
  return Error{code, words_of(response)}.in(doing);
}

}  // namespace

HttpStore::HttpStore(net::HttpCaller& client, std::string base_url)
    : client_(client), base_url_(std::move(base_url)) {
  while (base_url_.ends_with('/')) base_url_.pop_back();
}

Status HttpStore::put(const BlobId& id, ByteView bytes) {
  if (bytes.size() > kBlobSizeMax) {
    return Error{Errc::too_large, "blob of " + std::to_string(bytes.size()) + " bytes, at most " +
                                      std::to_string(kBlobSizeMax)};
  }
  SP_ASSIGN(const net::HttpResponse response,
            client_.call("PUT", base_url_ + "/v1/blobs/" + id.hex(), bytes));
  if (response.status == 200 || response.status == 201) return {};
  Error error = error_of(response, "storing blob " + id.hex());
  if (response.status == 409) error.code = Errc::mismatch;
  return error;
}

Result<Bytes> HttpStore::get(const BlobId& id, std::size_t size_max) {
  SP_ASSIGN(Bytes bytes, get_unverified(id, size_max));
  if (blob_id(bytes) != id) {
    return Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
  }
  return bytes;
}

Result<Bytes> HttpStore::get_unverified(const BlobId& id, std::size_t size_max) {
  SP_ASSIGN(net::HttpResponse response, client_.call("GET", base_url_ + "/v1/blobs/" + id.hex()));
  if (response.status != 200) return error_of(response, "fetching blob " + id.hex());
  if (response.body.size() > size_max) {
    return Error{Errc::too_large, "blob " + id.hex() + " has " +
                                      std::to_string(response.body.size()) + " bytes, at most " +
                                      std::to_string(size_max) + " are read"};
  }
  return std::move(response.body);
}

Result<std::uint64_t> HttpStore::size(const BlobId& id) {
  SP_ASSIGN(const net::HttpResponse response,
            client_.call("HEAD", base_url_ + "/v1/blobs/" + id.hex()));
  if (response.status != 200) return error_of(response, "looking for blob " + id.hex());
  const auto field = response.headers.find("content-length");
  std::uint64_t size = 0;
  if (field != response.headers.end()) {
    const char* end = field->second.data() + field->second.size();
    const auto [rest, failure] = std::from_chars(field->second.data(), end, size);
    if (failure == std::errc{} && rest == end) return size;
  }
  return Error{Errc::unavailable, "the store tells no size of blob " + id.hex()};
}

Result<StorageReceipt> HttpStore::request_receipt(const PackageId& package, std::int64_t until) {
  const std::string body = Json{{"package", package.hex()}, {"until", until}}.dump();
  SP_ASSIGN(const net::HttpResponse response,
            client_.call("POST", base_url_ + "/v1/receipts", as_bytes(body),
                         {{"content-type", "application/json"}}));
  if (response.status != 200) {
    Error error = error_of(response, "asking for a receipt of package " + package.hex());
    if (response.status == 409) error.code = Errc::refused;
    return error;
  }
  SP_ASSIGN(const StorageReceipt receipt, StorageReceipt::decode(response.body));
  if (receipt.package != package || receipt.until != until) {
    return Error{Errc::mismatch, "the store's receipt isn't about package " + package.hex() +
                                     " until " + std::to_string(until)};
  }
  return receipt;
}

Result<Address> HttpStore::identity() {
  SP_ASSIGN(const net::HttpResponse response, client_.call("GET", base_url_ + "/v1/identity"));
  if (response.status != 200) return error_of(response, "asking for the store's address");
  SP_ASSIGN(const Json json, parse_json(as_text(response.body), kIdentityMax));
  JsonObject object(json, "identity");
  const auto address = object.fixed<Address>("address");
  SP_TRY(object.finish());
  return address;
}

}  // namespace sp::store
