// Entries of the provider's ledger after damage, built of the input and then spoiled: what decodes
// has exactly one encoding.
#include "api/testing/fuzz_terms.hpp"
#include "provider/ledger.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::provider;
  sp::testing::check_one_encoding<Entry>({data, size});
  sp::testing::FuzzInput input({data, size});
  Entry entry;
  entry.state = static_cast<EntryState>(1 + input.below(5));
  if (input.flag()) entry.finish = sp::api::testing::any_finish(input);
  for (std::size_t i = input.below(kIdleMax + 1); i != 0; --i) {
    entry.idle.push_back(sp::api::testing::any_receipt(input));
  }
  entry.locks = input.flag();
  entry.failure = input.text(80);
  entry.start = sp::api::testing::any_start(input);
  const sp::Bytes encoding = entry.encode();
  SP_CHECK(Entry::decode(encoding).ok());
  sp::testing::check_one_encoding<Entry>(input.spoiled(encoding));
  return 0;
}
