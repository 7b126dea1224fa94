// The target of a request ("/path?name=value"), taken apart strictly (RFC 3986): what it decodes to
// has no control characters and no "." or ".." segments, whatever its escapes. A '+' is a '+'.
//
// Pure functions; safe to call from any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace sp::net {

inline constexpr std::size_t kQueryFieldsMax = 64;

struct Target {
  std::string path;
  std::map<std::string, std::string, std::less<>> query;
};

/// Errc::malformed for anything else than a path with valid escapes, or a query name that stands
/// twice; Errc::too_large over kTargetSizeMax or kQueryFieldsMax.
Result<Target> parse_target(std::string_view target);

/// Any bytes as one path segment or one query name or value.
std::string percent_encode(std::string_view text);

}  // namespace sp::net
