// What archives are compressed with, undone before their tar is read: so that a limit on a tar's
// bytes is one on what they are, not on the few that a hostile archive needs to say them.
#pragma once

#include "store/stream.hpp"

namespace sp::store {

/// What `stored` holds where it is gzip (RFC 1952) or zstd (RFC 8878), several members or frames in
/// a row included; anything else is given as it is. One compression is undone: a second inside of
/// it is what it holds. Reading gives Errc::malformed where it is broken or cut, and
/// Errc::too_large where more than `plain_max` bytes come out. Bytes behind gzip are left out.
Result<std::unique_ptr<ByteSource>> undo_compression(std::unique_ptr<ByteSource> stored,
                                                     std::uint64_t plain_max);

}  // namespace sp::store
