// Storage receipts: what decodes has exactly one encoding, and verifying never fails otherwise than
// by its error.
#include <cstddef>
#include <cstdint>

#include "store/receipt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView input(data, size);
  const auto receipt = sp::store::StorageReceipt::decode(input);
  if (!receipt) return 0;
  SP_CHECK(std::ranges::equal(receipt->encode(), input));
  const auto verified = receipt->verify(sp::Address{});
  SP_CHECK(!verified && verified.error().code == sp::Errc::bad_signature);
  return 0;
}
