// A file of the outbox, as somebody may have left it.
#include "chain/tx_outbox.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp;
  const Address account = Address::from_hex(std::string(40, '1')).value();
  const auto entry = chain::OutboxEntry::decode({data, size}, account, 31337);
  if (entry) SP_CHECK(entry->encode(account) == to_bytes({data, size}));
  return 0;
}
