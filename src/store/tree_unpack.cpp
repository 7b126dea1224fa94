// Unpacking of hostile archives into an empty folder.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "store/tar_reader.hpp"
#include "store/tree.hpp"
#include "store/tree_path.hpp"

namespace sp::store {
namespace {

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

class Unpacker {
 public:
  Unpacker(TarReader& reader, TreeWriter writer, const TreeLimits& limits)
      : reader_(reader), writer_(std::move(writer)), limits_(limits) {}

  Status run() {
    SP_TRY(reader_.open());
    for (;;) {
      SP_ASSIGN(archive_entry* const entry, reader_.next());
      if (entry == nullptr) return reader_.finish();
      const char* warning = reader_.warning();
      if (warning != nullptr && !is_of_charset(warning)) return reader_.failure();
      SP_TRY(unpack_entry(*entry));
    }
  }

 private:
  /// Names are bytes to us: that they aren't the locale's characters doesn't matter, and libarchive
  /// gives them unchanged then.
  static bool is_of_charset(const char* warning) {
    return std::strstr(warning, "can't be converted from") != nullptr;
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
      const int code = archive_read_data_block(&reader_.handle(), &block, &count, &begin);
      ended = code == ARCHIVE_EOF;  // whose offset is behind the last hole
      if (code != ARCHIVE_OK && !ended) return reader_.failure();
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

  TarReader& reader_;
  TreeWriter writer_;
  TreeLimits limits_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Status sync_tree(const Path& folder) {
  const Fd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open", folder);
  return ::syncfs(root.get()) == 0 ? Status{} : errno_error("syncfs", folder);
}

Status write_tree(ByteSource& tar, const Path& destination, const TreeLimits& limits) {
  Fd root(::open(destination.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return errno_error("open", destination);
  TarReader reader(tar);
  return Unpacker(reader, TreeWriter(std::move(root), limits.entries_max), limits).run();
}

}  // namespace sp::store
