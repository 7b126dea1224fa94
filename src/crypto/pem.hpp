// PEM and base64 (RFC 7468, RFC 4648 section 4), strict: one text per byte string, but for line
// breaks. Safe from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace sp::crypto {

/// Bytes of base64 text; line breaks, blanks and tabs are passed over. Errc::malformed for another
/// character, a wrong length or padding, and bits that aren't zero behind the end.
Result<Bytes> from_base64(std::string_view text);

/// What a PEM text may hold.
struct PemLimits {
  std::size_t text_size = 0;   ///< bytes of the whole text
  std::size_t blocks = 0;      ///< at most so many
  std::size_t block_size = 0;  ///< bytes of one block, decoded
};

/// The content of every block of `text`, in order; at least one. Words outside the blocks are
/// passed over. Errc::malformed for a block of another label, one with headers, one that doesn't
/// end or isn't base64, and for no block; Errc::too_large.
Result<std::vector<Bytes>> pem_blocks(std::string_view text, std::string_view label,
                                      const PemLimits& limits);

}  // namespace sp::crypto
