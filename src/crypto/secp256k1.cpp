#include "crypto/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/check.hpp"
#include "crypto/der.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::crypto {

namespace {

constexpr std::size_t kScalarSize = 32;
constexpr std::size_t kRawSize = 64;                // r || s
constexpr std::uint8_t kEthereumV = 27;             // v of recovery id 0 (yellow paper, appendix F)
constexpr std::size_t kUncompressedSize = 65;       // 0x04 || x || y
constexpr std::uint8_t kUncompressedPrefix = 0x04;  // SEC1 section 2.3.3
constexpr int kGenerateTriesMax = 64;               // one try fails with probability 2^-128

// Made once. Blinding against side channels takes randomness of the process's own, whatever Random
// a caller has; no output depends on it.
const secp256k1_context* context() {
  static const secp256k1_context* const kContext = [] {
    secp256k1_context* made =
        secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    SP_CHECK(made != nullptr);
    SystemRandom random;
    const Secret32 seed = random_secret<kScalarSize>(random);
    SP_CHECK(secp256k1_context_randomize(made, seed.reveal().data()) == 1);
    return made;
  }();
  return kContext;
}

EthPublic public_of(const secp256k1_pubkey& key) {
  std::array<std::uint8_t, kUncompressedSize> point;
  std::size_t size = point.size();
  SP_CHECK(secp256k1_ec_pubkey_serialize(context(), point.data(), &size, &key,
                                         SECP256K1_EC_UNCOMPRESSED) == 1);
  SP_CHECK(size == point.size());
  EthPublic value;
  std::copy(point.begin() + 1, point.end(), value.data.begin());
  return value;
}

bool is_high_s(const std::uint8_t* raw) {
  secp256k1_ecdsa_signature parsed;
  if (secp256k1_ecdsa_signature_parse_compact(context(), &parsed, raw) != 1) return false;
  return secp256k1_ecdsa_signature_normalize(context(), nullptr, &parsed) == 1;
}

Error bad_signature(std::string_view what) {
  return {Errc::bad_signature, "secp256k1 signature: " + std::string(what)};
}

}  // namespace

EthKey EthKey::generate(Random& random) {
  for (int i = 0; i < kGenerateTriesMax; ++i) {
    auto key = from_secret(random_secret<kScalarSize>(random));
    if (key) return std::move(*key);
  }
  SP_CHECK(false && "the randomness is broken");
}

Result<EthKey> EthKey::from_secret(Secret32 secret) {
  secp256k1_pubkey point;
  if (secp256k1_ec_pubkey_create(context(), &point, secret.reveal().data()) != 1) {
    return Error{Errc::malformed, "secp256k1 secret key isn't between 1 and the order - 1"};
  }
  EthKey key;
  key.secret_ = std::move(secret);
  key.public_ = public_of(point);
  key.address_ = address_of(key.public_);
  return key;
}

EthSignature EthKey::sign(const Digest32& digest) const {
  secp256k1_ecdsa_recoverable_signature made;
  SP_CHECK(secp256k1_ecdsa_sign_recoverable(context(), &made, digest.data.data(),
                                            secret_.reveal().data(), nullptr, nullptr) == 1);
  EthSignature signature;
  int recovery_id = 0;
  SP_CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), signature.data.data(),
                                                                   &recovery_id, &made) == 1);
  // 2 and 3 mean an r that was over the order: a chance of 2^-127 that Ethereum has no v for.
  SP_CHECK(recovery_id == 0 || recovery_id == 1);
  signature.data[kRawSize] = static_cast<std::uint8_t>(kEthereumV + recovery_id);
  return signature;
}

Result<Address> recover(const Digest32& digest, const EthSignature& signature) {
  const std::uint8_t v = signature.data[kRawSize];
  if (v != kEthereumV && v != kEthereumV + 1) {
    return bad_signature("v is " + std::to_string(v) + ", not 27 or 28");
  }
  if (is_high_s(signature.data.data())) return bad_signature("s is in the upper half");
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey point;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, signature.data.data(),
                                                          v - kEthereumV) != 1) {
    return bad_signature("r or s isn't below the order");
  }
  if (secp256k1_ecdsa_recover(context(), &point, &parsed, digest.data.data()) != 1) {
    return bad_signature("recovers to no key");
  }
  return address_of(public_of(point));
}

Status verify_eth(const Digest32& digest, const EthSignature& signature, const Address& signer) {
  SP_ASSIGN(const Address made_by, recover(digest, signature));
  if (made_by != signer) {
    return bad_signature("made by " + made_by.hex0x() + ", not by " + signer.hex0x());
  }
  return {};
}

Status verify_secp256k1_der(ByteView public_key, const Digest32& digest, ByteView der_signature) {
  // The library also takes SEC1's rare hybrid form (06, 07); nobody should send it.
  const bool known_form =
      !public_key.empty() && public_key[0] >= 0x02 && public_key[0] <= kUncompressedPrefix;
  secp256k1_pubkey point;
  if (!known_form ||
      secp256k1_ec_pubkey_parse(context(), &point, public_key.data(), public_key.size()) != 1) {
    return Error{Errc::malformed, "not a point of secp256k1"};
  }
  const auto raw = ecdsa_raw_from_der(der_signature, kScalarSize);
  if (!raw) return bad_signature(raw.error().message);
  secp256k1_ecdsa_signature parsed;
  if (secp256k1_ecdsa_signature_parse_compact(context(), &parsed, raw->data()) != 1) {
    return bad_signature("r or s isn't below the order");
  }
  // The library verifies the low s of the two that ECDSA accepts.
  secp256k1_ecdsa_signature_normalize(context(), &parsed, &parsed);
  if (secp256k1_ecdsa_verify(context(), &parsed, digest.data.data(), &point) != 1) {
    return bad_signature("doesn't verify");
  }
  return {};
}

Address address_of(const EthPublic& public_key) {
  const Digest32 digest = keccak256(public_key.view());
  Address address;
  std::copy(digest.data.end() - Address::kSize, digest.data.end(), address.data.begin());
  return address;
}

}  // namespace sp::crypto
