// The keys of people in HOME/keys: an Ethereum key as a keystore file (version 3) under a password,
// and beside it an X25519 key to which results are sealed.
//
// For local use the password is a random one in HOME/keys/password; with a password file of one's
// own, new keys are encrypted at geth's cost. Belongs to one thread.
#pragma once

#include "base/files.hpp"
#include "base/secret.hpp"
#include "base/world.hpp"
#include "crypto/hpke.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::spctl {

inline constexpr std::size_t kPasswordMax = 4096;
inline constexpr std::size_t kKeyNameMax = 64;

struct KeyInfo {
  std::string name;
  Address address;
  bool has_result_key = false;
};

class KeyRing {
 public:
  /// `password_file` empty: HOME/keys/password, made where it is missing.
  KeyRing(Files& files, Random& random, Path folder, Path password_file);

  /// Makes a key and its result key; one process at a time, the others wait. Errc::conflict where
  /// the name is taken; Errc::usage for a bad name; Errc::not_found where HOME/keys has keys and no
  /// password.
  Status create(const std::string& name);
  /// Keeps a key from elsewhere under a name, and makes a result key. Errors as create().
  Status import(const std::string& name, const crypto::EthKey& key);
  /// Errc::not_found, Errc::unauthorised (wrong password), Errc::malformed.
  Result<crypto::EthKey> load(const std::string& name);
  Result<crypto::X25519KeyPair> load_result_key(const std::string& name);
  /// All keys by name; needs no password.
  Result<std::vector<KeyInfo>> list();
  Result<KeyInfo> info(const std::string& name);
  [[nodiscard]] bool has(const std::string& name) const;

 private:
  [[nodiscard]] Path file(const std::string& name) const { return folder_ / (name + ".json"); }
  [[nodiscard]] Path result_file(const std::string& name) const {
    return folder_ / (name + ".x25519");
  }
  Result<SecretBytes> password(bool make);
  Status save(const std::string& name, const crypto::EthKey& key);

  Files& files_;
  Random& random_;
  const Path folder_;
  const Path password_file_;
};

}  // namespace sp::spctl
