// HPKE: opens the input with a fixed key. Only what the seeds hold may open.
#include "base/check.hpp"
#include "crypto/hpke.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp;
  // A key that nobody uses; the seeds are sealed to it.
  static const crypto::X25519KeyPair kKey = [] {
    Secret32 secret;
    std::fill(secret.writable().begin(), secret.writable().end(), std::uint8_t{0x42});
    return crypto::X25519KeyPair::from_secret(std::move(secret));
  }();
  const ByteView input(data, size);
  const auto opened = crypto::hpke_open(kKey, as_bytes("fuzz"), as_bytes("seed"), input);
  if (opened) {
    SP_CHECK(size == opened->size() + crypto::kHpkeOverhead);
  } else {
    const bool is_short = size < crypto::kHpkeOverhead;
    SP_CHECK(opened.error().code == (is_short ? Errc::malformed : Errc::bad_signature));
  }
  return 0;
}
