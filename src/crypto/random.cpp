#include "crypto/random.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "base/check.hpp"

namespace sp::crypto {

namespace {
constexpr std::size_t kPieceSizeMax = 1 << 20;  // RAND_bytes takes an int
}

void SystemRandom::fill(MutableByteView out) {
  while (!out.empty()) {
    const std::size_t size = std::min(out.size(), kPieceSizeMax);
    SP_CHECK(RAND_bytes(out.data(), static_cast<int>(size)) == 1);
    out = out.subspan(size);
  }
}

}  // namespace sp::crypto
