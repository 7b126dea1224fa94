#include "crypto/password.hpp"

#include <cryptopp/scrypt.h>
#include <openssl/evp.h>

#include "crypto/openssl.hpp"

namespace sp::crypto {
namespace {

bool with_openssl(ByteView password, ByteView salt, ScryptCost cost, MutableByteView out) {
  return EVP_PBE_scrypt(reinterpret_cast<const char*>(password.data()), password.size(),
                        salt.data(), salt.size(), cost.n, cost.r, cost.p, 2 * kScryptMemoryMax,
                        out.data(), out.size()) == 1;
}

bool with_cryptopp(ByteView password, ByteView salt, ScryptCost cost, MutableByteView out) {
  try {
    CryptoPP::Scrypt().DeriveKey(out.data(), out.size(), password.data(), password.size(),
                                 salt.data(), salt.size(), cost.n, cost.r, cost.p);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

Status scrypt(ByteView password, ByteView salt, ScryptCost cost, MutableByteView out) {
  const bool power_of_two = cost.n >= 2 && (cost.n & (cost.n - 1)) == 0;
  if (!power_of_two || cost.r == 0 || cost.p == 0) {
    return Error{Errc::malformed, "scrypt needs n a power of two and r and p above zero"};
  }
  // Each factor below the work limit first, so that the products don't wrap.
  const bool too_much = cost.n > kScryptWorkMax || cost.r > kScryptWorkMax ||
                        cost.p > kScryptWorkMax || cost.n * cost.r > kScryptWorkMax ||
                        cost.n * cost.r * cost.p > kScryptWorkMax;
  const std::uint64_t memory = too_much ? 0 : 128 * std::uint64_t{cost.r} * (cost.n + cost.p + 2);
  if (too_much || memory > kScryptMemoryMax + (kScryptMemoryMax >> 4)) {
    return Error{Errc::too_large, "scrypt's parameters ask for too much memory or time"};
  }
  // OpenSSL is faster, and refuses an n of 2^(16 r) or more (RFC 7914 section 6), as the published
  // test vectors of keystore files have it; Crypto++ takes that.
  const bool small_n = cost.r > 3 || cost.n < std::uint64_t{1} << (16 * cost.r);
  const bool derived =
      small_n ? with_openssl(password, salt, cost, out) : with_cryptopp(password, salt, cost, out);
  if (!derived) return Error{Errc::too_large, "scrypt got no memory for its parameters"};
  return {};
}

Status pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t iterations,
                     MutableByteView out) {
  if (iterations == 0) return Error{Errc::malformed, "PBKDF2 needs iterations"};
  if (iterations > kPbkdf2IterationsMax) {
    return Error{Errc::too_large, std::to_string(iterations) + " iterations of PBKDF2, at most " +
                                      std::to_string(kPbkdf2IterationsMax)};
  }
  SP_CHECK(PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()),
                             static_cast<int>(password.size()), salt.data(),
                             static_cast<int>(salt.size()), static_cast<int>(iterations),
                             EVP_sha256(), static_cast<int>(out.size()), out.data()) == 1);
  return {};
}

void aes128_ctr(ByteView key, ByteView counter, ByteView in, MutableByteView out) {
  SP_CHECK(key.size() == 16 && counter.size() == 16 && in.size() == out.size());
  const CipherContext context(EVP_CIPHER_CTX_new());
  SP_CHECK(context != nullptr);
  SP_CHECK(EVP_EncryptInit_ex2(context.get(), EVP_aes_128_ctr(), key.data(), counter.data(),
                               nullptr) == 1);
  int written = 0;
  SP_CHECK(EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(),
                             static_cast<int>(in.size())) == 1);
  SP_CHECK(static_cast<std::size_t>(written) == in.size());
}

}  // namespace sp::crypto
