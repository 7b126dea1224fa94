// Lists of entity tags, and ranges: whatever comes reads as something or is refused, and a blob's
// own tag in front is found in every list.
#include <cstddef>
#include <cstdint>

#include "store/remote/byte_range.hpp"
#include "store/remote/conditional.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = sp::as_text(sp::ByteView(data, size));
  const std::string tag = sp::store::entity_tag({});
  const auto named = sp::store::names_tag(input, tag, true);
  if (named && input != "*") {
    const auto longer = sp::store::names_tag(tag + "," + std::string(input), tag, false);
    SP_CHECK(longer ? *longer : longer.error().code == sp::Errc::too_large);
  }
  const auto range = sp::store::parse_byte_range(input, 1000);
  SP_CHECK(!range || range->size == 0 || range->first + range->size <= 1000);
  if (const auto content = sp::store::parse_content_range(input)) {
    SP_CHECK(content->first <= content->last && content->last < content->whole);
    SP_CHECK(sp::store::content_range(*content) == input);
  }
  return 0;
}
