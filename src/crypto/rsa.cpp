#include "crypto/rsa.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "crypto/openssl.hpp"

namespace sp::crypto {
namespace {

using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;

constexpr int kExponentBitsMax = 64;

Error malformed(std::string_view what) {
  return {Errc::malformed, "RSA key: " + std::string(what)};
}

Result<Number> number_of(ByteView big_endian) {
  if (big_endian.empty() || big_endian[0] == 0) return malformed("a number with leading zeros");
  if (big_endian.size() > kRsaModulusBitsMax / 8) return malformed("a number over 4096 bits");
  Number number(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  SP_CHECK(number != nullptr);
  return number;
}

Result<Key> key_of_numbers(ByteView modulus, ByteView exponent) {
  SP_ASSIGN(const Number n, number_of(modulus));
  SP_ASSIGN(const Number e, number_of(exponent));
  if (BN_num_bits(n.get()) < static_cast<int>(kRsaModulusBitsMin) || !BN_is_odd(n.get())) {
    return malformed("a modulus that is even or below 2048 bits");
  }
  if (!BN_is_odd(e.get()) || BN_is_one(e.get()) || BN_num_bits(e.get()) > kExponentBitsMax) {
    return malformed("an exponent that is even, 1 or over 64 bits");
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  SP_CHECK(builder != nullptr);
  SP_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
  SP_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  SP_CHECK(parameters != nullptr && context != nullptr);
  SP_CHECK(EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return malformed("not an RSA key");
  }
  return Key(key);
}

Status verify(const EVP_MD* digest, ByteView modulus, ByteView exponent, ByteView message,
              ByteView signature) {
  const ErrorQueueGuard guard;
  SP_ASSIGN(const Key key, key_of_numbers(modulus, exponent));
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // the digest context owns it
  SP_CHECK(context != nullptr);
  SP_CHECK(EVP_DigestVerifyInit(context.get(), &padding, digest, nullptr, key.get()) == 1);
  SP_CHECK(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PADDING) == 1);
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                       message.size()) != 1) {
    return Error{Errc::bad_signature, "RSA signature doesn't verify"};
  }
  return {};
}

}  // namespace

Status verify_rsa_pkcs1_sha256(ByteView modulus, ByteView exponent, ByteView message,
                               ByteView signature) {
  return verify(sha256_algorithm(), modulus, exponent, message, signature);
}

Status verify_rsa_pkcs1_sha384(ByteView modulus, ByteView exponent, ByteView message,
                               ByteView signature) {
  return verify(sha384_algorithm(), modulus, exponent, message, signature);
}

}  // namespace sp::crypto
