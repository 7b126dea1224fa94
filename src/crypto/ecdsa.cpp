#include "crypto/ecdsa.hpp"

#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "crypto/der.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

namespace sp::crypto {

namespace {

constexpr std::uint8_t kUncompressedPrefix = 0x04;  // SEC1 section 2.3.3
constexpr int kGenerateTriesMax = 64;               // one try fails with probability 2^-32 at most
constexpr std::size_t kDerSignatureSizeMax = 2 * (48 + 3) + 3;  // P-384
constexpr int kModulusBitsMin = 2048;
constexpr int kModulusBitsMax = 4096;
constexpr int kExponentBitsMax = 64;
constexpr int kPssSaltSize = 48;
constexpr std::size_t kDigestSizeMin = 32;

std::size_t number_size(Curve curve) { return curve == Curve::p256 ? 32 : 48; }

const char* group_name(Curve curve) { return curve == Curve::p256 ? "P-256" : "P-384"; }

const EC_GROUP* group_of(Curve curve) {
  static const EC_GROUP* const kP256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  static const EC_GROUP* const kP384 = EC_GROUP_new_by_curve_name(NID_secp384r1);
  const EC_GROUP* group = curve == Curve::p256 ? kP256 : kP384;
  SP_CHECK(group != nullptr);
  return group;
}

Bytes hash_of(Curve curve, ByteView message) {
  return curve == Curve::p256 ? to_bytes(sha256(message).view()) : to_bytes(sha384(message).view());
}

Bytes sec1_point(ByteView point) {
  Bytes encoded(1 + point.size());
  encoded[0] = kUncompressedPrefix;
  std::copy(point.begin(), point.end(), encoded.begin() + 1);
  return encoded;
}

// The key of these parameters, or null where OpenSSL doesn't take them.
Key key_from(const char* type, int selection, OSSL_PARAM* parameters) {
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters) != 1) return nullptr;
  return Key(key);
}

// A key without a point, for copies of its curve: making a curve anew by its name costs more than
// reading the point.
const EVP_PKEY* curve_of(Curve curve) {
  const auto make = [](Curve of) {
    std::string group = group_name(of);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_end()};
    Key key = key_from("EC", EVP_PKEY_KEY_PARAMETERS, parameters);
    SP_CHECK(key != nullptr);
    return key.release();
  };
  static const EVP_PKEY* const kP256 = make(Curve::p256);
  static const EVP_PKEY* const kP384 = make(Curve::p384);
  return curve == Curve::p256 ? kP256 : kP384;
}

Bytes native_bytes(const BIGNUM* number) {
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  SP_CHECK(BN_bn2nativepad(number, bytes.data(), static_cast<int>(bytes.size())) >= 0);
  return bytes;
}

Number number_from(ByteView big_endian) {
  Number number(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  SP_CHECK(number != nullptr);
  return number;
}

// x || y of secret * generator.
Bytes public_point(Curve curve, const BIGNUM* secret) {
  const EC_GROUP* group = group_of(curve);
  const Point point(EC_POINT_new(group));
  const NumberContext context(BN_CTX_secure_new());
  SP_CHECK(point != nullptr && context != nullptr);
  SP_CHECK(EC_POINT_mul(group, point.get(), secret, nullptr, nullptr, context.get()) == 1);
  Bytes encoded(1 + 2 * number_size(curve));
  SP_CHECK(EC_POINT_point2oct(group, point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                              encoded.size(), context.get()) == encoded.size());
  encoded.erase(encoded.begin());
  return encoded;
}

Error bad_signature(std::string_view what) { return {Errc::bad_signature, std::string(what)}; }

}  // namespace

Result<EcPublic> EcPublic::from_point(Curve curve, ByteView point) {
  const ErrorQueueGuard guard;
  if (point.size() != 2 * number_size(curve)) {
    return Error{Errc::malformed, std::string(group_name(curve)) + " point of " +
                                      std::to_string(point.size()) + " bytes, expected " +
                                      std::to_string(2 * number_size(curve))};
  }
  const Bytes encoded = sec1_point(point);
  Key key(EVP_PKEY_new());
  SP_CHECK(key != nullptr && EVP_PKEY_copy_parameters(key.get(), curve_of(curve)) == 1);
  if (EVP_PKEY_set1_encoded_public_key(key.get(), encoded.data(), encoded.size()) != 1) {
    return Error{Errc::malformed, std::string("the point isn't on ") + group_name(curve)};
  }
  EcPublic value;
  value.curve_ = curve;
  value.point_ = to_bytes(point);
  value.key_ = hold(std::move(key));
  return value;
}

Status EcPublic::verify_raw(ByteView message, ByteView signature) const {
  if (signature.size() != point_.size()) {
    return bad_signature("ECDSA signature of " + std::to_string(signature.size()) +
                         " bytes, expected " + std::to_string(point_.size()));
  }
  return verify_der(message, ecdsa_der_from_raw(signature));
}

Status EcPublic::verify_der(ByteView message, ByteView signature) const {
  return verify_digest(hash_of(curve_, message), signature);
}

Status EcPublic::verify_digest(ByteView digest, ByteView signature) const {
  SP_CHECK(digest.size() >= kDigestSizeMin);
  const ErrorQueueGuard guard;
  // Our reader decides what DER is; OpenSSL sees only the one encoding of two numbers that fit.
  const auto raw = ecdsa_raw_from_der(signature, number_size(curve_));
  if (!raw) return bad_signature("ECDSA signature: " + raw.error().message);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_of(key_), nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_verify_init(context.get()) == 1);
  if (EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(),
                      digest.size()) != 1) {
    return bad_signature(std::string("ECDSA signature doesn't verify with the ") +
                         group_name(curve_) + " key");
  }
  return {};
}

EcKey EcKey::generate(Curve curve, Random& random) {
  for (int i = 0; i < kGenerateTriesMax; ++i) {
    SecretBytes secret(number_size(curve));
    random.fill(secret.writable());
    auto key = from_secret(curve, std::move(secret));
    if (key) return std::move(*key);
  }
  SP_CHECK(false && "the randomness is broken");
}

Result<EcKey> EcKey::from_secret(Curve curve, SecretBytes secret) {
  const ErrorQueueGuard guard;
  if (secret.size() != number_size(curve)) {
    return Error{Errc::malformed, std::string(group_name(curve)) + " secret key of " +
                                      std::to_string(secret.size()) + " bytes, expected " +
                                      std::to_string(number_size(curve))};
  }
  const Number scalar = number_from(secret.reveal());
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group_of(curve))) >= 0) {
    return Error{Errc::malformed,
                 std::string(group_name(curve)) + " secret key isn't between 1 and the order - 1"};
  }
  const Bytes point = public_point(curve, scalar.get());
  Bytes encoded = sec1_point(point);
  std::string group = group_name(curve);
  SecretBytes native(secret.size());
  SP_CHECK(BN_bn2nativepad(scalar.get(), native.writable().data(),
                           static_cast<int>(native.size())) >= 0);
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.writable().data(), native.size()),
      OSSL_PARAM_construct_end()};
  Key made = key_from("EC", EVP_PKEY_KEYPAIR, parameters);
  SP_CHECK(made != nullptr);
  EcKey key;
  key.secret_ = std::move(secret);
  key.public_ = std::make_shared<const EcPublic>(EcPublic::from_point(curve, point).value());
  key.key_ = hold(std::move(made));
  return key;
}

Bytes EcKey::sign_raw(ByteView message) const {
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_of(key_), nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_sign_init(context.get()) == 1);
  const Bytes hash = hash_of(public_->curve(), message);
  std::array<std::uint8_t, kDerSignatureSizeMax> der;
  std::size_t size = der.size();
  SP_CHECK(EVP_PKEY_sign(context.get(), der.data(), &size, hash.data(), hash.size()) == 1);
  return ecdsa_raw_from_der(ByteView(der).first(size), number_size(public_->curve())).value();
}

Status verify_rsa_pss_sha384(ByteView modulus, ByteView exponent, ByteView message,
                             ByteView signature) {
  const ErrorQueueGuard guard;
  if (modulus.size() > kModulusBitsMax / 8 || exponent.size() > kModulusBitsMax / 8) {
    return Error{Errc::malformed, "RSA key over " + std::to_string(kModulusBitsMax) + " bits"};
  }
  const Number n = number_from(modulus);
  const Number e = number_from(exponent);
  if (BN_num_bits(n.get()) < kModulusBitsMin || !BN_is_odd(n.get())) {
    return Error{Errc::malformed, "RSA modulus even or of " + std::to_string(BN_num_bits(n.get())) +
                                      " bits, at least " + std::to_string(kModulusBitsMin)};
  }
  if (!BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > kExponentBitsMax) {
    return Error{Errc::malformed, "RSA exponent even, 1 or over 64 bits"};
  }
  Bytes n_native = native_bytes(n.get());
  Bytes e_native = native_bytes(e.get());
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_native.data(), n_native.size()),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_native.data(), e_native.size()),
      OSSL_PARAM_construct_end()};
  const Key key = key_from("RSA", EVP_PKEY_PUBLIC_KEY, parameters);
  if (key == nullptr) return Error{Errc::malformed, "not an RSA key"};
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_verify_init(context.get()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_signature_md(context.get(), sha384_algorithm()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), sha384_algorithm()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), kPssSaltSize) == 1);
  const Digest48 hash = sha384(message);
  if (EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.data.data(),
                      hash.data.size()) != 1) {
    return bad_signature("RSA-PSS signature doesn't verify");
  }
  return {};
}

}  // namespace sp::crypto
