// HPKE base mode (RFC 9180), one suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
// AES-256-GCM 0x0002, and its X25519 keys (RFC 7748). Single shot: every message has its own
// encapsulated key. Safe to call from any thread.
#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "base/world.hpp"

namespace sp::crypto {

using X25519Public = FixedBytes<struct X25519PublicTag, 32>;

struct X25519KeyPair {
  Secret32 secret;
  X25519Public public_key;

  static X25519KeyPair generate(Random& random);
  static X25519KeyPair from_secret(Secret32 secret);
};

/// The raw shared secret. Errc::refused for a low-order public key (all-zero result, RFC 7748
/// section 6.1).
Result<Secret32> x25519(const Secret32& secret, const X25519Public& public_key);

inline constexpr std::size_t kHpkeOverhead = 32 + 16;  ///< encapsulated key and tag

/// enc || ciphertext || tag, sealed to `recipient`. Errc::refused for a low-order key.
Result<Bytes> hpke_seal(Random& random, const X25519Public& recipient, ByteView info, ByteView aad,
                        ByteView plaintext);

/// Opens what hpke_seal made. Errc::malformed where it is too short, Errc::bad_signature where it
/// doesn't open.
Result<SecretBytes> hpke_open(const X25519KeyPair& recipient, ByteView info, ByteView aad,
                              ByteView sealed);

}  // namespace sp::crypto
