#include "store/buffers.hpp"

#include <malloc.h>

namespace sp::store {

void keep_freed_buffers() {
  constexpr int kKeptSizeMax = 8 << 20;
  constexpr int kKeptMax = 32 << 20;
  // Where malloc doesn't know them (0), all is as it was.
  ::mallopt(M_MMAP_THRESHOLD, kKeptSizeMax);
  ::mallopt(M_TRIM_THRESHOLD, kKeptMax);
}

}  // namespace sp::store
