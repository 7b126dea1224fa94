// Parts of vendors' answers: the first byte says what the rest is read as.
#include "collateral/answers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::collateral;
  if (size == 0) return 0;
  const sp::ByteView input(data + 1, size - 1);
  const std::string text(sp::as_text(input));
  switch (data[0] % 4) {
    case 0: {
      const auto chain = decode_issuer_chain(text);
      if (!chain) break;
      SP_CHECK(chain->size() <= kIssuerChainSizeMax && chain->starts_with("-----BEGIN "));
      SP_CHECK(chain->find('\0') == std::string::npos);
      break;
    }
    case 1: {
      const sp::net::Headers headers{
          {"cache-control", text}, {"expires", text}, {"retry-after", text}};
      const auto lifetime = lifetime_of(headers, 1'800'000'000);
      SP_CHECK(!lifetime || lifetime->count() >= 0);
      const auto pause = retry_after_of(headers, 1'800'000'000);
      SP_CHECK(!pause || pause->count() >= 0);
      break;
    }
    case 2: {
      const auto der = crl_der(input);
      SP_CHECK(!der || !der->empty());
      break;
    }
    default:
      for (const Wanted& wanted : {Wanted(IntelTcbInfo{}), Wanted(AmdCrl{})}) {
        (void)next_update_of(wanted, {sp::to_bytes(input), ""});
      }
  }
  return 0;
}
