#include "crypto/hash.hpp"

#include <cryptopp/keccak.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <utility>

#include "crypto/openssl.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kSha256Size = 32;
constexpr std::size_t kHkdfBlocksMax = 255;  // RFC 5869 section 2.3: L <= 255 * HashLen

template <class Digest>
Digest digest_of(const EVP_MD* algorithm, ByteView data) {
  Digest digest;
  unsigned size = 0;
  SP_CHECK(EVP_Digest(data.data(), data.size(), digest.data.data(), &size, algorithm, nullptr) ==
           1);
  SP_CHECK(size == Digest::kSize);
  return digest;
}

// A context whose digest is chosen already: to choose it by name costs more than a short HMAC. The
// zero key in it signs nothing: OpenSSL 3.0 copies a context only after a key was set.
const EVP_MAC_CTX* hmac_template() {
  static const EVP_MAC_CTX* const kTemplate = [] {
    EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    SP_CHECK(algorithm != nullptr);
    EVP_MAC_CTX* context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm);
    SP_CHECK(context != nullptr);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const std::uint8_t zero_key[kSha256Size] = {};
    SP_CHECK(EVP_MAC_init(context, zero_key, sizeof zero_key, parameters) == 1);
    return context;
  }();
  return kTemplate;
}

void hmac_parts(ByteView key, std::initializer_list<ByteView> parts, MutableByteView out) {
  SP_CHECK(out.size() == kSha256Size);
  // A null key would mean "the key set before"; the empty key equals zeros (RFC 2104 pads it).
  static constexpr std::uint8_t kEmptyKey[1] = {};
  const MacContext context(EVP_MAC_CTX_dup(hmac_template()));
  SP_CHECK(context != nullptr);
  const std::uint8_t* key_bytes = key.empty() ? kEmptyKey : key.data();
  SP_CHECK(EVP_MAC_init(context.get(), key_bytes, key.size(), nullptr) == 1);
  for (const ByteView part : parts) {
    if (part.empty()) continue;
    SP_CHECK(EVP_MAC_update(context.get(), part.data(), part.size()) == 1);
  }
  std::size_t size = 0;
  SP_CHECK(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1);
  SP_CHECK(size == out.size());
}

}  // namespace

Digest32 sha256(ByteView data) { return digest_of<Digest32>(sha256_algorithm(), data); }

Digest32 sha256(std::initializer_list<ByteView> parts) {
  Hasher hasher(Hasher::Kind::sha256);
  for (const ByteView part : parts) hasher.update(part);
  return Digest32::from(hasher.finish()).value();
}

Digest48 sha384(ByteView data) { return digest_of<Digest48>(sha384_algorithm(), data); }

Digest64 sha512(ByteView data) { return digest_of<Digest64>(sha512_algorithm(), data); }

Md5 md5(ByteView data) { return digest_of<Md5>(EVP_md5(), data); }

Digest32 keccak256(ByteView data) {
  Digest32 digest;
  CryptoPP::Keccak_256 hash;
  hash.Update(data.data(), data.size());
  hash.TruncatedFinal(digest.data.data(), digest.data.size());
  return digest;
}

struct Hasher::State {
  DigestContext context;
  std::size_t size;
};

Hasher::Hasher(Kind kind) : state_(std::make_unique<State>()) {
  const EVP_MD* algorithm = kind == Kind::sha256 ? sha256_algorithm() : sha384_algorithm();
  state_->size = kind == Kind::sha256 ? Digest32::kSize : Digest48::kSize;
  state_->context.reset(EVP_MD_CTX_new());
  SP_CHECK(state_->context != nullptr);
  SP_CHECK(EVP_DigestInit_ex2(state_->context.get(), algorithm, nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(ByteView data) {
  SP_CHECK(state_ != nullptr);
  SP_CHECK(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()) == 1);
}

Bytes Hasher::finish() {
  SP_CHECK(state_ != nullptr);
  const auto state = std::exchange(state_, nullptr);
  Bytes digest(state->size);
  unsigned size = 0;
  SP_CHECK(EVP_DigestFinal_ex(state->context.get(), digest.data(), &size) == 1);
  SP_CHECK(size == digest.size());
  return digest;
}

Digest32 hmac_sha256(ByteView key, ByteView data) {
  Digest32 mac;
  hmac_parts(key, {data}, mac.data);
  return mac;
}

Secret32 hkdf_extract(ByteView salt, ByteView input_key) {
  Secret32 pseudorandom_key;
  hmac_parts(salt, {input_key}, pseudorandom_key.writable());
  return pseudorandom_key;
}

// Composed from HMAC because OpenSSL 3.0's own HKDF limits the size of `info`.
void hkdf_expand(ByteView pseudorandom_key, ByteView info, MutableByteView out) {
  SP_CHECK(out.size() <= kHkdfBlocksMax * kSha256Size);
  Secret32 block;
  ByteView previous;
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < out.size();) {
    ++counter;
    hmac_parts(pseudorandom_key, {previous, info, ByteView(&counter, 1)}, block.writable());
    previous = block.reveal();
    const std::size_t size = std::min(kSha256Size, out.size() - done);
    std::copy_n(previous.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
}

void hkdf(ByteView input_key, ByteView salt, ByteView info, MutableByteView out) {
  const Secret32 pseudorandom_key = hkdf_extract(salt, input_key);
  hkdf_expand(pseudorandom_key.reveal(), info, out);
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sp::crypto
