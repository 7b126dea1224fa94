// Keystore files, version 3 (Web3 Secret Storage): a secp256k1 key under a password, scrypt and
// AES-128-CTR, as geth, cast and others write them.
#pragma once

#include "base/files.hpp"
#include "base/json.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::chain {

inline constexpr std::size_t kKeystoreSizeMax = 64 * 1024;

/// How hard scrypt works: `interactive` n=2^12 for local development keys, `standard` n=2^18 as
/// geth's default.
enum class KeystoreCost : std::uint8_t { interactive, standard };

/// The JSON text of a keystore file.
std::string keystore_encrypt(const crypto::EthKey& key, ByteView password, KeystoreCost cost,
                             Random& random);

/// Reads scrypt and pbkdf2 files. Errc::unauthorised for a wrong password, Errc::malformed,
/// Errc::unsupported, and Errc::too_large for parameters that would take over 1 GiB of memory.
Result<crypto::EthKey> keystore_decrypt(std::string_view json, ByteView password);

}  // namespace sp::chain
