// A blob store over HTTP: the client. docs/FORMATS.md 4.4 says what goes over the wire;
// store_service.hpp is the other end.
//
// Nothing is believed but digests and signatures. What is there already isn't sent again: a blob of
// over kAskFirstSize bytes is asked for by HEAD before it is put, which doesn't tell what the
// store's disk has damaged. A transfer that breaks off is tried again as StoreAccess says; a reader
// goes on at the byte where it broke.
#pragma once

#include <optional>

#include "base/sync.hpp"
#include "net/http.hpp"
#include "store/receipt.hpp"
#include "store/remote/backoff.hpp"

namespace sp::store {

inline constexpr std::size_t kErrorMessageMax = 256;  ///< of a store's words that are kept
inline constexpr std::size_t kAskFirstSize = 64 << 10;

/// How a store is used. What it points to must outlive the store.
struct StoreAccess {
  const crypto::EthKey* signer = nullptr;  ///< of what writes; none: anonymous
  std::optional<Address> store;            ///< its account; absent: what it says itself, asked once
  const Clock* clock = nullptr;            ///< with a signer, and with more than one attempt
  Random* random = nullptr;                ///< with more than one attempt
  Backoff backoff;
};

/// Safe to call from any thread. A store that answers in no known way is Errc::unavailable, one
/// that is full, or whose quota is used up, Errc::io; Errc::unauthorised where it wants another
/// signature.
class HttpStore final : public BlobStore {
 public:
  /// `base_url` such as "http://127.0.0.1:8301". The client must outlive it.
  HttpStore(net::HttpCaller& client, std::string base_url, StoreAccess access = {});

  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  Status stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                           ByteSink& sink) override;
  Result<std::uint64_t> size(const BlobId& id) override;
  /// Signed, for StoreAccess.signer (CHECK).
  Status remove(const BlobId& id) override;
  /// Asks the store to promise the package until then. The signature isn't checked here: verify()
  /// against the expected address. Errc::not_found names what is missing, Errc::refused,
  /// Errc::mismatch for a receipt about something else.
  Result<StorageReceipt> request_receipt(const PackageId& package, std::int64_t until);
  /// The address that the store says it signs with.
  Result<Address> identity();

 private:
  Result<net::HttpResponse> call(const std::string& method, const std::string& path,
                                 ByteView body = {}, const net::Headers& headers = {});
  /// Signs and sends; `ahead` are seconds that the signature is for the future.
  Result<net::HttpResponse> write(const std::string& method, const std::string& path,
                                  const Digest32& content, ByteView body, net::Headers headers,
                                  std::int64_t ahead = 0);
  Result<Address> signed_for();
  Result<std::uint64_t> size_in(const Result<net::HttpResponse>& answer, const BlobId& id);
  bool wait_after(unsigned attempt, const Result<net::HttpResponse>& answer);

  net::HttpCaller& client_;
  std::string base_url_;  // without a slash at its end
  const StoreAccess access_;
  Mutex mutex_;
  std::optional<Address> told_;  // guarded by mutex_: what the store says its account is
};

}  // namespace sp::store
