// Keys from passwords (scrypt, PBKDF2) and AES-128-CTR, as keystore files of others need them.
// Nothing of our own formats uses them. Safe to call from any thread.
#pragma once

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace sp::crypto {

inline constexpr std::uint64_t kScryptMemoryMax = std::uint64_t{1} << 30;  ///< bytes
inline constexpr std::uint64_t kScryptWorkMax = std::uint64_t{1} << 24;    ///< n * r * p: seconds
inline constexpr std::uint32_t kPbkdf2IterationsMax = 10'000'000;          ///< seconds

struct ScryptCost {
  std::uint64_t n = 0;  ///< a power of two from 2
  std::uint32_t r = 0;
  std::uint32_t p = 0;
};

/// scrypt (RFC 7914) into `out`. Errc::malformed for parameters that aren't scrypt's,
/// Errc::too_large beyond the limits above.
Status scrypt(ByteView password, ByteView salt, ScryptCost cost, MutableByteView out);

/// PBKDF2 with HMAC-SHA-256 (RFC 8018) into `out`. Errc::malformed for no iterations,
/// Errc::too_large beyond the limit above.
Status pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t iterations,
                     MutableByteView out);

/// AES-128 in counter mode (the same for both directions) from `in` into `out`, of the same size
/// (CHECK). `key` and `counter` are 16 bytes (CHECK). Unauthenticated.
void aes128_ctr(ByteView key, ByteView counter, ByteView in, MutableByteView out);

}  // namespace sp::crypto
