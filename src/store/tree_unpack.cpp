#include "store/tree_unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "store/tree_path.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kBufferSize = 256 << 10;

/// Makes folders and files beneath one folder. Nothing but folders and files ever is in it, and
/// every step is resolved beneath it without links.
class TreeWriter {
 public:
  TreeWriter(Fd root, std::size_t entries_max)
      : root_(std::move(root)), entries_max_(entries_max) {}

  Status add_folder(const std::string& path) {
    if (passed_.erase(path) > 0) return {};  // names have passed through it before
    return make_folder(path);
  }

  /// The new, empty file.
  Result<Fd> add_file(const std::string& path, bool executable) {
    SP_TRY(count_entry());
    SP_TRY(enter_parent(path));
    Fd file = open_beneath(parent_, leaf_of(path), O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY, 0600);
    if (!file.valid()) return failure("create", path);
    if (::fchmod(file.get(), executable ? 0755 : 0644) != 0) return errno_error("chmod", path);
    return file;
  }

 private:
  static std::string leaf_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  }

  static Error failure(std::string_view doing, const std::string& path) {
    switch (errno) {
      case EEXIST:
        return {Errc::refused, path + " comes twice"};
      case ENOTDIR:
      case ELOOP:
      case EXDEV:
        return {Errc::refused, path + " passes through what isn't a folder"};
      default:
        return errno_error(doing, path);
    }
  }

  Status count_entry() {
    if (entries_++ < entries_max_) return {};
    return Error{Errc::too_large, "more than " + std::to_string(entries_max_) + " entries"};
  }

  /// Opens the folder in which `path` lies, and makes the missing ones above it.
  Status enter_parent(const std::string& path) {
    const std::string wanted(tree_parent(path));
    if (parent_.valid() && wanted == parent_path_) return {};
    Fd parent = open_beneath(root_, wanted, O_PATH | O_DIRECTORY);
    if (!parent.valid() && errno == ENOENT) {
      for (std::size_t slash = wanted.find('/');; slash = wanted.find('/', slash + 1)) {
        SP_TRY(pass_through(wanted.substr(0, slash)));
        if (slash == std::string::npos) break;
      }
      parent = open_beneath(root_, wanted, O_PATH | O_DIRECTORY);
    }
    if (!parent.valid()) return failure("open", wanted);
    parent_ = std::move(parent);
    parent_path_ = wanted;
    return {};
  }

  Status pass_through(const std::string& folder) {
    if (open_beneath(root_, folder, O_PATH | O_DIRECTORY).valid()) return {};
    if (errno != ENOENT) return failure("open", folder);
    SP_TRY(make_folder(folder));
    passed_.insert(folder);
    return {};
  }

  Status make_folder(const std::string& path) {
    SP_TRY(count_entry());
    SP_TRY(enter_parent(path));
    const std::string leaf = leaf_of(path);
    if (::mkdirat(parent_.get(), leaf.c_str(), 0700) != 0) return failure("make folder", path);
    const Fd made = open_beneath(parent_, leaf, O_RDONLY | O_DIRECTORY);
    if (!made.valid()) return failure("open", path);
    if (::fchmod(made.get(), 0755) != 0) return errno_error("chmod", path);
    return {};
  }

  Fd root_;
  Fd parent_;  // the folder of the last entry, kept open for the next
  std::string parent_path_;
  std::unordered_set<std::string> passed_;  // folders made without an entry of their own so far
  std::size_t entries_max_;
  std::size_t entries_ = 0;
};

/// Gives a ByteSource to libarchive and remembers the source's own error.
struct Feed {
  explicit Feed(ByteSource& tar) : source(tar) {}

  ByteSource& source;
  Bytes buffer = Bytes(kBufferSize);
  std::optional<Error> failure;
  std::size_t header_size = 0;  // read since the last entry's content
  bool in_header = false;
  bool ended = false;
};

la_ssize_t feed_read(archive* reader, void* context, const void** block) {
  Feed& feed = *static_cast<Feed*>(context);
  auto got = feed.source.read(feed.buffer);
  if (!got) {
    feed.failure = got.error();
    archive_set_error(reader, EIO, "the source failed");
    return -1;
  }
  feed.ended = *got == 0;
  if (feed.in_header && (feed.header_size += *got) > kTarHeaderMax) {
    feed.failure = Error{Errc::too_large, "tar: an entry's header has more than " +
                                              std::to_string(kTarHeaderMax) + " bytes"};
    archive_set_error(reader, ENOMEM, "too large");
    return -1;
  }
  *block = feed.buffer.data();
  return static_cast<la_ssize_t>(*got);
}

class Unpacker {
 public:
  Unpacker(archive& reader, Feed& feed, TreeWriter writer, const TreeLimits& limits)
      : reader_(reader), feed_(feed), writer_(std::move(writer)), limits_(limits) {}

  Status run() {
    for (;;) {
      archive_entry* entry = nullptr;
      feed_.in_header = true;
      feed_.header_size = 0;
      const int code = archive_read_next_header(&reader_, &entry);
      feed_.in_header = false;
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK && !(code == ARCHIVE_WARN && is_charset_warning())) return failure();
      SP_TRY(unpack_entry(*entry));
    }
    return drain();
  }

 private:
  /// Names are bytes to us: that they aren't the locale's characters doesn't matter, and libarchive
  /// gives them unchanged then.
  bool is_charset_warning() const {
    const char* text = archive_error_string(&reader_);
    return text != nullptr && std::strstr(text, "can't be converted from") != nullptr;
  }

  Error failure() const {
    if (feed_.failure) return *feed_.failure;
    const char* text = archive_error_string(&reader_);
    return {Errc::malformed, std::string("tar: ") + (text == nullptr ? "broken" : text)};
  }

  Status unpack_entry(archive_entry& entry) {
    const char* name = archive_entry_pathname(&entry);
    if (name == nullptr) return Error{Errc::malformed, "tar: an entry without a name"};
    SP_ASSIGN(const std::string path, clean_tree_path(name));
    const auto type = archive_entry_filetype(&entry);
    const bool is_link =
        archive_entry_hardlink(&entry) != nullptr || archive_entry_symlink(&entry) != nullptr;
    if (is_link || (type != AE_IFDIR && type != AE_IFREG)) {
      return Error{Errc::refused, "tar: " + path + " is neither a folder nor a file"};
    }
    if (type == AE_IFREG) return unpack_file(entry, path);
    if (path.empty()) return {};  // "./"
    return writer_.add_folder(path);
  }

  Status unpack_file(archive_entry& entry, const std::string& path) {
    if (path.empty()) return Error{Errc::refused, "tar: a file without a name"};
    const la_int64_t claimed = archive_entry_size(&entry);
    if (archive_entry_size_is_set(&entry) == 0 || claimed < 0) {
      return Error{Errc::malformed, "tar: " + path + " has no size"};
    }
    const auto size = static_cast<std::uint64_t>(claimed);
    if (size > limits_.bytes_max - bytes_) {
      return Error{Errc::too_large,
                   "the tree has more than " + std::to_string(limits_.bytes_max) + " bytes"};
    }
    bytes_ += size;
    SP_ASSIGN(const Fd file, writer_.add_file(path, (archive_entry_perm(&entry) & S_IXUSR) != 0));
    return copy_content(entry, file, path);
  }

  // What the entry says that its archive holds of it: of a sparse file, less than all.
  static std::uint64_t stored_size(archive_entry& entry) {
    if (archive_entry_sparse_reset(&entry) == 0) {
      return static_cast<std::uint64_t>(archive_entry_size(&entry));
    }
    std::uint64_t stored = 0;
    la_int64_t at = 0, length = 0;
    while (archive_entry_sparse_next(&entry, &at, &length) == ARCHIVE_OK) {
      stored += static_cast<std::uint64_t>(length);
    }
    return stored;
  }

  // Block by block, written from the memory that it was read into. What a sparse file leaves out is
  // a hole here as well.
  Status copy_content(archive_entry& entry, const Fd& file, const std::string& path) {
    const auto size = static_cast<std::uint64_t>(archive_entry_size(&entry));
    std::uint64_t left = stored_size(entry);
    std::uint64_t end = 0;
    for (bool ended = false; !ended;) {
      const void* block = nullptr;
      std::size_t count = 0;
      auto begin = static_cast<la_int64_t>(end);
      const int code = archive_read_data_block(&reader_, &block, &count, &begin);
      ended = code == ARCHIVE_EOF;  // whose offset is behind the last hole
      if (code != ARCHIVE_OK && !ended) return failure();
      const auto at = static_cast<std::uint64_t>(begin);
      if (at < end || at > size || count > std::min(left, size - at)) return other_size(path);
      left -= count;
      if (at > end) SP_TRY(leave_hole(file, at, path));
      end = at + count;
      SP_TRY(write_fully(file.get(), {static_cast<const std::uint8_t*>(block), count}, path));
    }
    if (end != size || left != 0) return other_size(path);
    return {};
  }

  static Error other_size(const std::string& path) {
    return {Errc::malformed, "tar: " + path + " has another size than it says"};
  }

  static Status leave_hole(const Fd& file, std::uint64_t end, const std::string& path) {
    const auto offset = static_cast<off_t>(end);
    if (::ftruncate(file.get(), offset) != 0) return errno_error("lengthen", path);
    if (::lseek(file.get(), offset, SEEK_SET) != offset) return errno_error("seek in", path);
    return {};
  }

  /// Reads what is behind the archive's end, so that a source which checks itself is checked whole.
  Status drain() {
    // The end of a tar is two blocks of zeros, which libarchive doesn't insist on. Where a filter
    // reads ahead this can't be told, but filters know themselves whether they are cut.
    if (feed_.ended && archive_filter_count(&reader_) == 1) {
      return Error{Errc::malformed, "tar: cut before its end"};
    }
    for (std::size_t trailer = 0;;) {
      SP_ASSIGN(const std::size_t got, feed_.source.read(feed_.buffer));
      if (got == 0) return {};
      trailer += got;
      if (trailer > kTarTrailerMax) {
        return Error{Errc::too_large,
                     "tar: more than " + std::to_string(kTarTrailerMax) + " bytes behind the end"};
      }
    }
  }

  archive& reader_;
  Feed& feed_;
  TreeWriter writer_;
  TreeLimits limits_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

void ArchiveFree::operator()(archive* reader) const { archive_read_free(reader); }

ArchiveReader make_tar_reader() {
  ArchiveReader reader(archive_read_new());
  SP_CHECK(reader != nullptr);
  SP_CHECK(archive_read_support_format_tar(reader.get()) == ARCHIVE_OK);
  return reader;
}

Status unpack(archive& reader, ByteSource& tar, const Path& destination, const TreeLimits& limits) {
  Fd root(::open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open", destination);
  Feed feed(tar);
  if (archive_read_open(&reader, &feed, nullptr, &feed_read, nullptr) != ARCHIVE_OK) {
    if (feed.failure) return *feed.failure;
    const char* text = archive_error_string(&reader);
    return Error{Errc::malformed, std::string("tar: ") + (text == nullptr ? "broken" : text)};
  }
  return Unpacker(reader, feed, TreeWriter(std::move(root), limits.entries_max), limits).run();
}

Status sync_tree(const Path& folder) {
  const Fd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open", folder);
  return ::syncfs(root.get()) == 0 ? Status{} : errno_error("syncfs", folder);
}

Status write_tree(ByteSource& tar, const Path& destination, const TreeLimits& limits) {
  const ArchiveReader reader = make_tar_reader();
  return unpack(*reader, tar, destination, limits);
}

}  // namespace sp::store
