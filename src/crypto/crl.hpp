// Certificate revocation lists (RFC 5280 section 5), as far as TEE vendors issue them: complete
// lists of one issuer, version 2. Values; safe from any thread.
#pragma once

#include <memory>

#include "crypto/x509.hpp"

namespace sp::crypto {

inline constexpr std::size_t kCrlSizeMax = 256 * 1024;
inline constexpr std::size_t kCrlEntriesMax = 16 * 1024;

class Crl {
 public:
  /// Exactly one DER list of version 2 with both times. Errc::malformed; Errc::too_large;
  /// Errc::unsupported for a critical extension that isn't understood here (also an entry's), and
  /// for delta and indirect lists.
  static Result<Crl> from_der(ByteView der);

  [[nodiscard]] const Bytes& der() const;
  [[nodiscard]] std::string issuer() const;  ///< RFC 2253 text, for people
  [[nodiscard]] ByteView issuer_der() const;
  [[nodiscard]] std::int64_t this_update() const;  ///< seconds of Unix time
  [[nodiscard]] std::int64_t next_update() const;
  [[nodiscard]] std::size_t size() const;  ///< how many certificates it revokes
  /// Signature by `issuer`'s key, name equal to its subject, and `issuer` a CA that may sign lists.
  /// Errc::mismatch, Errc::bad_signature.
  [[nodiscard]] Status verify_issued_by(const Certificate& issuer) const;
  /// Whether it revokes the certificate of its issuer with this serial (Certificate::serial()).
  [[nodiscard]] bool contains(ByteView serial) const;

 private:
  struct Fields;
  explicit Crl(std::shared_ptr<const Fields> fields) : fields_(std::move(fields)) {}
  std::shared_ptr<const Fields> fields_;  // immutable
};

}  // namespace sp::crypto
