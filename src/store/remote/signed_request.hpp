// Requests to a store that an account has signed (docs/FORMATS.md 4.4): the field
//
//   Authorization: SP-EIP712 account=0x<40 hex>,time=<seconds>,signature=0x<130 hex>
//
// over the EIP-712 type StoreRequest(address store,string method,string path,bytes32 content,
// uint64 time) under the domain {name "Super Protocol Store", version "1"}; content is the SHA-256
// of the body. The account stands in the field because any signature recovers to some account.
//
// A request counts within kRequestClockWindow of its time, and may be sent again by whoever saw it
// within that: what can be signed is idempotent, and names its store, so a replay changes nothing,
// but that an upload sent again after its deletion brings the blob back.
//
// Pure functions; safe to call from any thread.
#pragma once

#include <string>
#include <string_view>

#include "crypto/secp256k1.hpp"

namespace sp::store {

inline constexpr std::int64_t kRequestClockWindow = 300;  ///< seconds, to both sides
inline constexpr std::size_t kSignedFieldMax = 256;       ///< letters of the field's value

/// What is signed.
struct StoreRequest {
  Address store;  ///< the account that the store signs receipts with
  std::string_view method;
  std::string_view path;  ///< as in the request line, which has no escapes and no query
  Digest32 content;
  std::int64_t time = 0;  ///< seconds of Unix time, not negative (CHECK)

  [[nodiscard]] Digest32 digest() const;
};

/// The field's value, taken apart.
struct RequestSignature {
  Address account;
  std::int64_t time = 0;
  crypto::EthSignature signature;

  /// Errc::malformed, Errc::too_large. Each value has one spelling.
  static Result<RequestSignature> parse(std::string_view field);
  [[nodiscard]] std::string text() const;
  /// `request` with this signature's time. Errc::expired outside of the window around `now`,
  /// Errc::bad_signature.
  [[nodiscard]] Status verify(StoreRequest request, std::int64_t now) const;
};

/// The field's value for a request.
std::string sign_request(const crypto::EthKey& key, const StoreRequest& request);

}  // namespace sp::store
