#include "spctl/key_ring.hpp"

#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "base/json.hpp"
#include "chain/keystore.hpp"
#include "common/folder_lock.hpp"
#include "crypto/random.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kGeneratedPasswordBytes = 24;

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameMax || name == "password") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

Status check_name(const std::string& name) {
  if (is_name(name)) return {};
  return failure(Errc::usage, "key name \"" + name + "\" is refused",
                 "names have 1 to 64 letters, digits, '-' and '_'", "Choose another name");
}

Error no_key(const std::string& name) {
  return failure(
      Errc::not_found, "key " + name + " isn't there", "HOME/keys has no such file",
      "Make it with 'spctl keys create " + name + "', or start a local system with 'spctl up'");
}

}  // namespace

KeyRing::KeyRing(Files& files, Random& random, Path folder, Path password_file)
    : files_(files),
      random_(random),
      folder_(std::move(folder)),
      password_file_(std::move(password_file)) {}

bool KeyRing::has(const std::string& name) const { return files_.size(file(name)).ok(); }

Result<SecretBytes> KeyRing::password(bool make) {
  const bool own = !password_file_.empty();
  const Path path = own ? password_file_ : folder_ / "password";
  auto text = files_.read(path, kPasswordMax);
  if (!text && text.error().code == Errc::not_found && !own && make) {
    SP_ASSIGN(const std::vector<KeyInfo> others, list());
    if (!others.empty()) {
      return failure(Errc::not_found, "the password of the keys isn't there",
                     path.string() + " is missing, and key " + others.front().name +
                         " can't be opened without it",
                     "Restore it, or name a password file with --password-file");
    }
    Bytes raw(kGeneratedPasswordBytes);
    random_.fill(raw);
    const std::string line = to_hex(raw) + "\n";
    SP_TRY(keep(files_, CrashSite::client_password, path, as_bytes(line), FileMode::owner_only));
    text = to_bytes(as_bytes(line));
  }
  if (!text) return text.error().in("password file");
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  SecretBytes secret{ByteView(*text)};
  wipe(*text);
  return secret;
}

Status KeyRing::save(const std::string& name, const crypto::EthKey& key) {
  SP_TRY(check_name(name));
  // Two commands at once would each make a password, or a key of this name, and the later one's
  // would take the place of what the earlier one has told of.
  SP_ASSIGN(const auto turn, apps::FolderLock::take_in_turn(files_, folder_));
  if (has(name)) {
    return failure(Errc::conflict, "key " + name + " exists", "a key is never overwritten",
                   "Choose another name");
  }
  SP_ASSIGN(const SecretBytes secret, password(true));
  const auto cost =
      password_file_.empty() ? chain::KeystoreCost::interactive : chain::KeystoreCost::standard;
  const std::string json = chain::keystore_encrypt(key, secret.reveal(), cost, random_);
  const auto result_key = crypto::X25519KeyPair::generate(random_);
  // The result key first: a key that exists is whole.
  SP_TRY(keep(files_, CrashSite::client_result_key, result_file(name), result_key.secret.reveal(),
              FileMode::owner_only));
  return keep(files_, CrashSite::client_key, file(name), as_bytes(json), FileMode::owner_only);
}

Status KeyRing::create(const std::string& name) {
  return save(name, crypto::EthKey::generate(random_));
}

Status KeyRing::import(const std::string& name, const crypto::EthKey& key) {
  return save(name, key);
}

Result<crypto::EthKey> KeyRing::load(const std::string& name) {
  SP_TRY(check_name(name));
  auto json = files_.read(file(name), chain::kKeystoreSizeMax);
  if (!json && json.error().code == Errc::not_found) return no_key(name);
  if (!json) return json.error();
  SP_ASSIGN(const SecretBytes secret, password(false));
  auto key = chain::keystore_decrypt(as_text(*json), secret.reveal());
  if (!key) {
    return failure(key.error().code, "key " + name + " can't be opened", key.error().message,
                   "Name the right password file with --password-file");
  }
  return key;
}

Result<crypto::X25519KeyPair> KeyRing::load_result_key(const std::string& name) {
  SP_TRY(check_name(name));
  auto bytes = files_.read(result_file(name), Secret32::kSize);
  if (!bytes && bytes.error().code == Errc::not_found && has(name)) {
    return failure(Errc::not_found, "the result key of " + name + " isn't there",
                   result_file(name).string() + " is missing",
                   "Restore it from a backup: nothing else opens the results of this key's orders");
  }
  if (!bytes && bytes.error().code == Errc::not_found) return no_key(name);
  if (!bytes) return bytes.error();
  auto secret = Secret32::from(*bytes);
  wipe(*bytes);
  if (!secret) return secret.error().in(result_file(name).string());
  return crypto::X25519KeyPair::from_secret(std::move(*secret));
}

Result<KeyInfo> KeyRing::info(const std::string& name) {
  SP_TRY(check_name(name));
  auto bytes = files_.read(file(name), chain::kKeystoreSizeMax);
  if (!bytes && bytes.error().code == Errc::not_found) return no_key(name);
  if (!bytes) return bytes.error();
  SP_ASSIGN(const Json json, parse_json(as_text(*bytes), chain::kKeystoreSizeMax));
  if (!json.is_object() || !json.contains("address") || !json["address"].is_string()) {
    return Error{Errc::malformed, file(name).string() + " names no address"};
  }
  SP_ASSIGN(const Address address, Address::from_hex(json["address"].get<std::string>()));
  return KeyInfo{name, address, files_.size(result_file(name)).ok()};
}

Result<std::vector<KeyInfo>> KeyRing::list() {
  std::vector<KeyInfo> keys;
  const auto names = files_.list(folder_);
  if (!names && names.error().code == Errc::not_found) return keys;
  if (!names) return names.error();
  for (const std::string& entry : *names) {
    if (!entry.ends_with(".json")) continue;
    SP_ASSIGN(KeyInfo key, info(entry.substr(0, entry.size() - 5)));
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace sp::spctl
