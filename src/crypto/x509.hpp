// X.509 certificates (RFC 5280), as far as chains of TEE vendors need them: parse, read fields and
// extensions, verify one certificate's signature by another's key, names, validity and CA
// constraints. Values; safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace sp::crypto {

inline constexpr std::size_t kCertificateSizeMax = 16 * 1024;
inline constexpr std::size_t kChainLengthMax = 8;

class Certificate {
 public:
  /// Exactly one DER certificate. Errc::malformed, Errc::too_large.
  static Result<Certificate> from_der(ByteView der);
  /// All PEM certificates of a text, in order. Errc::malformed, Errc::too_large (over
  /// kChainLengthMax).
  static Result<std::vector<Certificate>> from_pem(std::string_view pem);

  [[nodiscard]] const Bytes& der() const { return der_; }
  [[nodiscard]] std::string subject() const;  ///< RFC 2253 text, for people
  [[nodiscard]] std::string issuer() const;
  [[nodiscard]] std::int64_t not_before() const;  ///< seconds of Unix time
  [[nodiscard]] std::int64_t not_after() const;
  [[nodiscard]] bool is_ca() const;  ///< basicConstraints CA and keyUsage keyCertSign
  /// DER of the SubjectPublicKeyInfo.
  [[nodiscard]] Bytes public_key_info() const;
  /// The value of an extension by dotted OID. Errc::not_found; Errc::malformed where it stands
  /// twice.
  [[nodiscard]] Result<Bytes> extension(const std::string& oid) const;
  /// Signature by `issuer`'s key, issuer name equal to its subject, and `issuer` a CA.
  /// Errc::bad_signature, Errc::mismatch.
  [[nodiscard]] Status verify_issued_by(const Certificate& issuer) const;
  /// Verifies a message signed by this certificate's EC key (DER signature, hash of the curve).
  [[nodiscard]] Status verify_ec(ByteView message, ByteView der_signature) const;

 private:
  Certificate() = default;
  Bytes der_;
  std::shared_ptr<const void> x509_;  // an X509, immutable
};

/// Verifies leaf ... root in order at `at` (seconds of Unix time): each issued by the next, all
/// within validity, path lengths kept, and the last self-signed with SHA-384 of its public key info
/// equal to `root_key_sha384`.
Status verify_chain(const std::vector<Certificate>& leaf_to_root, const Digest48& root_key_sha384,
                    std::int64_t at);

}  // namespace sp::crypto
