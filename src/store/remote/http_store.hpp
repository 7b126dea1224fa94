// A blob store over HTTP: the client, and the service that `spnode store` runs over a
// DirectoryStore.
//
//   PUT  /v1/blobs/HEX   body = the bytes    201 kept, 200 was there, 409 digest differs,
//                                            413 too large, 507 full
//   GET  /v1/blobs/HEX   Range honoured      200, 206, 404, 416
//   HEAD /v1/blobs/HEX                       200 with Content-Length, 404
//   POST /v1/receipts    {"package": HEX, "until": seconds}
//                                            200 storage receipt, binary; 404 names what is
//                                            missing; 409 until is past or too far
//   GET  /v1/identity                        {"address": "0x..."}, the account that signs receipts
//   GET  /health                             "ok"
//
// HEX is 64 lower-case digits. One range in bytes is honoured; for any other Range the whole blob
// is the answer. Errors have a JSON body {"error": code, "message": text}.
#pragma once

#include <optional>

#include "base/sync.hpp"
#include "net/http.hpp"
#include "store/receipt.hpp"

namespace sp::store {

inline constexpr std::size_t kReceiptRequestMax = 1024;  ///< bytes of its JSON
inline constexpr std::size_t kErrorMessageMax = 256;     ///< of a store's words that are kept

/// Safe to call from any thread. A store that answers in no known way is Errc::unavailable, one
/// that is full Errc::io.
class HttpStore final : public BlobStore {
 public:
  /// `base_url` such as "http://127.0.0.1:8301". The client must outlive it.
  HttpStore(net::HttpCaller& client, std::string base_url);

  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  Result<std::uint64_t> size(const BlobId& id) override;
  /// Asks the store to promise the package until then. The signature isn't checked here: verify()
  /// against the expected address. Errc::not_found names what is missing, Errc::refused,
  /// Errc::mismatch for a receipt about something else.
  Result<StorageReceipt> request_receipt(const PackageId& package, std::int64_t until);
  /// The address that the store says it signs with.
  Result<Address> identity();

 private:
  net::HttpCaller& client_;
  std::string base_url_;  // without a slash at its end
};

/// Answers the requests above. Safe to call from any thread. What the constructor takes must
/// outlive it.
class StoreService {
 public:
  struct Options {
    std::uint64_t bytes_max = 0;  ///< of all blobs together; 0 = as much as the disk has
    std::int64_t keep_seconds_max = 365L * 24 * 3600;  ///< how far ahead a receipt may promise
  };
  StoreService(DirectoryStore& blobs, const crypto::EthKey& key, const Clock& clock,
               const Options& options);
  net::HttpResponse handle(const net::HttpRequest& request);

 private:
  net::HttpResponse handle_blob(const net::HttpRequest& request);
  net::HttpResponse put_blob(const BlobId& id, ByteView bytes);
  net::HttpResponse get_blob(const BlobId& id, const net::HttpRequest& request);
  net::HttpResponse head_blob(const BlobId& id);
  net::HttpResponse issue_receipt(const net::HttpRequest& request);
  Status reserve(std::size_t size);
  void release(std::size_t size);

  DirectoryStore& blobs_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  Options options_;
  Mutex mutex_;
  std::optional<std::uint64_t> bytes_used_;  // guarded by mutex_; counted at the first put
};

}  // namespace sp::store
