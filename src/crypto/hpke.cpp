#include "crypto/hpke.hpp"

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/openssl.hpp"
#include "crypto/random.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kKeySize = 32;  // RFC 9180 section 7: Nsecret, Nenc, Npk, Nsk, Nk, Nh alike

// RFC 9180 sections 4.1 and 5.1: "KEM" || I2OSP(kem_id, 2), and "HPKE" || kem_id || kdf_id ||
// aead_id, with the ids of sections 7.1 to 7.3.
constexpr std::array<std::uint8_t, 5> kKemSuite = {'K', 'E', 'M', 0x00, 0x20};
constexpr std::array<std::uint8_t, 10> kHpkeSuite = {'H',  'P',  'K',  'E',  0x00,
                                                     0x20, 0x00, 0x01, 0x00, 0x02};
constexpr std::string_view kVersion = "HPKE-v1";
constexpr std::uint8_t kModeBase = 0x00;  // section 5

/// LabeledExtract (section 4).
Secret32 labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView key) {
  SecretBytes input(kVersion.size() + suite.size() + label.size() + key.size());
  auto at = input.writable().begin();
  for (const ByteView part : {as_bytes(kVersion), suite, as_bytes(label), key}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  return hkdf_extract(salt, input.reveal());
}

/// LabeledExpand (section 4); fills `out`.
void labeled_expand(ByteView suite, const Secret32& key, std::string_view label, ByteView info,
                    MutableByteView out) {
  SP_CHECK(out.size() <= UINT8_MAX);
  Bytes labeled{0, static_cast<std::uint8_t>(out.size())};
  for (const ByteView part : {as_bytes(kVersion), suite, as_bytes(label), info}) {
    append(labeled, part);
  }
  hkdf_expand(key.reveal(), labeled, out);
}

/// ExtractAndExpand of DHKEM (section 4.1).
Secret32 shared_secret(const Secret32& dh, const X25519Public& enc, const X25519Public& recipient) {
  const Secret32 eae = labeled_extract(kKemSuite, {}, "eae_prk", dh.reveal());
  Bytes context = to_bytes(enc.view());
  append(context, recipient.view());
  Secret32 secret;
  labeled_expand(kKemSuite, eae, "shared_secret", context, secret.writable());
  return secret;
}

struct Schedule {
  Secret32 key;
  GcmNonce nonce;  // of the first message, which is the only one
};

/// KeySchedule in base mode (section 5.1): no pre-shared key, so psk and psk_id are empty.
Schedule key_schedule(const Secret32& shared, ByteView info) {
  Bytes context{kModeBase};
  append(context, labeled_extract(kHpkeSuite, {}, "psk_id_hash", {}).reveal());
  append(context, labeled_extract(kHpkeSuite, {}, "info_hash", info).reveal());
  const Secret32 secret = labeled_extract(kHpkeSuite, shared.reveal(), "secret", {});
  Schedule schedule;
  labeled_expand(kHpkeSuite, secret, "key", context, schedule.key.writable());
  labeled_expand(kHpkeSuite, secret, "base_nonce", context, schedule.nonce);
  return schedule;
}

Key x25519_private(const Secret32& secret) {
  Key key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, secret.reveal().data(),
                                          secret.reveal().size()));
  SP_CHECK(key != nullptr);
  return key;
}

}  // namespace

X25519KeyPair X25519KeyPair::generate(Random& random) {
  return from_secret(random_secret<kKeySize>(random));
}

X25519KeyPair X25519KeyPair::from_secret(Secret32 secret) {
  const Key key = x25519_private(secret);
  X25519KeyPair pair;
  std::size_t size = pair.public_key.data.size();
  SP_CHECK(EVP_PKEY_get_raw_public_key(key.get(), pair.public_key.data.data(), &size) == 1);
  SP_CHECK(size == pair.public_key.data.size());
  pair.secret = std::move(secret);
  return pair;
}

Result<Secret32> x25519(const Secret32& secret, const X25519Public& public_key) {
  const ErrorQueueGuard guard;
  const Key own = x25519_private(secret);
  const Key peer(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, public_key.data.data(),
                                                public_key.data.size()));
  SP_CHECK(peer != nullptr);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own.get(), nullptr));
  SP_CHECK(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  SP_CHECK(EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1);
  Secret32 shared;
  std::size_t size = kKeySize;
  static constexpr std::array<std::uint8_t, kKeySize> kZero{};
  // OpenSSL fails on the all-zero result; the comparison keeps that true with any version.
  if (EVP_PKEY_derive(context.get(), shared.writable().data(), &size) != 1 ||
      equal_constant_time(shared.reveal(), kZero)) {
    return Error{Errc::refused, "X25519 public key of low order: " + public_key.hex()};
  }
  SP_CHECK(size == kKeySize);
  return shared;
}

Result<Bytes> hpke_seal(Random& random, const X25519Public& recipient, ByteView info, ByteView aad,
                        ByteView plaintext) {
  const X25519KeyPair ephemeral = X25519KeyPair::generate(random);
  SP_ASSIGN(const Secret32 dh, x25519(ephemeral.secret, recipient));
  const Schedule schedule = key_schedule(shared_secret(dh, ephemeral.public_key, recipient), info);
  Bytes sealed(plaintext.size() + kHpkeOverhead);
  std::copy_n(ephemeral.public_key.data.begin(), kKeySize, sealed.begin());
  Aes256Gcm(schedule.key)
      .seal(schedule.nonce, aad, plaintext, MutableByteView(sealed).subspan(kKeySize));
  return sealed;
}

Result<SecretBytes> hpke_open(const X25519KeyPair& recipient, ByteView info, ByteView aad,
                              ByteView sealed) {
  if (sealed.size() < kHpkeOverhead) {
    return Error{Errc::malformed, "HPKE message of " + std::to_string(sealed.size()) +
                                      " bytes, at least " + std::to_string(kHpkeOverhead)};
  }
  const X25519Public enc = X25519Public::from(sealed.first(kKeySize)).value();
  const auto dh = x25519(recipient.secret, enc);
  if (!dh) return Error{Errc::bad_signature, "HPKE message: " + dh.error().message};
  const Schedule schedule = key_schedule(shared_secret(*dh, enc, recipient.public_key), info);
  SecretBytes plaintext(sealed.size() - kHpkeOverhead);
  const Status opened =
      Aes256Gcm(schedule.key)
          .open(schedule.nonce, aad, sealed.subspan(kKeySize), plaintext.writable());
  if (!opened) return opened.error().in("HPKE message");
  return plaintext;
}

}  // namespace sp::crypto
