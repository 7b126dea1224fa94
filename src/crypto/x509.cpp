#include "crypto/x509.hpp"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "crypto/ecdsa.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kOidTextSizeMax = 128;
constexpr std::size_t kGroupNameSizeMax = 64;
constexpr std::size_t kPemSizeMax = 2 * kChainLengthMax * kCertificateSizeMax;
constexpr std::string_view kPemLabel = "CERTIFICATE";  // RFC 7468 section 5

// OpenSSL takes certificates without const; what it caches in them it guards by a lock, and
// from_der has it cached before anyone shares the object.
X509* x509_of(const std::shared_ptr<const void>& holder) {
  SP_CHECK(holder != nullptr);
  return const_cast<X509*>(static_cast<const X509*>(holder.get()));
}

std::shared_ptr<const void> hold(X509Owner certificate) {
  return {static_cast<const void*>(certificate.release()),
          [](const void* held) { X509_free(const_cast<X509*>(static_cast<const X509*>(held))); }};
}

std::string name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  SP_CHECK(out != nullptr);
  if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "(unprintable name)";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// Seconds of Unix time; empty where it isn't a time.
std::optional<std::int64_t> unix_time(const ASN1_TIME* time) {
  using Time = std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>>;
  const Time epoch(ASN1_TIME_set(nullptr, 0));
  SP_CHECK(epoch != nullptr);
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_check(time) != 1 || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return std::nullopt;
  }
  constexpr std::int64_t kSecondsPerDay = 86'400;
  return days * kSecondsPerDay + seconds;
}

bool is_der_of(X509* certificate, ByteView der) {
  std::uint8_t* encoded = nullptr;
  const int size = i2d_X509(certificate, &encoded);
  if (size < 0) return false;
  const ByteView again(encoded, static_cast<std::size_t>(size));
  const bool same = std::equal(again.begin(), again.end(), der.begin(), der.end());
  OPENSSL_free(encoded);
  return same;
}

// The EC key of a certificate. Errc::unsupported for others, parameters other than a named curve's
// included.
Result<EcPublic> ec_key_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  std::array<char, kGroupNameSizeMax> name{};
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1 ||
      EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) {
    return Error{Errc::unsupported, "the certificate's key isn't on a named elliptic curve"};
  }
  const std::string_view group(name.data());
  if (group != SN_X9_62_prime256v1 && group != SN_secp384r1) {
    return Error{Errc::unsupported,
                 "the certificate's key is on " + std::string(group) + ", not P-256 or P-384"};
  }
  const Curve curve = group == SN_secp384r1 ? Curve::p384 : Curve::p256;
  const std::size_t size = curve == Curve::p384 ? 48 : 32;
  Bytes point(2 * size);
  std::uint8_t* out = point.data();
  for (const char* coordinate : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    BIGNUM* number = nullptr;
    SP_CHECK(EVP_PKEY_get_bn_param(key, coordinate, &number) == 1);
    const Number owner(number);
    SP_CHECK(BN_bn2binpad(number, out, static_cast<int>(size)) == static_cast<int>(size));
    out += size;
  }
  return EcPublic::from_point(curve, point);
}

// Whether digest and key of the signature on `certificate` are strong enough today.
bool strong_enough(X509* certificate, EVP_PKEY* issuer_key) {
  int bits = 0;
  if (X509_get_signature_info(certificate, nullptr, nullptr, &bits, nullptr) != 1) return false;
  return bits >= kSignatureBitsMin && EVP_PKEY_get_security_bits(issuer_key) >= kSignatureBitsMin;
}

// One block of PEM. An empty result at the end of the text.
Result<std::optional<Certificate>> next_of_pem(BIO* in) {
  char* name = nullptr;
  char* header = nullptr;
  std::uint8_t* data = nullptr;
  long size = 0;
  if (PEM_read_bio(in, &name, &header, &data, &size) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
      return std::optional<Certificate>();
    }
    return Error{Errc::malformed, "PEM: a block that doesn't end or isn't base64"};
  }
  const bool is_certificate = name == kPemLabel && *header == '\0';
  const Bytes der(data, data + size);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  if (!is_certificate) return Error{Errc::malformed, "PEM: a block that isn't a certificate"};
  SP_ASSIGN(Certificate certificate, Certificate::from_der(der));
  return std::optional<Certificate>(std::move(certificate));
}

}  // namespace

Result<Certificate> Certificate::from_der(ByteView der) {
  const ErrorQueueGuard guard;
  if (der.size() > kCertificateSizeMax) {
    return Error{Errc::too_large, "certificate of " + std::to_string(der.size()) +
                                      " bytes, at most " + std::to_string(kCertificateSizeMax)};
  }
  const std::uint8_t* end = der.data();
  X509Owner parsed(d2i_X509(nullptr, &end, static_cast<long>(der.size())));
  if (parsed == nullptr) return Error{Errc::malformed, "not an X.509 certificate"};
  if (end != der.data() + der.size()) {
    return Error{Errc::malformed, "bytes after the certificate"};
  }
  if (!is_der_of(parsed.get(), der)) {
    return Error{Errc::malformed, "the certificate isn't encoded in DER"};
  }
  // -1 asks for no purpose: it only reads the standard extensions and keeps what they say.
  X509_check_purpose(parsed.get(), -1, 0);
  if ((X509_get_extension_flags(parsed.get()) & EXFLAG_INVALID) != 0) {
    return Error{Errc::malformed, "the certificate's extensions are invalid"};
  }
  if (!unix_time(X509_get0_notBefore(parsed.get())) ||
      !unix_time(X509_get0_notAfter(parsed.get()))) {
    return Error{Errc::malformed, "the certificate's validity isn't two times"};
  }
  Certificate certificate;
  certificate.der_ = to_bytes(der);
  certificate.x509_ = hold(std::move(parsed));
  return certificate;
}

Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem) {
  const ErrorQueueGuard guard;
  if (pem.size() > kPemSizeMax) {
    return Error{Errc::too_large, "PEM of " + std::to_string(pem.size()) + " bytes, at most " +
                                      std::to_string(kPemSizeMax)};
  }
  if (pem.empty()) return Error{Errc::malformed, "PEM without a certificate"};
  const Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  SP_CHECK(in != nullptr);
  std::vector<Certificate> certificates;
  for (;;) {
    SP_ASSIGN(std::optional<Certificate> next, next_of_pem(in.get()));
    if (!next) break;
    if (certificates.size() == kChainLengthMax) {
      return Error{Errc::too_large,
                   "PEM of more than " + std::to_string(kChainLengthMax) + " certificates"};
    }
    certificates.push_back(std::move(*next));
  }
  if (certificates.empty()) return Error{Errc::malformed, "PEM without a certificate"};
  return certificates;
}

std::string Certificate::subject() const {
  return name_text(X509_get_subject_name(x509_of(x509_)));
}

std::string Certificate::issuer() const { return name_text(X509_get_issuer_name(x509_of(x509_))); }

std::int64_t Certificate::not_before() const {
  return unix_time(X509_get0_notBefore(x509_of(x509_))).value();
}

std::int64_t Certificate::not_after() const {
  return unix_time(X509_get0_notAfter(x509_of(x509_))).value();
}

bool Certificate::is_ca() const {
  const std::uint32_t flags = X509_get_extension_flags(x509_of(x509_));
  // Without a keyUsage OpenSSL would say that every usage is allowed.
  return (flags & EXFLAG_CA) != 0 && (flags & EXFLAG_KUSAGE) != 0 &&
         (X509_get_key_usage(x509_of(x509_)) & KU_KEY_CERT_SIGN) != 0;
}

Bytes Certificate::public_key_info() const {
  std::uint8_t* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509_of(x509_)), &encoded);
  SP_CHECK(size > 0);
  Bytes info(encoded, encoded + size);
  OPENSSL_free(encoded);
  return info;
}

Result<Bytes> Certificate::extension(const std::string& oid) const {
  const ErrorQueueGuard guard;
  const Object object(oid.size() <= kOidTextSizeMax ? OBJ_txt2obj(oid.c_str(), 1) : nullptr);
  if (object == nullptr) return Error{Errc::not_found, "not an object identifier: " + oid};
  const X509* certificate = x509_of(x509_);
  const int at = X509_get_ext_by_OBJ(certificate, object.get(), -1);
  if (at < 0) return Error{Errc::not_found, "the certificate has no extension " + oid};
  if (X509_get_ext_by_OBJ(certificate, object.get(), at) >= 0) {
    return Error{Errc::malformed, "the certificate has extension " + oid + " twice"};
  }
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
  const std::uint8_t* data = ASN1_STRING_get0_data(value);
  return Bytes(data, data + ASN1_STRING_length(value));
}

Status Certificate::verify_issued_by(const Certificate& issuer) const {
  const ErrorQueueGuard guard;
  X509* own = x509_of(x509_);
  X509* other = x509_of(issuer.x509_);
  if (X509_NAME_cmp(X509_get_issuer_name(own), X509_get_subject_name(other)) != 0) {
    return Error{Errc::mismatch, "certificate of " + subject() + " names the issuer " +
                                     this->issuer() + ", not " + issuer.subject()};
  }
  if (!issuer.is_ca()) {
    return Error{Errc::mismatch, issuer.subject() + " isn't a CA that may sign certificates"};
  }
  EVP_PKEY* key = X509_get0_pubkey(other);
  if (key == nullptr || !strong_enough(own, key)) {
    return Error{Errc::bad_signature, "the signature on the certificate of " + subject() +
                                          " is of a weak or unknown kind"};
  }
  if (X509_verify(own, key) != 1) {
    return Error{Errc::bad_signature, "the certificate of " + subject() +
                                          " isn't signed by the key of " + issuer.subject()};
  }
  return {};
}

Status Certificate::verify_ec(ByteView message, ByteView der_signature) const {
  const ErrorQueueGuard guard;
  SP_ASSIGN(const EcPublic key, ec_key_of(x509_of(x509_)));
  return key.verify_der(message, der_signature);
}

Status Certificate::check_alone(std::int64_t at) const {
  if (at < not_before() || at > not_after()) {
    return Error{Errc::expired, "certificate of " + subject() + " is valid from " +
                                    std::to_string(not_before()) + " to " +
                                    std::to_string(not_after()) + ", not at " + std::to_string(at)};
  }
  const X509* certificate = x509_of(x509_);
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (X509_EXTENSION_get_critical(extension) == 0) continue;
    const int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (kind != NID_basic_constraints && kind != NID_key_usage) {
      return Error{Errc::unsupported,
                   "certificate of " + subject() + " has a critical extension that isn't known"};
    }
  }
  return {};
}

std::optional<std::size_t> Certificate::path_length() const {
  const long length = X509_get_pathlen(x509_of(x509_));
  if (length < 0) return std::nullopt;
  return static_cast<std::size_t>(length);
}

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
