#include "crypto/aead.hpp"

#include "crypto/openssl.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kUpdateSizeMax = std::size_t{1} << 30;  // OpenSSL counts in int

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const kCipher = [] {
    const EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    SP_CHECK(cipher != nullptr);
    return cipher;
  }();
  return kCipher;
}

// Runs `in` through the cipher; a null `out` takes it as additional data.
void update(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), kUpdateSizeMax);
    int written = 0;
    SP_CHECK(EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(size)) == 1);
    SP_CHECK(static_cast<std::size_t>(written) == size);
    if (out != nullptr) out += size;
    in = in.subspan(size);
  }
}

}  // namespace

struct Aes256Gcm::State {
  CipherContext context;
};

Aes256Gcm::Aes256Gcm(const Secret32& key) : state_(std::make_unique<State>()) {
  state_->context.reset(EVP_CIPHER_CTX_new());
  SP_CHECK(state_->context != nullptr);
  SP_CHECK(EVP_EncryptInit_ex2(state_->context.get(), aes_256_gcm(), key.reveal().data(), nullptr,
                               nullptr) == 1);
  SP_CHECK(EVP_CIPHER_CTX_get_iv_length(state_->context.get()) == kGcmNonceSize);
}

Aes256Gcm::~Aes256Gcm() = default;
Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;

void Aes256Gcm::seal(const GcmNonce& nonce, ByteView aad, ByteView plaintext, MutableByteView out) {
  SP_CHECK(state_ != nullptr);
  SP_CHECK(out.size() == plaintext.size() + kGcmTagSize);
  EVP_CIPHER_CTX* context = state_->context.get();
  SP_CHECK(EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
  update(context, aad, nullptr);
  update(context, plaintext, out.data());
  std::uint8_t* tag = out.data() + plaintext.size();
  int written = 0;
  SP_CHECK(EVP_EncryptFinal_ex(context, tag, &written) == 1 && written == 0);
  SP_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagSize, tag) == 1);
}

Status Aes256Gcm::open(const GcmNonce& nonce, ByteView aad, ByteView sealed, MutableByteView out) {
  SP_CHECK(state_ != nullptr);
  if (sealed.size() < kGcmTagSize) {
    return Error{Errc::malformed,
                 "sealed bytes are shorter than a tag: " + std::to_string(sealed.size())};
  }
  const std::size_t size = sealed.size() - kGcmTagSize;
  SP_CHECK(out.size() == size);
  std::array<std::uint8_t, kGcmTagSize> tag;
  std::copy_n(sealed.end() - kGcmTagSize, kGcmTagSize, tag.begin());

  const ErrorQueueGuard guard;
  EVP_CIPHER_CTX* context = state_->context.get();
  SP_CHECK(EVP_DecryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr) == 1);
  update(context, aad, nullptr);
  update(context, sealed.first(size), out.data());
  SP_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagSize, tag.data()) == 1);
  std::array<std::uint8_t, kGcmTagSize> rest;
  int written = 0;
  if (EVP_DecryptFinal_ex(context, rest.data(), &written) != 1) {
    wipe(out);
    return Error{Errc::bad_signature, "AES-256-GCM tag doesn't match"};
  }
  SP_CHECK(written == 0);
  return {};
}

}  // namespace sp::crypto
