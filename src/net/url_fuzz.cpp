// URLs and request targets: whatever parses keeps its promises.
#include "base/check.hpp"
#include "net/http.hpp"
#include "net/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = sp::as_text({data, size});
  const auto target = sp::net::parse_target(text);
  if (target) {
    SP_CHECK(target->path.starts_with('/') && target->path.find('\0') == std::string::npos);
    SP_CHECK((target->path + "/").find("/../") == std::string::npos);
  }
  const auto url = sp::net::Url::parse(text);
  if (url) {
    SP_CHECK(!url->host.empty() && url->port != 0 && url->target.starts_with('/'));
    SP_CHECK(url->target.find_first_of(" \r\n#") == std::string::npos);
  }
  return 0;
}
