// The binary codec: what a Writer wrote by a script a Reader reads by the same script, and of a
// spoiled encoding it reads nothing that isn't there.
#include "base/codec.hpp"

#include "base/testing/fuzz_input.hpp"

namespace sp {
namespace {

constexpr std::size_t kVarMax = 40;

Bytes write(testing::FuzzInput& input, const Bytes& script) {
  Writer writer;
  for (const std::uint8_t step : script) {
    switch (step % 6) {
      case 0:
        writer.u8(input.byte());
        break;
      case 1:
        writer.u16(static_cast<std::uint16_t>(input.below(100)));
        break;
      case 2:
        writer.u32(input.number<std::uint32_t>());
        break;
      case 3:
        writer.u64(input.number<std::uint64_t>());
        break;
      case 4:
        writer.var(input.bytes(kVarMax));
        break;
      default:
        writer.raw(input.fixed<Digest32>().view());
    }
  }
  return std::move(writer).take();
}

// Reads and writes again.
Bytes copy(Reader& reader, const Bytes& script) {
  Writer writer;
  for (const std::uint8_t step : script) {
    switch (step % 6) {
      case 0:
        writer.u8(reader.u8());
        break;
      case 1:
        writer.u16(static_cast<std::uint16_t>(reader.count(100)));
        break;
      case 2:
        writer.u32(reader.u32());
        break;
      case 3:
        writer.u64(reader.u64());
        break;
      case 4: {
        const ByteView bytes = reader.var(kVarMax);
        SP_CHECK(bytes.size() <= kVarMax);
        writer.var(bytes);
        break;
      }
      default:
        writer.raw(reader.fixed<Digest32>().view());
    }
  }
  return std::move(writer).take();
}

}  // namespace
}  // namespace sp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sp::testing::FuzzInput input({data, size});
  const sp::Bytes script = sp::to_bytes(input.bytes(16));
  const sp::Bytes encoding = sp::write(input, script);
  sp::Reader good(encoding);
  SP_CHECK(sp::copy(good, script) == encoding && good.finish().ok());
  const sp::Bytes spoiled = input.spoiled(encoding);
  sp::Reader reader(spoiled);
  const sp::Bytes again = sp::copy(reader, script);
  if (reader.finish()) SP_CHECK(again == spoiled);
  return 0;
}
