// RSASSA-PKCS1-v1_5 verification (RFC 8017 section 8.2), as TPMs sign. Safe to call from any
// thread.
#pragma once

#include "base/bytes.hpp"

namespace sp::crypto {

inline constexpr std::size_t kRsaModulusBitsMin = 2048;
inline constexpr std::size_t kRsaModulusBitsMax = 4096;

/// `modulus` (odd, of kRsaModulusBitsMin to kRsaModulusBitsMax bits) and `exponent` (odd, of 2 to
/// 64 bits) are big-endian, without leading zeros: Errc::malformed otherwise. Errc::bad_signature.
Status verify_rsa_pkcs1_sha256(ByteView modulus, ByteView exponent, ByteView message,
                               ByteView signature);
/// The same with SHA-384.
Status verify_rsa_pkcs1_sha384(ByteView modulus, ByteView exponent, ByteView message,
                               ByteView signature);

}  // namespace sp::crypto
