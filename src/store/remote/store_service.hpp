// What `spnode store` answers over HTTP (docs/FORMATS.md 4.4):
//
//   PUT  /v1/blobs/HEX   body = the bytes    201 kept, 200 was there, 409 digest differs,
//                                            412 was there and If-None-Match is "*", 413 too large,
//                                            507 full, or over the account's quota, with what to do
//   GET  /v1/blobs/HEX   Range, If-Range, If-Match, If-None-Match honoured
//                                            200, 206, 304, 404, 412, 416
//   HEAD /v1/blobs/HEX                       200 with Content-Length, 304, 404, 412
//   DELETE /v1/blobs/HEX                     204 gone, or was not there, or stays for its other
//                                            owners, or for a promise to others; 403 not an
//                                            owner's; 409 promised to the account by a receipt; 425
//                                            signed before the blob was brought last; 503 what
//                                            holds it can't be told yet (promise_book.hpp)
//   POST /v1/receipts    {"package": HEX, "until": seconds}
//                                            200 storage receipt, binary; 403 not the owner's of
//                                            all; 404 names what is missing; 409 until is past or
//                                            too far; 503 other large packages are looked at; 507
//                                            no room for more promises, with Retry-After
//   GET  /v1/identity                        {"address": "0x..."}, the account that signs receipts
//   GET  /health                             "ok"
//
// HEX is 64 lower-case digits. One range in bytes is honoured; for any other Range the whole blob
// is the answer. PUT, POST and DELETE are signed (signed_request.hpp): 401 without a good
// signature, 403 for an account that may not write, 429 for one that has too many at once. Any may
// be 503: the bucket is away. 429 and 503 say when to try again, in words and as Retry-After.
// Reading is for all: what lies here is sealed, and named by digest. A HEAD that is signed is
// answered as if the blob weren't there where it isn't the account's: whoever then puts it owns it.
// Errors have a JSON body
// {"error": code, "message": text}.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "base/sync.hpp"

#include "net/http.hpp"
#include "store/receipt.hpp"
#include "store/remote/account_book.hpp"
#include "store/remote/left_blobs.hpp"
#include "store/remote/promise_book.hpp"
#include "store/remote/receipt_turns.hpp"
#include "store/remote/signed_request.hpp"

namespace sp::store {

inline constexpr std::size_t kReceiptRequestMax = 1024;  ///< bytes of its JSON
/// Bytes of a manifest of about a thousand chunks. The receipt of a larger package takes a turn.
inline constexpr std::size_t kSmallManifestMax = 32 << 10;
/// When to ask again for a promise that there is no room for. Promises take days to end.
inline constexpr std::chrono::seconds kPromisesRetryAfter{3600};

/// Answers the requests above. Safe to call from any thread. What the constructor takes must
/// outlive it.
class StoreService {
 public:
  struct Options {
    std::uint64_t bytes_max = 0;  ///< of all blobs together; 0 = as much as the disk has
    std::int64_t keep_seconds_max = 365L * 24 * 3600;  ///< how far ahead a receipt may promise
    bool anonymous_writes = false;                     ///< whoever doesn't sign may write as well
  };
  /// Without a book of accounts nobody who signs may write, and so nobody deletes; with one there
  /// has to be one of promises (CHECK). Where there is a limit, counts what is there: nothing else
  /// may write there any more.
  StoreService(RangedStore& blobs, const crypto::EthKey& key, const Clock& clock,
               AccountBook* accounts, PromiseBook* promises, const Options& options);
  net::HttpResponse handle(const net::HttpRequest& request);
  /// Ownerships that ended by DELETE since the start.
  [[nodiscard]] std::uint64_t deleted() const { return deleted_; }

 private:
  class Writer;
  net::HttpResponse handle_blob(const net::HttpRequest& request);
  net::HttpResponse put_blob(const BlobId& id, const net::HttpRequest& request);
  net::HttpResponse keep(const BlobId& id, const net::HttpRequest& request,
                         const std::optional<RequestSignature>& who);
  net::HttpResponse keep_new(const BlobId& id, ByteView bytes,
                             const std::optional<RequestSignature>& who);
  net::HttpResponse delete_blob(const BlobId& id, const net::HttpRequest& request);
  net::HttpResponse end(const BlobId& id, const RequestSignature& who);
  Status end_ownership(const BlobId& id, const Address& account, AccountBook::Share share,
                       std::int64_t signed_at);
  void remove_left();
  Status end_left(const BlobId& id, std::int64_t now);
  net::HttpResponse get_blob(const BlobId& id, const net::HttpRequest& request);
  net::HttpResponse head_blob(const BlobId& id, const net::HttpRequest& request);
  net::HttpResponse issue_receipt(const net::HttpRequest& request);
  Result<StorageReceipt> promise(const PackageId& id, std::int64_t until,
                                 const std::optional<RequestSignature>& who);
  [[nodiscard]] Result<std::optional<RequestSignature>> who_asks(
      const net::HttpRequest& request) const;
  [[nodiscard]] Status check_signed(const net::HttpRequest& request,
                                    const std::optional<RequestSignature>& signature,
                                    const Digest32& content) const;
  [[nodiscard]] Result<std::uint64_t> count_used() const;
  Status reserve(std::size_t size);
  void release(std::size_t size);

  RangedStore& blobs_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  AccountBook* accounts_;
  PromiseBook* promises_;
  const Options options_;
  std::array<Mutex, 64> writing_;  // by a blob's first byte: one writes it at a time
  std::atomic<std::uint64_t> deleted_ = 0;
  ReceiptTurns receipts_{clock_};
  LeftBlobs left_;
  Mutex mutex_;
  Result<std::uint64_t> bytes_used_ = std::uint64_t{0};  // where there's a limit; under mutex_
};

}  // namespace sp::store
