// X.509 certificates (RFC 5280), as far as chains of TEE vendors need them: parse, read fields and
// extensions, verify one certificate's signature by another's key, names, validity and CA
// constraints. Values; safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "crypto/ecdsa.hpp"

namespace sp::crypto {

inline constexpr std::size_t kCertificateSizeMax = 16 * 1024;
inline constexpr std::size_t kChainLengthMax = 8;

/// Bits of keyUsage by their place in it (RFC 5280 section 4.2.1.3).
enum class KeyUse : std::uint8_t { digital_signature = 0, key_cert_sign = 5, crl_sign = 6 };

class Certificate {
 public:
  /// Exactly one DER certificate of version 3. Errc::malformed (also for BER that isn't DER, for
  /// extensions that stand twice or contradict each other, for times that aren't RFC 5280's, for
  /// negative or over-long serial numbers), Errc::too_large.
  static Result<Certificate> from_der(ByteView der);
  /// All PEM certificates of a text, in order. Errc::malformed, Errc::too_large (over
  /// kChainLengthMax).
  static Result<std::vector<Certificate>> from_pem(std::string_view pem);

  [[nodiscard]] const Bytes& der() const;
  [[nodiscard]] std::string subject() const;  ///< RFC 2253 text, for people
  [[nodiscard]] std::string issuer() const;
  /// The DER of the names. Names are the same where these bytes are.
  [[nodiscard]] ByteView subject_der() const;
  [[nodiscard]] ByteView issuer_der() const;
  /// Big-endian without leading zeros (zero: one zero byte), at most 20 bytes.
  [[nodiscard]] ByteView serial() const;
  [[nodiscard]] std::int64_t not_before() const;  ///< seconds of Unix time
  [[nodiscard]] std::int64_t not_after() const;
  [[nodiscard]] bool is_ca() const;  ///< basicConstraints CA and keyUsage keyCertSign
  /// basicConstraints CA, and keyUsage cRLSign where there is a keyUsage.
  [[nodiscard]] bool may_sign_crls() const;
  /// Whether keyUsage allows it; empty where there is no keyUsage.
  [[nodiscard]] std::optional<bool> allows(KeyUse use) const;
  /// DER of the SubjectPublicKeyInfo.
  [[nodiscard]] Bytes public_key_info() const;
  /// The key, where it is on P-256 or P-384; null otherwise. It lives as long as a copy of this.
  [[nodiscard]] const EcPublic* ec_key() const;
  /// The value of an extension by dotted OID. Errc::not_found.
  [[nodiscard]] Result<Bytes> extension(const std::string& oid) const;
  /// Signature by `issuer`'s key, issuer name equal to its subject, and `issuer` a CA.
  /// Errc::bad_signature (also for SHA-1, MD5 and RSA keys below 2048 bits), Errc::mismatch.
  [[nodiscard]] Status verify_issued_by(const Certificate& issuer) const;
  /// Verifies a signature by this certificate's key over `message`; `algorithm` is the DER of the
  /// AlgorithmIdentifier. Known are ECDSA with SHA-256 or SHA-384 and RSASSA-PSS with SHA-384 and
  /// a salt of 48 bytes; Errc::bad_signature for all else.
  [[nodiscard]] Status verify_signed(ByteView algorithm, ByteView message,
                                     ByteView signature) const;
  /// What verify_chain asks of each certificate alone: valid at `at`, and no critical extension
  /// that isn't understood here. Errc::expired, Errc::unsupported.
  [[nodiscard]] Status check_alone(std::int64_t at) const;
  /// How many CA certificates may stand between this one and a leaf; empty where it sets no limit.
  [[nodiscard]] std::optional<std::size_t> path_length() const;

 private:
  struct Fields;
  explicit Certificate(std::shared_ptr<const Fields> fields) : fields_(std::move(fields)) {}
  std::shared_ptr<const Fields> fields_;  // immutable
};

/// The DER of every certificate of a PEM text, unread. Errc::malformed, Errc::too_large.
Result<std::vector<Bytes>> certificates_of_pem(std::string_view pem);

/// Verifies leaf ... root in order at `at` (seconds of Unix time): each issued by the next, all
/// within validity, path lengths kept, and the last self-signed with SHA-384 of its public key info
/// equal to `root_key_sha384`. Errc::mismatch (names, CA, path length, the root's key),
/// Errc::bad_signature, Errc::expired (over or not yet there), Errc::unsupported for a critical
/// extension other than basicConstraints and keyUsage, Errc::malformed for no certificate,
/// Errc::too_large over kChainLengthMax. Revocation is not looked at.
Status verify_chain(const std::vector<Certificate>& leaf_to_root, const Digest48& root_key_sha384,
                    std::int64_t at);

}  // namespace sp::crypto
