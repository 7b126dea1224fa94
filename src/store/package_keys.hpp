// What seals and opens the chunks of one package, derived from the content key and the manifest's
// header (FORMATS.md section 4). Immutable after it is made, so threads may share one.
#pragma once

#include "crypto/aead.hpp"
#include "store/package.hpp"

namespace sp::store {

class PackageKeys {
 public:
  PackageKeys(const Secret32& content_key, const Manifest& manifest);

  /// Ciphertext and tag of chunk `number` into `out` (plaintext.size() + crypto::kGcmTagSize).
  void seal(std::uint32_t number, bool last, ByteView plaintext, MutableByteView out) const;
  /// Errc::bad_signature where it doesn't open.
  Status open(std::uint32_t number, bool last, ByteView sealed, MutableByteView out) const;

 private:
  static constexpr std::size_t kPrefixSize = 7;

  [[nodiscard]] crypto::GcmNonce nonce(std::uint32_t number, bool last) const;

  Secret32 key_;
  std::array<std::uint8_t, kPrefixSize> nonce_prefix_{};
  Bytes header_;
};

/// HPKE's info of a wrapped content key.
Bytes wrapped_key_info(ByteView context);

}  // namespace sp::store
