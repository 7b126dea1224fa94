// base64url without padding (RFC 4648 section 5, as RFC 7515 section 2 uses it).
#pragma once

#include "base/bytes.hpp"

namespace sp {

std::string to_base64url(ByteView bytes);

/// Errc::malformed for another character, padding, a length that no bytes have, or bits left over.
Result<Bytes> from_base64url(std::string_view text);

}  // namespace sp
