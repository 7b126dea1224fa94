// AES-256-GCM (NIST SP 800-38D) with 12-byte nonces and 16-byte tags. An Aes256Gcm belongs to one
// thread at a time; making one expands the key once, so use it for many messages.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace sp::crypto {

inline constexpr std::size_t kGcmTagSize = 16;
inline constexpr std::size_t kGcmNonceSize = 12;
using GcmNonce = std::array<std::uint8_t, kGcmNonceSize>;

class Aes256Gcm {
 public:
  explicit Aes256Gcm(const Secret32& key);
  ~Aes256Gcm();
  Aes256Gcm(Aes256Gcm&&) noexcept;
  Aes256Gcm& operator=(Aes256Gcm&&) noexcept;

  /// Writes ciphertext and tag to `out`, which must have plaintext.size() + kGcmTagSize bytes
  /// (CHECK). A nonce must never be used twice with a key. `out` may begin where `plaintext` does;
  /// they must not overlap in another way.
  void seal(const GcmNonce& nonce, ByteView aad, ByteView plaintext, MutableByteView out);
  /// Writes the plaintext to `out`, which must have sealed.size() - kGcmTagSize bytes (CHECK). On
  /// Errc::bad_signature `out` is wiped. Errc::malformed where `sealed` is shorter than a tag.
  /// `out` may begin where `sealed` does.
  Status open(const GcmNonce& nonce, ByteView aad, ByteView sealed, MutableByteView out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sp::crypto
