// CRLs: reads every field of what parses; what is written again is what was read.
#include "base/check.hpp"
#include "crypto/crl.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crl = sp::crypto::Crl::from_der({data, size});
  if (!crl) return 0;
  static_cast<void>(crl->issuer());
  SP_CHECK(crl->der().size() == size && crl->this_update() <= crl->next_update());
  SP_CHECK(crl->size() <= sp::crypto::kCrlEntriesMax && !crl->contains({}));
  const auto certificate = sp::crypto::Certificate::from_der({data, size});
  SP_CHECK(!certificate);  // a list is never a certificate
  return 0;
}
