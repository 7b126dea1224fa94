// ABI types and values built of the input: encoded they decode to themselves, and of a spoiled
// encoding only what encodes to the same bytes again decodes.
#include "base/testing/fuzz_input.hpp"
#include "chain/abi.hpp"

namespace sp::chain {
namespace {

using testing::FuzzInput;
using Kind = AbiType::Kind;

constexpr std::size_t kDepth = 3;

AbiType any_type(FuzzInput& input, std::size_t depth) {
  AbiType type;
  type.kind = static_cast<Kind>(input.below(depth == 0 ? 7 : 10));
  switch (type.kind) {
    case Kind::unsigned_int:
    case Kind::signed_int:
      type.size = 8 * (1 + input.below(32));
      break;
    case Kind::fixed_bytes:
      type.size = 1 + input.below(32);
      break;
    case Kind::array:
      type.elements = {any_type(input, depth - 1)};
      break;
    case Kind::fixed_array:
      type.size = 1 + input.below(3);
      type.elements = {any_type(input, depth - 1)};
      break;
    case Kind::tuple:
      for (std::size_t i = 1 + input.below(3); i > 0; --i) {
        type.elements.push_back(any_type(input, depth - 1));
      }
      break;
    default:
      break;
  }
  return type;
}

// A word that is of the type: the bytes behind the first zero byte of the input's choice.
AbiValue any_word(FuzzInput& input, const AbiType& type) {
  Digest32 word;
  const auto fill = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) word.data[i] = input.byte();
  };
  switch (type.kind) {
    case Kind::boolean:
      word.data[31] = input.byte() & 1;
      break;
    case Kind::address:
      fill(12, 32);
      break;
    case Kind::fixed_bytes:
      fill(0, type.size);
      break;
    default:
      fill(32 - type.size / 8, 32);
  }
  const bool negative =
      type.kind == Kind::signed_int && (word.data[32 - type.size / 8] & 0x80) != 0;
  if (negative) std::fill_n(word.data.begin(), 32 - type.size / 8, std::uint8_t{0xff});
  return {word};
}

AbiValue any_value(FuzzInput& input, const AbiType& type) {
  switch (type.kind) {
    case Kind::bytes:
    case Kind::string:
      return AbiValue::bytes(input.bytes(70));
    case Kind::array:
    case Kind::fixed_array: {
      std::vector<AbiValue> values(type.kind == Kind::array ? input.below(4) : type.size);
      for (AbiValue& value : values) value = any_value(input, type.elements[0]);
      return AbiValue::list(std::move(values));
    }
    case Kind::tuple: {
      std::vector<AbiValue> values;
      for (const AbiType& element : type.elements) values.push_back(any_value(input, element));
      return AbiValue::list(std::move(values));
    }
    default:
      return any_word(input, type);
  }
}

}  // namespace
}  // namespace sp::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::chain;
  sp::testing::FuzzInput input({data, size});
  AbiType tuple;
  for (std::size_t i = 1 + input.below(4); i > 0; --i) {
    tuple.elements.push_back(any_type(input, kDepth));
  }
  SP_CHECK(AbiType::parse(tuple.text()).value().text() == tuple.text());
  std::vector<AbiValue> values;
  for (const AbiType& type : tuple.elements) values.push_back(any_value(input, type));
  const auto encoding = abi_encode(tuple, values);
  SP_CHECK(encoding.ok());
  SP_CHECK(abi_decode(tuple, *encoding).value() == values);
  const sp::Bytes spoiled = input.spoiled(*encoding);
  const auto decoded = abi_decode(tuple, spoiled);
  if (!decoded) return 0;
  const auto again = abi_encode(tuple, *decoded);
  SP_CHECK(again.ok() && again->size() <= spoiled.size());
  SP_CHECK(std::equal(again->begin(), again->end(), spoiled.begin()));
  return 0;
}
