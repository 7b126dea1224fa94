// A keystore file; those whose parameters cost much are left out, for speed only.
#include <nlohmann/json.hpp>

#include "chain/keystore.hpp"

namespace {

bool is_cheap(const sp::Json& file) {
  constexpr std::uint64_t kCheap = 64;
  for (const char* name : {"n", "r", "p", "c"}) {
    const sp::Json::json_pointer pointer(std::string("/crypto/kdfparams/") + name);
    if (!file.contains(pointer)) continue;
    const sp::Json& value = file[pointer];
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > kCheap) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sp::as_text({data, size});
  const auto file = sp::parse_json(text, sp::chain::kKeystoreSizeMax);
  if (file && !is_cheap(*file)) return 0;
  const auto key = sp::chain::keystore_decrypt(text, sp::as_bytes("pw"));
  if (key) SP_CHECK(!key->address().is_zero());
  return 0;
}
