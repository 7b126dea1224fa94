// ECDSA over P-256 and P-384 (FIPS 186-4) and RSA-PSS verification, with keys as raw points or
// numbers. Safe to call from any thread.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "base/world.hpp"

namespace sp::crypto {

enum class Curve : std::uint8_t { p256, p384 };

/// A public key that verifies; a value.
class EcPublic {
 public:
  /// `point` is SEC1 uncompressed without the 0x04: x || y. Errc::malformed for a wrong size or a
  /// point off the curve.
  static Result<EcPublic> from_point(Curve curve, ByteView point);

  [[nodiscard]] Curve curve() const { return curve_; }
  [[nodiscard]] const Bytes& point() const { return point_; }
  /// Verifies r || s (fixed size) over SHA-256 (P-256) or SHA-384 (P-384) of `message`.
  /// Errc::bad_signature.
  [[nodiscard]] Status verify_raw(ByteView message, ByteView signature) const;
  /// Verifies a DER signature (strict DER only).
  [[nodiscard]] Status verify_der(ByteView message, ByteView signature) const;
  /// Verifies a DER signature over a digest of at least 32 bytes (CHECK).
  [[nodiscard]] Status verify_digest(ByteView digest, ByteView signature) const;

 private:
  EcPublic() = default;
  Curve curve_ = Curve::p256;
  Bytes point_;
  std::shared_ptr<const void> key_;  // an EVP_PKEY, immutable
};

/// A private key that signs; move-only.
class EcKey {
 public:
  static EcKey generate(Curve curve, Random& random);
  /// `secret` is the big-endian scalar (32 or 48 bytes). Errc::malformed outside 1..n-1.
  static Result<EcKey> from_secret(Curve curve, SecretBytes secret);

  [[nodiscard]] const EcPublic& public_key() const { return *public_; }
  [[nodiscard]] const SecretBytes& secret() const { return secret_; }
  /// r || s over the hash of `message` that belongs to the curve.
  [[nodiscard]] Bytes sign_raw(ByteView message) const;

 private:
  EcKey() = default;
  SecretBytes secret_;
  std::shared_ptr<const EcPublic> public_;
  std::shared_ptr<const void> key_;
};

/// RSA-PSS (RFC 8017) with SHA-384, MGF1-SHA-384, salt of 48 bytes: AMD's. `modulus` and `exponent`
/// big-endian, modulus 2048 to 4096 bits, exponent odd and of 2 to 64 bits: Errc::malformed
/// otherwise. Errc::bad_signature.
Status verify_rsa_pss_sha384(ByteView modulus, ByteView exponent, ByteView message,
                             ByteView signature);

}  // namespace sp::crypto
