// A certificate authority for tests: issues X.509 certificates and CRLs of every form, good and
// bad, with ECDSA keys (P-256, P-384) and RSA-PSS keys (SHA-384, salt of 48 bytes: AMD's form).
// What it writes is DER of its own, so that a test decides about every byte. Linked into tests
// only; wrong use ends in CHECK.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/der.hpp"
#include "crypto/ecdsa.hpp"

namespace sp::crypto::testing {

// ---- DER ----

/// One element: tag, length, the parts.
Bytes der(DerTag tag, std::initializer_list<ByteView> parts);
Bytes der(DerTag tag, const std::vector<Bytes>& parts);
/// An object identifier from dotted text.
Bytes der_oid(std::string_view dotted);
/// INTEGER of a big-endian number that isn't negative.
Bytes der_integer(ByteView big_endian);
Bytes der_integer(std::uint64_t number);
/// UTCTime before 2050, GeneralizedTime from then on (RFC 5280 section 4.1.2.5).
Bytes der_time(std::int64_t at);

inline constexpr std::string_view kCommonName = "2.5.4.3";
struct NameField {
  std::string oid;
  std::string value;
};
/// A Name of UTF8String fields, in order.
Bytes der_name(const std::vector<NameField>& fields);
Bytes common_name(const std::string& value);

// ---- Keys ----

/// A key that signs certificates, CRLs and messages.
class SigningKey {
 public:
  static SigningKey ec(Curve curve, Random& random);
  /// A fresh RSA key of `bits`, for RSASSA-PSS signatures; its randomness is OpenSSL's own.
  static SigningKey rsa(unsigned bits = 2048);

  /// DER of the SubjectPublicKeyInfo.
  [[nodiscard]] const Bytes& public_key_info() const { return info_; }
  /// AlgorithmIdentifier of what sign() makes.
  [[nodiscard]] const Bytes& algorithm() const { return algorithm_; }
  /// A signature as certificates hold it (ECDSA: DER, over the hash of the curve).
  [[nodiscard]] Bytes sign(ByteView message) const;
  /// The EC key; CHECK for RSA.
  [[nodiscard]] const EcKey& ec_key() const;

 private:
  SigningKey() = default;
  std::shared_ptr<const EcKey> ec_;
  std::shared_ptr<const void> rsa_;
  Bytes info_;
  Bytes algorithm_;
};

// ---- Certificates and CRLs ----

struct Extension {
  std::string oid;
  bool critical = false;
  Bytes value;  ///< the content of the OCTET STRING
};

/// Bits of keyUsage by their place (RFC 5280 section 4.2.1.3).
enum KeyUsage : std::uint16_t {
  kDigitalSignature = 1U << 0,
  kNonRepudiation = 1U << 1,
  kKeyCertSign = 1U << 5,
  kCrlSign = 1U << 6,
};
/// The DER of a keyUsage extension's value.
Bytes key_usage_value(std::uint16_t bits);

struct CertificateRecipe {
  Bytes subject;
  Bytes issuer;
  Bytes serial = {7};  ///< big-endian, not negative
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::optional<bool> ca;                    ///< basicConstraints, critical; absent: none
  std::optional<std::uint64_t> path_length;  ///< of basicConstraints
  std::optional<std::uint16_t> key_usage;    ///< critical; absent: none
  std::vector<Extension> extensions;         ///< after the two above
  // What only bad certificates change.
  std::optional<Bytes> version = Bytes{2};  ///< content of the INTEGER; absent: no field
  std::optional<Bytes> serial_content;      ///< content of the INTEGER in place of `serial`
  std::optional<Bytes> validity;            ///< the whole element
  std::optional<Bytes> inner_algorithm;
  std::optional<Bytes> outer_algorithm;
};
/// A certificate of the key `subject_key_info`, signed by `issuer_key`.
Bytes issue(const CertificateRecipe& recipe, ByteView subject_key_info,
            const SigningKey& issuer_key);

struct RevokedEntry {
  Bytes serial;
  std::int64_t at = 0;
  std::vector<Extension> extensions;
};

struct CrlRecipe {
  Bytes issuer;
  std::int64_t this_update = 0;
  std::optional<std::int64_t> next_update;
  std::vector<RevokedEntry> revoked;
  std::vector<Extension> extensions;
  // What only bad CRLs change.
  std::optional<Bytes> version = Bytes{1};
  std::optional<Bytes> inner_algorithm;
};
Bytes issue_crl(const CrlRecipe& recipe, const SigningKey& issuer_key);

/// PEM (RFC 7468) of one certificate.
std::string pem(ByteView certificate_der);

}  // namespace sp::crypto::testing
