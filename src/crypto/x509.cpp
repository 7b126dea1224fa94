#include "crypto/x509.hpp"

#include "crypto/hash.hpp"
#include "crypto/pem.hpp"
#include "crypto/x509_parts.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kPemSizeMax = 2 * kChainLengthMax * kCertificateSizeMax;
constexpr std::string_view kPemLabel = "CERTIFICATE";  // RFC 7468 section 5
constexpr std::uint64_t kVersion3 = 2;                 // RFC 5280 section 4.1.2.1
constexpr std::size_t kModulusSizeMax = 4096 / 8;
constexpr std::size_t kExponentSizeMax = 8;
constexpr std::size_t kKeyUsageBitsMax = 9;

// Contents of object identifiers: RFC 5480 section 2.1.1, RFC 3279 section 2.3.1, RFC 5280.
constexpr std::uint8_t kEcPublicKey[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr std::uint8_t kP256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t kP384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t kRsaEncryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
constexpr std::uint8_t kBasicConstraints[] = {0x55, 0x1d, 0x13};
constexpr std::uint8_t kKeyUsage[] = {0x55, 0x1d, 0x0f};

Error malformed(std::string_view what) {
  return {Errc::malformed, "certificate: " + std::string(what)};
}

Error bad_signature(std::string what) { return {Errc::bad_signature, std::move(what)}; }

}  // namespace

// Views are into `der`, which never moves.
struct Certificate::Fields {
  Bytes der;
  SignedParts parts;
  ByteView serial;
  ByteView issuer;
  ByteView subject;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  ByteView key_info;
  std::optional<EcPublic> ec_key;
  ByteView rsa_modulus, rsa_exponent;  // empty: no RSA key
  std::vector<ExtensionView> extensions;
  bool constrained_ca = false;  // basicConstraints CA
  std::optional<std::uint64_t> path_length;
  std::optional<std::uint16_t> key_usage;

  Status read();
  Status read_to_be_signed();
  Status read_validity(DerReader& fields);
  Status read_key(DerReader& fields);
  Status read_ec_key(DerReader& algorithm, ByteView bits);
  Status read_rsa_key(DerReader& algorithm, ByteView bits);
  Status read_known_extensions();
  Status read_basic_constraints(ByteView value);
  Status read_key_usage(ByteView value);
  [[nodiscard]] bool allows(KeyUse use) const {
    return key_usage && (unsigned{*key_usage} >> static_cast<unsigned>(use) & 1U) != 0;
  }
};

Status Certificate::Fields::read() {
  SP_ASSIGN(parts, read_signed_parts(der));
  SP_TRY(read_to_be_signed());
  return read_known_extensions();
}

Status Certificate::Fields::read_to_be_signed() {
  DerReader outer(parts.to_sign);
  SP_ASSIGN(DerReader fields, outer.enter(DerTag::sequence));
  SP_ASSIGN(DerReader version, fields.enter(der_context(0, true)));
  SP_ASSIGN(const std::uint64_t number, version.number());
  if (number != kVersion3 || !version.at_end()) return malformed("its version isn't 3");
  SP_ASSIGN(serial, fields.unsigned_integer(kSerialSizeMax));
  SP_ASSIGN(const DerElement algorithm, fields.next());
  if (!same_bytes(algorithm.whole, parts.algorithm)) {
    return malformed("two different signature algorithms");
  }
  SP_ASSIGN(issuer, read_name(fields));
  SP_TRY(read_validity(fields));
  SP_ASSIGN(subject, read_name(fields));
  SP_TRY(read_key(fields));
  // Unique identifiers ([1], [2]) are of certificates that nobody issues (RFC 5280 4.1.2.8).
  if (fields.at_end()) return {};
  SP_ASSIGN(DerReader wrapper, fields.enter(der_context(3, true)));
  SP_TRY(fields.finish());
  SP_ASSIGN(extensions, read_extensions(wrapper));
  return wrapper.finish();
}

Status Certificate::Fields::read_validity(DerReader& fields) {
  SP_ASSIGN(DerReader times, fields.enter(DerTag::sequence));
  SP_ASSIGN(not_before, read_time(times));
  SP_ASSIGN(not_after, read_time(times));
  if (not_after < not_before) return malformed("its validity ends before it begins");
  return times.finish();
}

Status Certificate::Fields::read_key(DerReader& fields) {
  SP_ASSIGN(const DerElement info, fields.next());
  key_info = info.whole;
  DerReader outer(info.whole);
  SP_ASSIGN(DerReader key, outer.enter(DerTag::sequence));
  SP_ASSIGN(DerReader algorithm, key.enter(DerTag::sequence));
  SP_ASSIGN(const ByteView bits, read_bit_string(key));
  SP_TRY(key.finish());
  SP_ASSIGN(const ByteView kind, algorithm.read(DerTag::oid));
  if (same_bytes(kind, kEcPublicKey)) return read_ec_key(algorithm, bits);
  if (same_bytes(kind, kRsaEncryption)) return read_rsa_key(algorithm, bits);
  return {};  // a key that verifies nothing here
}

Status Certificate::Fields::read_ec_key(DerReader& algorithm, ByteView bits) {
  if (!algorithm.next_is(DerTag::oid)) return malformed("an EC key without a named curve");
  SP_ASSIGN(const ByteView curve, algorithm.read(DerTag::oid));
  SP_TRY(algorithm.finish());
  const bool p256 = same_bytes(curve, kP256);
  if (!p256 && !same_bytes(curve, kP384)) return {};
  constexpr std::uint8_t kUncompressed = 0x04;  // SEC1 section 2.3.3
  if (bits.empty() || bits[0] != kUncompressed) return malformed("a point that is compressed");
  SP_ASSIGN(ec_key, EcPublic::from_point(p256 ? Curve::p256 : Curve::p384, bits.subspan(1)));
  return {};
}

Status Certificate::Fields::read_rsa_key(DerReader& algorithm, ByteView bits) {
  SP_ASSIGN(const ByteView null, algorithm.read(DerTag::null));
  SP_TRY(algorithm.finish());
  DerReader outer(bits);
  SP_ASSIGN(DerReader numbers, outer.enter(DerTag::sequence));
  SP_ASSIGN(rsa_modulus, numbers.unsigned_integer(kModulusSizeMax));
  SP_ASSIGN(rsa_exponent, numbers.unsigned_integer(kExponentSizeMax));
  SP_TRY(numbers.finish());
  if (!null.empty()) return malformed("an RSA key with parameters");
  return outer.finish();
}

Status Certificate::Fields::read_known_extensions() {
  for (const ExtensionView& extension : extensions) {
    if (same_bytes(extension.oid, kBasicConstraints)) {
      SP_TRY(read_basic_constraints(extension.value));
    } else if (same_bytes(extension.oid, kKeyUsage)) {
      SP_TRY(read_key_usage(extension.value));
    }
  }
  return {};
}

Status Certificate::Fields::read_basic_constraints(ByteView value) {
  DerReader outer(value);
  SP_ASSIGN(DerReader fields, outer.enter(DerTag::sequence));
  SP_TRY(outer.finish());
  if (fields.next_is(DerTag::boolean)) {
    SP_ASSIGN(constrained_ca, fields.boolean());
    if (!constrained_ca) return malformed("basicConstraints writes a default value");
  }
  if (fields.next_is(DerTag::integer)) {
    SP_ASSIGN(path_length, fields.number());
    if (!constrained_ca) return malformed("a path length without a CA");
  }
  return fields.finish();
}

Status Certificate::Fields::read_key_usage(ByteView value) {
  DerReader outer(value);
  SP_ASSIGN(const ByteView content, outer.read(DerTag::bit_string));
  SP_TRY(outer.finish());
  // Named bits should end with a bit that is set (X.690 section 11.2.2); AMD's ASKs end later.
  if (content.size() < 2 || content.size() > 3 || content[0] > 7) {
    return malformed("keyUsage isn't of its form");
  }
  const unsigned unused = content[0];
  const std::size_t bits = 8 * (content.size() - 1) - unused;
  if (bits > kKeyUsageBitsMax || (content.back() & ((1U << unused) - 1U)) != 0) {
    return malformed("keyUsage isn't of its form");
  }
  unsigned usage = 0;
  for (std::size_t i = 0; i < bits; ++i) {
    usage |= (unsigned{content[1 + i / 8]} >> (7 - i % 8) & 1U) << i;
  }
  key_usage = static_cast<std::uint16_t>(usage);
  return {};
}

Result<Certificate> Certificate::from_der(ByteView der) {
  if (der.size() > kCertificateSizeMax) {
    return Error{Errc::too_large, "certificate of " + std::to_string(der.size()) +
                                      " bytes, at most " + std::to_string(kCertificateSizeMax)};
  }
  const auto fields = std::make_shared<Fields>();
  fields->der = to_bytes(der);
  if (const Status read = fields->read(); !read)
    return Error{Errc::malformed, read.error().message};
  return Certificate(fields);
}

Result<std::vector<Bytes>> certificates_of_pem(std::string_view pem) {
  return pem_blocks(pem, kPemLabel, {kPemSizeMax, kChainLengthMax, kCertificateSizeMax});
}

Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem) {
  SP_ASSIGN(const std::vector<Bytes> blocks, certificates_of_pem(pem));
  std::vector<Certificate> certificates;
  for (const Bytes& block : blocks) {
    SP_ASSIGN(Certificate certificate, from_der(block));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

const Bytes& Certificate::der() const { return fields_->der; }
std::string Certificate::subject() const { return name_text(fields_->subject); }
std::string Certificate::issuer() const { return name_text(fields_->issuer); }
ByteView Certificate::subject_der() const { return fields_->subject; }
ByteView Certificate::issuer_der() const { return fields_->issuer; }
ByteView Certificate::serial() const { return fields_->serial; }
std::int64_t Certificate::not_before() const { return fields_->not_before; }
std::int64_t Certificate::not_after() const { return fields_->not_after; }

bool Certificate::is_ca() const {
  return fields_->constrained_ca && fields_->allows(KeyUse::key_cert_sign);
}

bool Certificate::may_sign_crls() const {
  return fields_->constrained_ca && allows(KeyUse::crl_sign).value_or(true);
}

std::optional<bool> Certificate::allows(KeyUse use) const {
  if (!fields_->key_usage) return std::nullopt;
  return fields_->allows(use);
}

Bytes Certificate::public_key_info() const { return to_bytes(fields_->key_info); }

const EcPublic* Certificate::ec_key() const {
  return fields_->ec_key ? &*fields_->ec_key : nullptr;
}

Result<Bytes> Certificate::extension(const std::string& oid) const {
  const auto content = oid_content(oid);
  if (!content) return Error{Errc::not_found, "not an object identifier: " + oid};
  for (const ExtensionView& extension : fields_->extensions) {
    if (same_bytes(extension.oid, *content)) return to_bytes(extension.value);
  }
  return Error{Errc::not_found, "the certificate has no extension " + oid};
}

Status Certificate::verify_issued_by(const Certificate& issuer) const {
  if (!same_bytes(issuer_der(), issuer.subject_der())) {
    return Error{Errc::mismatch, "certificate of " + subject() + " names the issuer " +
                                     this->issuer() + ", not " + issuer.subject()};
  }
  if (!issuer.is_ca()) {
    return Error{Errc::mismatch, issuer.subject() + " isn't a CA that may sign certificates"};
  }
  const SignedParts& parts = fields_->parts;
  const Status verified = issuer.verify_signed(parts.algorithm, parts.to_sign, parts.signature);
  if (!verified) {
    return bad_signature("the certificate of " + subject() + " isn't signed by the key of " +
                         issuer.subject() + ": " + verified.error().message);
  }
  return {};
}

Status Certificate::verify_signed(ByteView algorithm, ByteView message, ByteView signature) const {
  const SignatureKind kind = signature_kind(algorithm);
  if (kind == SignatureKind::rsa_pss_sha384 && !fields_->rsa_modulus.empty()) {
    const Status status =
        verify_rsa_pss_sha384(fields_->rsa_modulus, fields_->rsa_exponent, message, signature);
    return status ? status : bad_signature(status.error().message);
  }
  if (kind == SignatureKind::ecdsa_sha256 && fields_->ec_key) {
    return fields_->ec_key->verify_digest(sha256(message).view(), signature);
  }
  if (kind == SignatureKind::ecdsa_sha384 && fields_->ec_key) {
    return fields_->ec_key->verify_digest(sha384(message).view(), signature);
  }
  return bad_signature("a signature of a weak or unknown kind, or not of the key's kind");
}

Status Certificate::check_alone(std::int64_t at) const {
  if (at < not_before() || at > not_after()) {
    return Error{Errc::expired, "certificate of " + subject() + " is valid from " +
                                    std::to_string(not_before()) + " to " +
                                    std::to_string(not_after()) + ", not at " + std::to_string(at)};
  }
  for (const ExtensionView& extension : fields_->extensions) {
    if (extension.critical && !same_bytes(extension.oid, kBasicConstraints) &&
        !same_bytes(extension.oid, kKeyUsage)) {
      return Error{Errc::unsupported,
                   "certificate of " + subject() + " has a critical extension that isn't known"};
    }
  }
  return {};
}

std::optional<std::size_t> Certificate::path_length() const { return fields_->path_length; }

Status verify_chain(const std::vector<Certificate>& leaf_to_root, const Digest48& root_key_sha384,
                    std::int64_t at) {
  if (leaf_to_root.empty()) return Error{Errc::malformed, "a chain without a certificate"};
  if (leaf_to_root.size() > kChainLengthMax) {
    return Error{Errc::too_large, "a chain of " + std::to_string(leaf_to_root.size()) +
                                      " certificates, at most " + std::to_string(kChainLengthMax)};
  }
  const Certificate& root = leaf_to_root.back();
  const Digest48 root_key = sha384(root.public_key_info());
  if (root_key != root_key_sha384) {
    return Error{Errc::mismatch, "the chain ends at " + root.subject() + " with key " +
                                     root_key.hex() + ", expected " + root_key_sha384.hex()};
  }
  for (std::size_t i = 0; i < leaf_to_root.size(); ++i) {
    const Certificate& certificate = leaf_to_root[i];
    const Certificate& issuer = i + 1 < leaf_to_root.size() ? leaf_to_root[i + 1] : root;
    SP_TRY(certificate.check_alone(at));
    SP_TRY(certificate.verify_issued_by(issuer));
    // Between the leaf and certificate i stand i - 1 others (RFC 5280 section 4.2.1.9).
    const auto limit = certificate.path_length();
    if (i > 0 && limit && i - 1 > *limit) {
      return Error{Errc::mismatch, certificate.subject() + " allows " + std::to_string(*limit) +
                                       " certificates below it, the chain has " +
                                       std::to_string(i - 1)};
    }
  }
  return {};
}

}  // namespace sp::crypto
