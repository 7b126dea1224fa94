// Numbers, times and bytes as people and other programs write them: what reads is written again as
// something that reads the same.
#include "base/amount.hpp"
#include "base/base64url.hpp"
#include "base/testing/fuzz_input.hpp"
#include "base/world.hpp"

namespace sp {
namespace {

void check_bytes(std::string_view text) {
  if (const auto bytes = from_hex(text)) {
    SP_CHECK(bytes->size() <= text.size() / 2 && *from_hex(to_hex(*bytes)) == *bytes);
    SP_CHECK(*from_hex(to_hex0x(*bytes)) == *bytes);
  }
  const auto bytes = from_base64url(text);
  if (bytes) SP_CHECK(to_base64url(*bytes) == text);
  SP_CHECK(*from_base64url(to_base64url(as_bytes(text))) == to_bytes(as_bytes(text)));
}

void check_amounts(std::string_view text) {
  if (const auto amount = Amount::from_text(text)) {
    SP_CHECK(*Amount::from_text(amount->text()) == *amount);
    SP_CHECK(*Amount::from_word(amount->word()) == *amount);
  }
  for (const unsigned decimals : {0U, 6U, 18U, 38U}) {
    const auto amount = Amount::from_tokens(text, decimals);
    if (amount) SP_CHECK(*Amount::from_tokens(amount->tokens(decimals), decimals) == *amount);
  }
  if (const auto word = Digest32::from(as_bytes(text))) {
    const auto amount = Amount::from_word(*word);
    if (amount) SP_CHECK(amount->word() == *word);
  }
}

}  // namespace
}  // namespace sp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sp::as_text({data, size});
  sp::check_bytes(text);
  sp::check_amounts(text);
  if (const auto time = sp::from_rfc3339(text)) {
    SP_CHECK(*sp::from_rfc3339(sp::to_rfc3339(*time)) == *time);
  }
  return 0;
}
