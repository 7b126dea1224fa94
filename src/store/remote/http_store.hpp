// A blob store over HTTP: the client, and the service that `spnode store` runs over a
// DirectoryStore.
//
//   PUT  /v1/blobs/HEX      body = the bytes        201 kept, 200 was there, 409 digest differs,
//   413 too large, 507 full GET  /v1/blobs/HEX      Range honoured           200, 206, 404, 416
//   HEAD /v1/blobs/HEX                               200 with Content-Length, 404
//   POST /v1/receipts       {"package": HEX, "until": seconds}   200 storage receipt, binary; 404
//   names what is missing; 409 until too far GET  /v1/identity       {"address": "0x..."}     the
//   account that signs receipts GET  /health            "ok"
// Errors have a JSON body {"error": code, "message": text}.
#pragma once

#include <memory>

#include "net/http.hpp"
#include "store/receipt.hpp"

namespace sp::store {

class HttpStore final : public BlobStore {
 public:
  /// `base_url` such as "http://127.0.0.1:8301". The client must outlive it.
  HttpStore(net::HttpClient& client, std::string base_url);

  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<std::uint64_t> size(const BlobId& id) override;
  /// Asks the store to promise the package until then. The signature isn't checked here: verify()
  /// against the expected address.
  Result<StorageReceipt> request_receipt(const PackageId& package, std::int64_t until);
  /// The address that the store says it signs with.
  Result<Address> identity();

 private:
  net::HttpClient& client_;
  std::string base_url_;
};

/// Answers the requests above. Safe to call from any thread.
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
  DirectoryStore& blobs_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  Options options_;
};

}  // namespace sp::store
