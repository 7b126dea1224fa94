// A type's text, a line break, data: what decodes encodes to the same bytes again, but for what
// follows.
#include <algorithm>

#include "chain/abi.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp;
  const std::string_view input = as_text({data, size});
  const std::size_t end = std::min(input.find('\n'), input.size());
  const auto type = chain::AbiType::parse(input.substr(0, end));
  if (!type || type->kind != chain::AbiType::Kind::tuple) return 0;
  SP_CHECK(chain::AbiType::parse(type->text())->text() == type->text());
  const ByteView encoded = as_bytes(input.substr(std::min(input.size(), end + 1)));
  const auto values = chain::abi_decode(*type, encoded);
  if (!values) return 0;
  const auto again = chain::abi_encode(*type, *values);
  SP_CHECK(again.ok() && again->size() <= encoded.size());
  SP_CHECK(std::equal(again->begin(), again->end(), encoded.begin()));
  return 0;
}
