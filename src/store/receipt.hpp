// Storage receipts: a store's signed word that it holds a whole package until a stated time
// (FORMATS.md section 4).
#pragma once

#include "crypto/secp256k1.hpp"
#include "store/package.hpp"

namespace sp::store {

/// EIP-712 type StorageReceipt(bytes32 package,uint64 size,uint64 until) under the domain {name
/// "Super Protocol Store", version "1"}: it belongs to no chain.
struct StorageReceipt {
  PackageId package;
  std::uint64_t size = 0;  ///< bytes of manifest and chunks
  std::int64_t until = 0;  ///< seconds of Unix time
  crypto::EthSignature signature;

  [[nodiscard]] Digest32 digest() const;
  [[nodiscard]] Bytes encode() const;
  static Result<StorageReceipt> decode(ByteView bytes);
  /// Errc::bad_signature unless `store` signed it.
  [[nodiscard]] Status verify(const Address& store) const;
  bool operator==(const StorageReceipt&) const = default;
};

/// Signs after having seen that manifest and every chunk are in `blobs` with the right sizes.
/// Errc::not_found names what is missing, Errc::mismatch.
Result<StorageReceipt> issue_storage_receipt(BlobStore& blobs, const PackageId& package,
                                             std::int64_t until, const crypto::EthKey& key);

}  // namespace sp::store
