// X.509 certificates (RFC 5280), as far as chains of TEE vendors need them: parse, read fields and
// extensions, verify one certificate's signature by another's key, names, validity and CA
// constraints. Values; safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace sp::crypto {

inline constexpr std::size_t kCertificateSizeMax = 16 * 1024;
inline constexpr std::size_t kChainLengthMax = 8;
/// Bits of security that a signature's digest and key must have (NIST SP 800-57: RSA-2048, P-256).
inline constexpr int kSignatureBitsMin = 112;

class Certificate {
 public:
  /// Exactly one DER certificate. Errc::malformed (also for BER that isn't DER and for standard
  /// extensions that contradict each other), Errc::too_large.
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
  /// Errc::bad_signature (also for SHA-1, MD5 and keys below kSignatureBitsMin), Errc::mismatch.
  [[nodiscard]] Status verify_issued_by(const Certificate& issuer) const;
  /// Verifies a message signed by this certificate's EC key (DER signature, hash of the curve).
  /// Errc::unsupported for a key that isn't on P-256 or P-384, Errc::bad_signature.
  [[nodiscard]] Status verify_ec(ByteView message, ByteView der_signature) const;
  /// What verify_chain asks of each certificate alone: valid at `at`, and no critical extension
  /// that isn't understood here. Errc::expired, Errc::unsupported.
  [[nodiscard]] Status check_alone(std::int64_t at) const;
  /// How many CA certificates may stand between this one and a leaf; empty where it sets no limit.
  [[nodiscard]] std::optional<std::size_t> path_length() const;

 private:
  Certificate() = default;
  Bytes der_;
  std::shared_ptr<const void> x509_;  // an X509, immutable
};

/// Verifies leaf ... root in order at `at` (seconds of Unix time): each issued by the next, all
/// within validity, path lengths kept, and the last self-signed with SHA-384 of its public key info
/// equal to `root_key_sha384`. Errc::mismatch (names, CA, path length, the root's key),
/// Errc::bad_signature, Errc::expired (over or not yet there), Errc::unsupported for a critical
/// extension other than basicConstraints and keyUsage, Errc::malformed for no certificate,
/// Errc::too_large over kChainLengthMax. Revocation is not looked at.
Status verify_chain(const std::vector<Certificate>& leaf_to_root, const Digest48& root_key_sha384,
                    std::int64_t at);

}  // namespace sp::crypto
