// The parts that certificates and CRLs share (RFC 5280): names, times, extensions, algorithms; read
// from DER without copying. Private to crypto's x509.cpp and crl.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/der.hpp"

namespace sp::crypto {

inline constexpr std::size_t kExtensionCountMax = 32;
inline constexpr std::size_t kSerialSizeMax = 20;  // RFC 5280 section 4.1.2.2

/// What a signature says of how it was made: the whole AlgorithmIdentifier, compared by its bytes.
enum class SignatureKind : std::uint8_t { unknown, ecdsa_sha256, ecdsa_sha384, rsa_pss_sha384 };
SignatureKind signature_kind(ByteView algorithm);

/// SEQUENCE {to be signed, algorithm, BIT STRING}: what certificates and CRLs are from outside.
struct SignedParts {
  ByteView to_sign;    ///< whole element
  ByteView algorithm;  ///< whole element
  ByteView signature;  ///< bytes of the BIT STRING
};
Result<SignedParts> read_signed_parts(ByteView der);

/// The whole of a Name whose form is checked; `text` of it is RFC 2253, for people.
Result<ByteView> read_name(DerReader& reader);
std::string name_text(ByteView name);

/// UTCTime for years to 2049, GeneralizedTime from 2050 on, both with seconds and in "Z". Seconds
/// of Unix time.
Result<std::int64_t> read_time(DerReader& reader);
bool next_is_time(const DerReader& reader);

struct ExtensionView {
  ByteView oid;  ///< content of the OBJECT IDENTIFIER
  bool critical = false;
  ByteView value;  ///< content of the OCTET STRING
};
/// SEQUENCE OF Extension: at least one, none twice.
Result<std::vector<ExtensionView>> read_extensions(DerReader& reader);

/// The bytes of a BIT STRING of whole bytes.
Result<ByteView> read_bit_string(DerReader& reader);

/// The content of an OBJECT IDENTIFIER of dotted text; empty where it isn't one.
std::optional<Bytes> oid_content(std::string_view dotted);
/// Whether the content of an OBJECT IDENTIFIER is of its one form.
bool is_oid(ByteView content);

inline bool same_bytes(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace sp::crypto
