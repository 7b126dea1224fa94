// Unpacking of hostile archives into an empty folder; what write_tree and read_archive share.
#pragma once

#include "store/tree.hpp"

struct archive;

namespace sp::store {

/// An archive reader of libarchive that reads tar; filters are added by the caller.
struct ArchiveFree {
  void operator()(archive* reader) const;
};
using ArchiveReader = std::unique_ptr<archive, ArchiveFree>;
ArchiveReader make_tar_reader();

/// Reads `tar` to its end through `reader` and writes its entries beneath `destination`. Errors as
/// write_tree's.
Status unpack(archive& reader, ByteSource& tar, const Path& destination, const TreeLimits& limits);

}  // namespace sp::store
