// Answers of S3 servers: whatever is read keeps its limits.
#include "base/check.hpp"
#include "store/remote/s3_answers.hpp"
#include "store/remote/xml.hpp"

namespace {

void check_xml(std::string_view text) {
  std::size_t elements = 0;
  const auto read = sp::store::read_xml(text, [&](std::string_view path, std::string_view inside) {
    ++elements;
    SP_CHECK(!path.empty() && inside.size() <= sp::store::kXmlTextMax + 4);
    SP_CHECK(path.size() <= sp::store::kXmlDepthMax * (sp::store::kXmlNameMax + 1));
    return sp::Status();
  });
  SP_CHECK(elements <= sp::store::kXmlElementsMax && (!read || elements > 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sp::ByteView bytes{data, size};
  check_xml(sp::as_text(bytes));
  SP_CHECK(sp::store::s3_error_code(bytes).size() <= sp::store::kS3ErrorCodeMax);
  if (const auto id = sp::store::s3_upload_id(bytes)) SP_CHECK(!id->empty());
  if (const auto id = sp::store::s3_upload_of(bytes, "k"); id && *id) SP_CHECK(!(*id)->empty());
  if (const auto parts = sp::store::s3_parts(bytes)) {
    for (const auto& part : *parts) {
      SP_CHECK(part.number > 0 && sp::store::s3_etag(part.etag).ok());
      SP_CHECK(part.etag.find_first_of("<>&\"") == std::string::npos);
    }
  }
  return 0;
}
