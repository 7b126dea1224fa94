#include "crypto/testing/rsa_signer.hpp"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "crypto/openssl.hpp"

namespace sp::crypto::testing {
namespace {

Bytes number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  SP_CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const Number owner(number);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  SP_CHECK(BN_bn2bin(number, bytes.data()) == static_cast<int>(bytes.size()));
  return bytes;
}

Bytes sign(EVP_PKEY* key, const EVP_MD* digest, ByteView message) {
  const DigestContext context(EVP_MD_CTX_new());
  SP_CHECK(context != nullptr);
  SP_CHECK(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1);
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  Bytes signature(size);
  SP_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) ==
           1);
  signature.resize(size);
  return signature;
}

}  // namespace

RsaSigner::RsaSigner(unsigned bits) {
  Key key(EVP_RSA_gen(bits));
  SP_CHECK(key != nullptr);
  modulus_ = number_of(key.get(), OSSL_PKEY_PARAM_RSA_N);
  exponent_ = number_of(key.get(), OSSL_PKEY_PARAM_RSA_E);
  key_ = hold(std::move(key));
}

Bytes RsaSigner::sign_sha256(ByteView message) const {
  return sign(key_of(key_), sha256_algorithm(), message);
}

Bytes RsaSigner::sign_sha384(ByteView message) const {
  return sign(key_of(key_), sha384_algorithm(), message);
}

}  // namespace sp::crypto::testing
