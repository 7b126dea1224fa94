// S3 URLs and credentials files: whatever comes reads as something or is refused.
#include <cstddef>
#include <cstdint>

#include "store/remote/s3_location.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = sp::as_text(sp::ByteView(data, size));
  if (const auto location = sp::store::S3Location::parse(input)) {
    SP_CHECK(!location->bucket.empty());
    const auto again =
        sp::store::S3Location::parse("s3://" + location->bucket + "/" + location->prefix);
    SP_CHECK(!again || (again->bucket == location->bucket && again->prefix == location->prefix));
  }
  if (const auto credentials = sp::store::read_s3_credentials(input, "default")) {
    SP_CHECK(!credentials->access_key.empty() && credentials->secret_key.size() > 0);
  }
  return 0;
}
