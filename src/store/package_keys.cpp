#include "store/package_keys.hpp"

#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::store {
namespace {

constexpr std::string_view kChunkKeyInfo = "sp package v1";
constexpr std::string_view kWrappedKeyInfo = "sp wrapped key v1";

}  // namespace

PackageKeys::PackageKeys(const Secret32& content_key, const Manifest& manifest)
    : header_(manifest.header()) {
  SecretArray<Secret32::kSize + kPrefixSize> derived;
  crypto::hkdf(content_key.reveal(), manifest.salt, as_bytes(kChunkKeyInfo), derived.writable());
  const ByteView bytes = derived.reveal();
  std::copy_n(bytes.begin(), Secret32::kSize, key_.writable().begin());
  std::copy_n(bytes.begin() + Secret32::kSize, kPrefixSize, nonce_prefix_.begin());
}

crypto::GcmNonce PackageKeys::nonce(std::uint32_t number, bool last) const {
  crypto::GcmNonce nonce{};
  static_assert(kPrefixSize + sizeof number + 1 == crypto::kGcmNonceSize);
  auto at = std::copy(nonce_prefix_.begin(), nonce_prefix_.end(), nonce.begin());
  for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(number >> shift);
  *at = last ? 1 : 0;
  return nonce;
}

void PackageKeys::seal(std::uint32_t number, bool last, ByteView plaintext,
                       MutableByteView out) const {
  crypto::Aes256Gcm(key_).seal(nonce(number, last), header_, plaintext, out);
}

Status PackageKeys::open(std::uint32_t number, bool last, ByteView sealed,
                         MutableByteView out) const {
  return crypto::Aes256Gcm(key_).open(nonce(number, last), header_, sealed, out);
}

Bytes wrapped_key_info(ByteView context) {
  SP_CHECK(context.size() <= kContextSizeMax);
  Writer writer;
  writer.raw(as_bytes(kWrappedKeyInfo)).raw(context);
  return std::move(writer).take();
}

}  // namespace sp::store
