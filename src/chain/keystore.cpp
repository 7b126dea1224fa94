#include "chain/keystore.hpp"

#include <nlohmann/json.hpp>

#include "crypto/hash.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"

namespace sp::chain {
namespace {

constexpr std::size_t kDerivedSize = 32;    // "dklen": 16 bytes encrypt, 16 authenticate
constexpr std::size_t kSaltSizeMax = 1024;  // bytes
constexpr std::size_t kCounterSize = 16;
constexpr std::size_t kTextMax = 64;  // names of algorithms
constexpr crypto::ScryptCost kInteractive{1 << 12, 8, 1};
constexpr crypto::ScryptCost kStandard{1 << 18, 8, 1};

// An object with the named keys of `value` only: files of others carry more.
Json pick(const Json& value, std::initializer_list<const char*> keys) {
  Json picked = Json::object();
  for (const char* key : keys) {
    if (value.is_object() && value.contains(key)) picked[key] = value[key];
  }
  return picked;
}

Error in_keystore(const Error& error) { return error.in("keystore"); }

Result<Bytes> hex_field(JsonObject& object, const char* key, std::size_t size_max) {
  return from_hex(object.text(key, size_max * 2 + 2));
}

// A random UUID (RFC 9562, version 4).
std::string uuid(Random& random) {
  Bytes bytes(16);
  random.fill(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text = to_hex(bytes);
  for (const std::size_t dash : {20U, 16U, 12U, 8U}) text.insert(dash, 1, '-');
  return text;
}

Digest32 mac_of(const SecretBytes& derived, ByteView ciphertext) {
  SecretBytes input(16 + ciphertext.size());
  const ByteView half = derived.reveal().subspan(16, 16);
  std::copy(half.begin(), half.end(), input.writable().begin());
  std::copy(ciphertext.begin(), ciphertext.end(), input.writable().begin() + 16);
  return crypto::keccak256(input.reveal());
}

Status derive_scrypt(const Json& params, ByteView password, SecretBytes& derived) {
  JsonObject object(params, "kdfparams");
  const std::uint64_t size = object.number("dklen", 1024);
  const crypto::ScryptCost cost{object.number("n", std::uint64_t{1} << 40),
                                static_cast<std::uint32_t>(object.number("r", 1U << 30)),
                                static_cast<std::uint32_t>(object.number("p", 1U << 30))};
  const auto salt = hex_field(object, "salt", kSaltSizeMax);
  SP_TRY(object.finish());
  if (!salt) return salt.error().in("salt");
  if (size != kDerivedSize) return Error{Errc::unsupported, "dklen must be 32"};
  return crypto::scrypt(password, *salt, cost, derived.writable());
}

Status derive_pbkdf2(const Json& params, ByteView password, SecretBytes& derived) {
  JsonObject object(params, "kdfparams");
  const std::uint64_t size = object.number("dklen", 1024);
  const auto iterations = static_cast<std::uint32_t>(object.number("c", ~std::uint32_t{0}));
  const std::string function = object.text("prf", kTextMax);
  const auto salt = hex_field(object, "salt", kSaltSizeMax);
  SP_TRY(object.finish());
  if (!salt) return salt.error().in("salt");
  if (size != kDerivedSize) return Error{Errc::unsupported, "dklen must be 32"};
  if (function != "hmac-sha256") return Error{Errc::unsupported, "unknown prf"};
  return crypto::pbkdf2_sha256(password, *salt, iterations, derived.writable());
}

Result<crypto::EthKey> decrypt_parts(const Json& parts, ByteView password) {
  const Json known =
      pick(parts, {"cipher", "cipherparams", "ciphertext", "kdf", "kdfparams", "mac"});
  JsonObject object(known, "crypto");
  const std::string cipher = object.text("cipher", kTextMax);
  const std::string kdf = object.text("kdf", kTextMax);
  const auto ciphertext = hex_field(object, "ciphertext", Secret32::kSize);
  const auto mac = object.fixed<Digest32>("mac");
  const Json cipher_params = pick(object.any("cipherparams"), {"iv"});
  JsonObject cipher_object(cipher_params, "cipherparams");
  const auto counter = hex_field(cipher_object, "iv", kCounterSize);
  const bool uses_scrypt = kdf == "scrypt";
  const Json kdf_params = uses_scrypt
                              ? pick(object.any("kdfparams"), {"dklen", "n", "r", "p", "salt"})
                              : pick(object.any("kdfparams"), {"dklen", "c", "prf", "salt"});
  SP_TRY(object.finish());
  SP_TRY(cipher_object.finish());
  if (!ciphertext || ciphertext->size() != Secret32::kSize) {
    return Error{Errc::malformed, "ciphertext must be 32 bytes of hexadecimal"};
  }
  if (!counter || counter->size() != kCounterSize) {
    return Error{Errc::malformed, "iv must be 16 bytes of hexadecimal"};
  }
  if (cipher != "aes-128-ctr") return Error{Errc::unsupported, "unknown cipher"};
  if (!uses_scrypt && kdf != "pbkdf2") return Error{Errc::unsupported, "unknown kdf"};
  SecretBytes derived(kDerivedSize);
  SP_TRY(uses_scrypt ? derive_scrypt(kdf_params, password, derived)
                     : derive_pbkdf2(kdf_params, password, derived));
  if (!crypto::equal_constant_time(mac_of(derived, *ciphertext).view(), mac.view())) {
    return Error{Errc::unauthorised, "wrong password"};
  }
  Secret32 secret;
  crypto::aes128_ctr(derived.reveal().first(16), *counter, *ciphertext, secret.writable());
  return crypto::EthKey::from_secret(std::move(secret));
}

}  // namespace

std::string keystore_encrypt(const crypto::EthKey& key, ByteView password, KeystoreCost cost,
                             Random& random) {
  const crypto::ScryptCost work = cost == KeystoreCost::standard ? kStandard : kInteractive;
  Bytes salt(32);
  Bytes counter(kCounterSize);
  random.fill(salt);
  random.fill(counter);
  SecretBytes derived(kDerivedSize);
  SP_CHECK(crypto::scrypt(password, salt, work, derived.writable()).ok());
  Bytes ciphertext(Secret32::kSize);
  crypto::aes128_ctr(derived.reveal().first(16), counter, key.secret().reveal(), ciphertext);
  const Json file = {{"version", 3},
                     {"id", uuid(random)},
                     {"address", key.address().hex()},
                     {"crypto",
                      {{"cipher", "aes-128-ctr"},
                       {"cipherparams", {{"iv", to_hex(counter)}}},
                       {"ciphertext", to_hex(ciphertext)},
                       {"kdf", "scrypt"},
                       {"kdfparams",
                        {{"dklen", kDerivedSize},
                         {"n", work.n},
                         {"r", work.r},
                         {"p", work.p},
                         {"salt", to_hex(salt)}}},
                       {"mac", mac_of(derived, ciphertext).hex()}}}};
  return file.dump(2) + "\n";
}

Result<crypto::EthKey> keystore_decrypt(std::string_view json, ByteView password) {
  const auto parsed = parse_json(json, kKeystoreSizeMax);
  if (!parsed) return in_keystore(parsed.error());
  const Json file = pick(*parsed, {"version", "crypto", "address"});
  JsonObject object(file, "keystore");
  const std::uint64_t version = object.number("version", ~std::uint64_t{0});
  const Json& parts = object.any("crypto");
  std::optional<Address> address;
  if (object.has("address")) address = object.fixed<Address>("address");
  SP_TRY(object.finish());
  if (version != 3) return Error{Errc::unsupported, "keystore: only version 3 is known"};
  auto key = decrypt_parts(parts, password);
  if (!key) return in_keystore(key.error());
  if (address && *address != key->address()) {
    return Error{Errc::malformed, "keystore: its address isn't that of its key"};
  }
  return key;
}

}  // namespace sp::chain
