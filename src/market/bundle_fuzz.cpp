// Proof bundles, trust files and hints: read, and what reads as a bundle is verified.
#include "market/proof.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sp::as_text({data, size});
  const auto trust = sp::market::Trust::parse(text);
  const auto bundle = sp::market::ProofBundle::parse(text);
  if (bundle) static_cast<void>(sp::market::verify_proof(*bundle, sp::market::Trust{}));
  static_cast<void>(sp::market::decode_hints({data, size}).ok());
  return trust.ok() && bundle.ok() ? 1 : 0;
}
