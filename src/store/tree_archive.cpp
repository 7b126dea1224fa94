// Apart from tree_unpack.cpp, so that a program which opens no archives links no decompressors.
#include <archive.h>

#include "store/tree_unpack.hpp"

namespace sp::store {

Result<std::unique_ptr<ByteSource>> read_archive(const Path& archive, const Path& scratch) {
  SP_ASSIGN(const std::unique_ptr<ByteSource> file, open_file_source(archive));
  const ArchiveReader reader = make_tar_reader();
  SP_CHECK(archive_read_support_filter_gzip(reader.get()) == ARCHIVE_OK);
  SP_CHECK(archive_read_support_filter_zstd(reader.get()) == ARCHIVE_OK);
  if (Status done = unpack(*reader, *file, scratch, {kArchiveBytesMax, kTreeEntriesMax}); !done) {
    return done.error().in(archive.string());
  }
  return read_tree({{"", scratch}}, OddEntries::refuse);
}

}  // namespace sp::store
