// DER: walks over everything that can be entered, and checks that a signature has one form.
#include "base/check.hpp"
#include "crypto/der.hpp"

namespace sp::crypto {
namespace {

// At most kDerDepthMax deep, because enter() refuses more.
void walk(DerReader reader) {
  while (!reader.at_end()) {
    DerReader again = reader;
    if (reader.next_is(DerTag::sequence) || reader.next_is(DerTag::set)) {
      const DerTag tag = reader.next_is(DerTag::set) ? DerTag::set : DerTag::sequence;
      if (auto inner = again.enter(tag)) walk(*inner);
    }
    again = reader;
    static_cast<void>(again.oid());
    again = reader;
    static_cast<void>(again.boolean());
    again = reader;
    static_cast<void>(again.number());
    const auto element = reader.next();
    if (!element) return;
    SP_CHECK(element->content.size() < element->whole.size());
  }
}

}  // namespace
}  // namespace sp::crypto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::crypto;
  const sp::ByteView input(data, size);
  walk(DerReader(input));
  for (const std::size_t number_size : {32U, 48U}) {
    if (const auto raw = ecdsa_raw_from_der(input, number_size)) {
      SP_CHECK(ecdsa_der_from_raw(*raw) == sp::to_bytes(input));
    }
  }
  return 0;
}
