// Zstandard (RFC 8878) as streams: exactly one frame. Each stream belongs to one thread at a time.
#pragma once

#include <memory>

#include "store/stream.hpp"

namespace sp::store {

/// One frame of everything that `plain` (which outlives it) gives.
std::unique_ptr<ByteSource> zstd_compressed(ByteSource& plain);

/// The content of the one frame that `frame` gives. Errc::malformed where it is broken, cut, asks
/// for more than `window_max` bytes of window, or is followed by anything.
std::unique_ptr<ByteSource> zstd_decompressed(std::unique_ptr<ByteSource> frame,
                                              std::size_t window_max);

}  // namespace sp::store
