// A hostile tar, entry by entry, through libarchive.
#pragma once

#include <optional>

#include "store/stream.hpp"

struct archive;
struct archive_entry;

namespace sp::store {

struct ArchiveFree {
  void operator()(archive* reader) const;
};
using ArchiveReader = std::unique_ptr<archive, ArchiveFree>;

/// Reads plain tar: what is compressed goes through undo_compression first. No more than
/// kTarHeaderMax (tree.hpp) of a source are read for what stands before one entry's content.
/// Belongs to one thread.
class TarReader {
 public:
  /// `tar` outlives it.
  explicit TarReader(ByteSource& tar);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  /// Before all below; options of libarchive are set before it.
  Status open();
  /// The next entry, which lives until the one after it; null behind the last.
  Result<archive_entry*> next();
  /// Passes over what was not read of the entry's content.
  Status skip_content();
  /// What libarchive had against the entry without refusing it, or null.
  [[nodiscard]] const char* warning() const;
  /// Why a call of libarchive failed: the source's own error, or Errc::malformed.
  [[nodiscard]] Error failure() const;
  /// Reads what is behind the last entry, so that a source which checks itself is checked whole.
  /// Errc::malformed where the tar has no end; Errc::too_large beyond kTarTrailerMax.
  Status finish();

  /// For reading an entry's content.
  [[nodiscard]] archive& handle() const { return *reader_; }

 private:
  // What libarchive calls.
  struct Feed;

  ByteSource& tar_;
  Bytes buffer_;
  std::optional<Error> failure_;  // the source's, or of a limit
  std::size_t header_size_ = 0;   // read since the last entry's content
  bool in_header_ = false;
  bool ended_ = false;
  bool warned_ = false;
  ArchiveReader reader_;
};

}  // namespace sp::store
