// Files of the cache: what decodes has exactly one encoding. The digest at the end would keep a
// fuzzer out, so it is made right first.
#include <algorithm>

#include "collateral/entry.hpp"
#include "crypto/hash.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView input(data, size);
  (void)sp::collateral::decode_file(input);
  sp::Bytes sealed = sp::to_bytes(input.first(size - std::min(size, sp::Digest32::kSize)));
  sp::append(sealed, sp::crypto::sha256(sealed).view());
  const auto entry = sp::collateral::decode_file(sealed);
  if (!entry) return 0;
  SP_CHECK(sp::collateral::encode_file(*entry) == sealed);
  SP_CHECK(!sp::collateral::name_of(entry->wanted).empty());
  SP_CHECK(sp::collateral::path_of(entry->wanted).starts_with('/'));
  return 0;
}
