// Apart from tree_unpack.cpp, so that a program which opens no archives links no decompressors.
#include "store/archive_compression.hpp"
#include "store/tree.hpp"

namespace sp::store {

Result<std::unique_ptr<ByteSource>> read_archive(const Path& archive, const Path& scratch) {
  SP_ASSIGN(std::unique_ptr<ByteSource> file, open_file_source(archive));
  const auto tar = undo_compression(std::move(file), kArchiveBytesMax);
  const Status done =
      tar ? write_tree(**tar, scratch, {kArchiveBytesMax, kTreeEntriesMax}) : Status(tar.error());
  if (!done) return done.error().in(archive.string());
  return read_tree({{"", scratch}}, OddEntries::refuse);
}

}  // namespace sp::store
