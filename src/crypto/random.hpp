// The system's cryptographic randomness (OpenSSL's DRBG, seeded by the kernel).
#pragma once

#include "base/secret.hpp"
#include "base/world.hpp"

namespace sp::crypto {

class SystemRandom final : public Random {
 public:
  void fill(MutableByteView out) override;
};

template <class Fixed>
Fixed random_fixed(Random& random) {
  Fixed value;
  random.fill(value.data);
  return value;
}

template <std::size_t N>
SecretArray<N> random_secret(Random& random) {
  SecretArray<N> secret;
  random.fill(secret.writable());
  return secret;
}

}  // namespace sp::crypto
