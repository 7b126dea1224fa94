// Hashes, MACs and key derivation. Safe to call from any thread; one Hasher belongs to one thread.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace sp::crypto {

using Md5 = FixedBytes<struct Md5Tag, 16>;

/// SHA-256 (FIPS 180-4).
Digest32 sha256(ByteView data);
/// SHA-256 of the concatenation.
Digest32 sha256(std::initializer_list<ByteView> parts);
/// SHA-384 (FIPS 180-4).
Digest48 sha384(ByteView data);
/// SHA-512 (FIPS 180-4).
Digest64 sha512(ByteView data);
/// MD5 (RFC 1321): broken, and here only because S3 servers name what they hold by it.
Md5 md5(ByteView data);
/// Keccak-256 with Ethereum's padding (not SHA3-256).
Digest32 keccak256(ByteView data);

/// SHA-256 or SHA-384 of a stream.
class Hasher {
 public:
  enum class Kind : std::uint8_t { sha256, sha384 };
  explicit Hasher(Kind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(ByteView data);
  /// The digest (32 or 48 bytes) of all data; the Hasher can't be used after it.
  Bytes finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HMAC-SHA-256 (RFC 2104).
Digest32 hmac_sha256(ByteView key, ByteView data);

/// HKDF-Extract with SHA-256 (RFC 5869 section 2.2).
Secret32 hkdf_extract(ByteView salt, ByteView input_key);
/// HKDF-Expand with SHA-256 (RFC 5869 section 2.3) into `out`; at most 255 * 32 bytes (CHECK).
void hkdf_expand(ByteView pseudorandom_key, ByteView info, MutableByteView out);
/// Extract and expand.
void hkdf(ByteView input_key, ByteView salt, ByteView info, MutableByteView out);

/// Whether two byte strings are the same, in time that depends on the sizes only.
bool equal_constant_time(ByteView a, ByteView b);

}  // namespace sp::crypto
