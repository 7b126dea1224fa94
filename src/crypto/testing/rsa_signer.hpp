// An RSA key that signs as TPMs do (RSASSA-PKCS1-v1_5), for tests. Linked into tests only.
#pragma once

#include <memory>

#include "base/bytes.hpp"

namespace sp::crypto::testing {

class RsaSigner {
 public:
  /// A fresh key of `bits`; its randomness is OpenSSL's own.
  explicit RsaSigner(unsigned bits = 2048);

  [[nodiscard]] const Bytes& modulus() const { return modulus_; }    ///< big-endian
  [[nodiscard]] const Bytes& exponent() const { return exponent_; }  ///< big-endian
  [[nodiscard]] Bytes sign_sha256(ByteView message) const;
  [[nodiscard]] Bytes sign_sha384(ByteView message) const;

 private:
  std::shared_ptr<const void> key_;  // an EVP_PKEY, immutable
  Bytes modulus_, exponent_;
};

}  // namespace sp::crypto::testing
