// Zstandard (RFC 8878) as streams. Each stream belongs to one thread at a time.
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

/// The same of all frames that follow each other to the end of `frames`, at least one.
std::unique_ptr<ByteSource> zstd_frames_decompressed(std::unique_ptr<ByteSource> frames,
                                                     std::size_t window_max);

}  // namespace sp::store
