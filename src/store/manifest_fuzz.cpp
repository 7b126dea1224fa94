// Manifests: what decodes has exactly one encoding.
#include <cstddef>
#include <cstdint>

#include "store/package.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView input(data, size);
  const auto manifest = sp::store::Manifest::decode(input);
  if (!manifest) return 0;
  const sp::Bytes encoded = manifest->encode();
  SP_CHECK(std::ranges::equal(encoded, input));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < manifest->chunks.size(); ++i) sum += manifest->plaintext_size(i);
  SP_CHECK(sum == manifest->stream_size);
  return 0;
}
