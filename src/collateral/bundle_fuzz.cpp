// Bundles: what decodes has exactly one encoding. The digest at the end would keep a fuzzer out, so
// it is made right first.
#include <algorithm>

#include "collateral/entry.hpp"
#include "crypto/hash.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView input(data, size);
  (void)sp::collateral::Bundle::decode(input);
  sp::Bytes sealed = sp::to_bytes(input.first(size - std::min(size, sp::Digest32::kSize)));
  sp::append(sealed, sp::crypto::sha256(sealed).view());
  const auto bundle = sp::collateral::Bundle::decode(sealed);
  if (!bundle) return 0;
  const auto again = bundle->encode();
  SP_CHECK(again.ok() && *again == sealed);
  return 0;
}
