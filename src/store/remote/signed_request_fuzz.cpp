// The field of a signed request: what parses has exactly one spelling, and verifying never fails
// otherwise than by its errors.
#include <cstddef>
#include <cstdint>

#include "store/remote/signed_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = sp::as_text(sp::ByteView(data, size));
  const auto field = sp::store::RequestSignature::parse(input);
  if (!field) return 0;
  SP_CHECK(field->text() == input);
  const auto verified = field->verify({{}, "PUT", "/", {}, 0}, field->time);
  SP_CHECK(!verified && verified.error().code == sp::Errc::bad_signature);
  return 0;
}
