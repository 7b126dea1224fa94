// X.509: parses the input as DER and as PEM, and reads every field of what comes out.
#include "base/check.hpp"
#include "crypto/x509.hpp"

namespace sp::crypto {
namespace {

void read_all(const Certificate& certificate) {
  static_cast<void>(certificate.subject() + certificate.issuer());
  static_cast<void>(certificate.is_ca());
  static_cast<void>(certificate.path_length());
  static_cast<void>(certificate.public_key_info());
  static_cast<void>(certificate.extension("2.5.29.19"));
  static_cast<void>(certificate.check_alone(certificate.not_before()));
  static_cast<void>(certificate.verify_issued_by(certificate));
  const auto again = Certificate::from_der(certificate.der());
  SP_CHECK(again.ok() && again->der() == certificate.der());
}

}  // namespace
}  // namespace sp::crypto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sp::crypto::Certificate;
  const sp::ByteView input(data, size);
  if (const auto certificate = Certificate::from_der(input)) sp::crypto::read_all(*certificate);
  if (const auto chain = Certificate::from_pem(sp::as_text(input))) {
    for (const Certificate& certificate : *chain) sp::crypto::read_all(certificate);
    static_cast<void>(sp::crypto::verify_chain(*chain, {}, 0));
  }
  return 0;
}
