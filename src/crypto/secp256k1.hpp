// Ethereum's signatures: ECDSA over secp256k1 with recovery, over 32-byte digests. Signatures that
// we make and that contracts and receipts accept are 65 bytes r || s || v with s in the lower half
// and v 27 or 28. Safe to call from any thread.
#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "base/world.hpp"

namespace sp::crypto {

using EthSignature = FixedBytes<struct EthSignatureTag, 65>;
using EthPublic = FixedBytes<struct EthPublicTag, 64>;  ///< uncompressed x || y, without the 0x04

/// A secp256k1 key that signs; move-only.
class EthKey {
 public:
  static EthKey generate(Random& random);
  /// Errc::malformed for zero or a value not below the group's order.
  static Result<EthKey> from_secret(Secret32 secret);

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] const EthPublic& public_key() const { return public_; }
  /// Deterministic (RFC 6979), low s.
  [[nodiscard]] EthSignature sign(const Digest32& digest) const;
  /// For keystore files only.
  [[nodiscard]] const Secret32& secret() const { return secret_; }

 private:
  EthKey() = default;
  Secret32 secret_;
  EthPublic public_;
  Address address_;
};

/// The account whose key made the signature. Errc::bad_signature for a high s, a v other than 27
/// and 28, and anything that recovers to nothing.
Result<Address> recover(const Digest32& digest, const EthSignature& signature);

/// Errc::bad_signature unless `signer` made the signature (same strictness as recover).
Status verify_eth(const Digest32& digest, const EthSignature& signature, const Address& signer);

/// Plain ECDSA verification of a DER signature (strict DER; high s is accepted, as ECDSA does).
/// `public_key` is an SEC1 point, compressed or not: Errc::malformed where it isn't one.
/// Errc::bad_signature.
Status verify_secp256k1_der(ByteView public_key, const Digest32& digest, ByteView der_signature);

/// The account of a public key: the last 20 bytes of its Keccak-256.
Address address_of(const EthPublic& public_key);

}  // namespace sp::crypto
