#include "store/remote/http_store.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "base/json.hpp"
#include "base/printable.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "net/patience.hpp"
#include "store/remote/byte_range.hpp"
#include "store/remote/conditional.hpp"
#include "store/remote/signed_request.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kIdentityMax = 1024;
constexpr std::size_t kErrorBodyMax = 4096;
/// Of a blob, after which the tries begin anew. A store that gives less and breaks off gives up its
/// place to others.
constexpr std::size_t kProgressMin = 64 << 10;

std::string blob_path(const BlobId& id) { return "/v1/blobs/" + id.hex(); }

/// What the store says about an error, as far as it is readable.
std::string words_of(const net::HttpResponse& response) {
  std::string text = "status " + std::to_string(response.status);
  const auto json = parse_json(as_text(response.body), kErrorBodyMax);
  if (!json || !json->is_object()) return text;
  const auto message = json->find("message");
  if (message == json->end() || !message->is_string()) return text;
  return text + ": " + printable(message->get_ref<const std::string&>(), kErrorMessageMax);
}

Error error_of(const net::HttpResponse& response, std::string_view doing) {
  Errc code = Errc::unavailable;
  if (response.status == 401 || response.status == 403) code = Errc::unauthorised;
  if (response.status == 404) code = Errc::not_found;
  if (response.status == 413) code = Errc::too_large;
  if (response.status == 507) code = Errc::io;
  std::string text = words_of(response);
  const auto wait = net::retry_after(response.headers);
  if (wait && text.find("try again in ") == std::string::npos) {
    text += ", to be tried again after " + std::to_string(wait->count()) + " s";
  }
  return Error{code, text}.in(doing);
}

Error too_large(const BlobId& id, std::uint64_t size, std::size_t size_max) {
  return {Errc::too_large, "blob " + id.hex() + " has " + std::to_string(size) +
                               " bytes, at most " + std::to_string(size_max) + " are read"};
}

/// Hands on what comes of a blob from a byte on.
class BlobReceiver final : public net::BodyReceiver {
 public:
  BlobReceiver(const BlobId& id, std::uint64_t offset, std::size_t size_max, ByteSink& sink)
      : id_(id), at_(offset), size_max_(size_max), sink_(sink) {}

  [[nodiscard]] std::uint64_t at() const { return at_; }
  /// Whether an error was ours, so that another try can't help.
  [[nodiscard]] bool gave_up() const { return gave_up_; }

  Status begin(const net::HttpResponse& head) override {
    skip_ = 0;
    if (head.status == 200) {  // the whole, from its beginning
      skip_ = at_;
      return {};
    }
    const auto field = head.headers.find("content-range");
    const auto range =
        field == head.headers.end() ? std::nullopt : parse_content_range(field->second);
    if (!range || range->first != at_ || range->last != range->whole - 1) {
      return Error{Errc::unavailable, "the store gave another range of blob " + id_.hex()};
    }
    return range->whole > size_max_ ? ours(too_large(id_, range->whole, size_max_)) : Status{};
  }

  Status take(ByteView bytes) override {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    if (bytes.empty()) return {};
    if (bytes.size() > size_max_ - std::min<std::uint64_t>(at_, size_max_)) {
      return ours(too_large(id_, at_ + bytes.size(), size_max_));
    }
    if (const Status written = sink_.write(bytes); !written) return ours(written.error());
    at_ += bytes.size();
    return {};
  }

 private:
  Error ours(Error error) {
    gave_up_ = true;
    return error;
  }

  const BlobId& id_;
  std::uint64_t at_;
  std::uint64_t skip_ = 0;
  std::size_t size_max_;
  ByteSink& sink_;
  bool gave_up_ = false;
};

}  // namespace

HttpStore::HttpStore(net::HttpCaller& client, std::string base_url, StoreAccess access)
    : client_(client), base_url_(std::move(base_url)), access_(access) {
  SP_CHECK(access_.signer == nullptr || access_.clock != nullptr);
  SP_CHECK(access_.backoff.attempts <= 1 ||
           (access_.clock != nullptr && access_.random != nullptr));
  while (base_url_.ends_with('/')) base_url_.pop_back();
}

bool HttpStore::wait_after(unsigned attempt, const Result<net::HttpResponse>& answer) {
  if (access_.backoff.attempts <= 1 || !is_transient(answer)) return false;
  const auto pause = pause_after(access_.backoff, attempt, answer, *access_.random);
  if (pause) access_.clock->sleep_for(*pause);
  return pause.has_value();
}

Result<net::HttpResponse> HttpStore::call(const std::string& method, const std::string& path,
                                          ByteView body, const net::Headers& headers) {
  for (unsigned attempt = 1;; ++attempt) {
    auto answer = client_.call(method, base_url_ + path, body, headers);
    if (!wait_after(attempt, answer)) return answer;
  }
}

Result<Address> HttpStore::signed_for() {
  if (access_.store) return *access_.store;
  {
    const std::lock_guard lock(mutex_);
    if (told_) return *told_;
  }
  SP_ASSIGN(const Address address, identity());
  const std::lock_guard lock(mutex_);
  told_ = address;
  return address;
}

Result<net::HttpResponse> HttpStore::write(const std::string& method, const std::string& path,
                                           const Digest32& content, ByteView body,
                                           net::Headers headers, std::int64_t ahead) {
  std::optional<Address> store;
  if (access_.signer != nullptr) {
    SP_ASSIGN(store, signed_for());
  }
  for (unsigned attempt = 1;; ++attempt) {
    if (store) {
      // Signed anew: waiting must not carry a signature out of the store's window.
      headers["authorization"] = sign_request(
          *access_.signer, {*store, method, path, content, access_.clock->unix_seconds() + ahead});
    }
    auto answer = client_.call(method, base_url_ + path, body, headers);
    if (!wait_after(attempt, answer)) return answer;
  }
}

Status HttpStore::put(const BlobId& id, ByteView bytes) {
  if (bytes.size() > kBlobSizeMax) {
    return Error{Errc::too_large, "blob of " + std::to_string(bytes.size()) + " bytes, at most " +
                                      std::to_string(kBlobSizeMax)};
  }
  if (bytes.size() > kAskFirstSize) {
    // Signed, so that the store says whether it is there for this account.
    const auto held = size_in(write("HEAD", blob_path(id), crypto::sha256({}), {}, {}), id);
    if (held && *held == bytes.size()) return {};
    // A refusal has words only in the answer to PUT.
    const Errc why = held ? Errc::not_found : held.error().code;
    if (why != Errc::not_found && why != Errc::unauthorised) return held.error();
  }
  const CrashEffect effect(CrashSite::upload);
  SP_ASSIGN(const net::HttpResponse response,
            write("PUT", blob_path(id), Digest32{id.data}, bytes, {{"if-none-match", "*"}}));
  // 412: it is there, and what is there has this digest.
  if (response.status == 200 || response.status == 201 || response.status == 412) return {};
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
  MemorySink sink(size_max);
  sink.bytes().reserve(std::min<std::size_t>(size_max, kChunkSizeMax + crypto::kGcmTagSize));
  SP_TRY(stream_unverified(id, 0, size_max, sink));
  return std::move(sink.bytes());
}

Status HttpStore::stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                                    ByteSink& sink) {
  BlobReceiver receiver(id, offset, size_max, sink);
  std::uint64_t counted = offset;
  for (unsigned attempt = 1;; ++attempt) {
    const std::uint64_t from = receiver.at();
    net::Headers headers;
    if (from > 0) {
      headers["range"] = "bytes=" + std::to_string(from) + "-";
      headers["if-range"] = entity_tag(id);
    }
    const auto answer = client_.download(base_url_ + blob_path(id), headers, receiver);
    if (answer && (answer->status == 200 || answer->status == 206)) return {};
    if (answer && answer->status == 416) {
      // Either all of it is there already, or the store has less of it than came before.
      SP_ASSIGN(const std::uint64_t whole, size(id));
      if (whole == from) return {};
      return Error{Errc::mismatch,
                   "blob " + id.hex() + " ends before byte " + std::to_string(from)};
    }
    if (receiver.at() - counted >= kProgressMin) {
      counted = receiver.at();
      attempt = 0;  // the next tries are the first ones again
    }
    if (receiver.gave_up() || !wait_after(std::max(attempt, 1U), answer)) {
      if (!answer) return answer.error();
      return error_of(*answer, "fetching blob " + id.hex());
    }
  }
}

Result<std::uint64_t> HttpStore::size(const BlobId& id) {
  return size_in(call("HEAD", blob_path(id)), id);
}

Result<std::uint64_t> HttpStore::size_in(const Result<net::HttpResponse>& answer,
                                         const BlobId& id) {
  if (!answer) return answer.error();
  const net::HttpResponse& response = *answer;
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

Status HttpStore::remove(const BlobId& id) {
  SP_CHECK(access_.signer != nullptr);
  // A deletion counts where it was signed later than the upload, in whole seconds: one ahead does.
  constexpr unsigned kTries = 3;  // where a deletion of this second went before
  for (unsigned attempt = 1;; ++attempt) {
    const CrashEffect effect(CrashSite::deletion);
    SP_ASSIGN(const net::HttpResponse response,
              write("DELETE", blob_path(id), crypto::sha256({}), {}, {}, 1));
    if (response.status == 204) return {};
    if (response.status == 425 && attempt < kTries) {
      access_.clock->sleep_for(std::chrono::seconds(1));
      continue;
    }
    Error error = error_of(response, "deleting blob " + id.hex());
    if (response.status == 409) error.code = Errc::refused;
    return error;
  }
}

Result<StorageReceipt> HttpStore::request_receipt(const PackageId& package, std::int64_t until) {
  const std::string body = Json{{"package", package.hex()}, {"until", until}}.dump();
  const CrashEffect effect(CrashSite::storage_receipt);
  SP_ASSIGN(const net::HttpResponse response,
            write("POST", "/v1/receipts", crypto::sha256(as_bytes(body)), as_bytes(body),
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
  SP_ASSIGN(const net::HttpResponse response, call("GET", "/v1/identity"));
  if (response.status != 200) return error_of(response, "asking for the store's address");
  SP_ASSIGN(const Json json, parse_json(as_text(response.body), kIdentityMax));
  JsonObject object(json, "identity");
  const auto address = object.fixed<Address>("address");
  SP_TRY(object.finish());
  return address;
}

}  // namespace sp::store
