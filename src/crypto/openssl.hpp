// OpenSSL's objects behind owners that free them. Private to crypto's .cpp files.
//
// The algorithms are fetched once and kept for the life of the program: a fetch by name costs more
// than a short hash, and what it returns is immutable and safe from any thread.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "base/bytes.hpp"
#include "base/check.hpp"

namespace sp::crypto {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

/// The secret kinds (numbers, points) are cleared when they are freed.
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freed<EVP_MAC_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using NumberContext = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_clear_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using X509Owner = std::unique_ptr<X509, Freed<X509_free>>;

/// Drops at its end the errors that OpenSSL queued since its start. What a room reports is its own
/// Error; a leftover in the thread's queue would be taken for a failure of the next TLS call.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() { ERR_set_mark(); }
  ~ErrorQueueGuard() { ERR_pop_to_mark(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

/// A digest that OpenSSL's default provider has: "SHA256". CHECK where it doesn't.
inline const EVP_MD* fetch_digest(const char* name) {
  const EVP_MD* digest = EVP_MD_fetch(nullptr, name, nullptr);
  SP_CHECK(digest != nullptr);
  return digest;
}

inline const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const kDigest = fetch_digest("SHA256");
  return kDigest;
}

inline const EVP_MD* sha384_algorithm() {
  static const EVP_MD* const kDigest = fetch_digest("SHA384");
  return kDigest;
}

inline const EVP_MD* sha512_algorithm() {
  static const EVP_MD* const kDigest = fetch_digest("SHA512");
  return kDigest;
}

/// The key inside what a public header holds as `shared_ptr<const void>`. OpenSSL takes keys
/// without const but doesn't change them in the calls that crypto makes.
inline EVP_PKEY* key_of(const std::shared_ptr<const void>& holder) {
  SP_CHECK(holder != nullptr);
  return const_cast<EVP_PKEY*>(static_cast<const EVP_PKEY*>(holder.get()));
}

inline std::shared_ptr<const void> hold(Key key) {
  return {static_cast<const void*>(key.release()), [](const void* held) {
            EVP_PKEY_free(const_cast<EVP_PKEY*>(static_cast<const EVP_PKEY*>(held)));
          }};
}

}  // namespace sp::crypto
