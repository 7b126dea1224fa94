// The Range field: whatever it says, what is served lies inside of the content.
#include "store/remote/byte_range.hpp"

#include "base/testing/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sp::testing::FuzzInput input({data, size});
  const std::uint64_t whole = input.flag() ? input.byte() : input.number<std::uint64_t>();
  const std::string_view field = sp::as_text(input.rest());
  const auto range = sp::store::parse_byte_range(field, whole);
  if (!range) return 0;
  SP_CHECK(field.starts_with("bytes="));
  SP_CHECK(range->first <= whole && range->size <= whole - range->first);
  return 0;
}
