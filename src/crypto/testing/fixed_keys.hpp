// Keys that are the same in every run, so that what they sign is. For tests and fuzz targets.
#pragma once

#include <algorithm>

#include "crypto/secp256k1.hpp"

namespace sp::crypto::testing {

/// Whose secret is that byte 32 times; not 0 and not 255 (CHECK).
inline EthKey eth_key(std::uint8_t byte) {
  Secret32 secret;
  std::fill(secret.writable().begin(), secret.writable().end(), byte);
  return EthKey::from_secret(std::move(secret)).value();
}

}  // namespace sp::crypto::testing
