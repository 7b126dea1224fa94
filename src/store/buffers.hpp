// How this process holds the memory of chunks.
#pragma once

namespace sp::store {

/// Keeps freed buffers of up to a few MiB for the next ones, up to 32 MiB for each of malloc's
/// arenas. By default glibc hands those of a chunk's size back to the system at once, and faulting
/// their pages in anew costs more than sealing them. For programs that move chunks; any thread.
void keep_freed_buffers();

}  // namespace sp::store
