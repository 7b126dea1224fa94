// The dev platform's file: what decodes has exactly one encoding.
#include "base/check.hpp"
#include "prove/dev.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView bytes(data, size);
  const auto platform = sp::prove::DevPlatform::decode(bytes);
  if (!platform) return 0;
  SP_CHECK(size <= sp::prove::kDevPlatformSizeMax);
  SP_CHECK(std::ranges::equal(platform->encode().reveal(), bytes));
  SP_CHECK(!platform->chip().is_zero() && !platform->anchor().is_zero());
  return 0;
}
