#include "loader/rootfs.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "crypto/hash.hpp"
#include "loader/beneath.hpp"
#include "store/archive_compression.hpp"
#include "store/tar_reader.hpp"

namespace sp::loader {
namespace {

constexpr std::size_t kReadSize = 1 << 20;
// Of a compressed layer's tar, beside the bytes of its files.
constexpr std::uint64_t kHeadersMax = std::uint64_t{2} << 30;
constexpr std::size_t kTextFileMax = 1 << 20;
constexpr mode_t kNewFolderMode = 0755;
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

Error refused(const std::string& what, const std::string& name) {
  return {Errc::refused, what + ": " + name.substr(0, 200)};
}

std::string joined(const std::vector<std::string>& parts, std::size_t count) {
  std::string name;
  for (std::size_t i = 0; i < count; ++i) name += (i == 0 ? "" : "/") + parts[i];
  return name;
}

// Removes a file, or a folder with all that is in it. No error where there is nothing.
Status remove_all(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return errno_error("unlink", name);
  Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) return errno_error("open", name);
  std::vector<std::string> children;
  DIR* list = ::fdopendir(folder.get());
  if (list == nullptr) return errno_error("list", name);
  const int fd = folder.release();  // closed with the list
  while (const dirent* entry = ::readdir(list)) {
    const std::string child = entry->d_name;
    if (child != "." && child != "..") children.push_back(child);
  }
  Status status;
  for (const std::string& child : children) {
    if (status) status = remove_all(fd, child);
  }
  ::closedir(list);
  SP_TRY(status);
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return errno_error("rmdir", name);
  return {};
}

// Whether a relative link at `depth` folders below the root climbs above it.
bool climbs_out(std::string_view target, std::size_t depth) {
  if (target.starts_with('/')) return false;  // starts at the image's own root
  while (!target.empty()) {
    const std::size_t end = std::min(target.find('/'), target.size());
    const std::string_view part = target.substr(0, end);
    target.remove_prefix(std::min(end + 1, target.size()));
    if (part == "..") {
      if (depth == 0) return true;
      --depth;
    } else if (!part.empty() && part != ".") {
      ++depth;
    }
  }
  return false;
}

std::string text_or_empty(const char* utf8, const char* raw) {
  if (utf8 != nullptr) return utf8;
  return raw != nullptr ? raw : "";
}

}  // namespace

/// Applies one layer.
class LayerReader {
 public:
  LayerReader(Rootfs& rootfs, int root) : rootfs_(rootfs), root_(root) {}

  Status apply(std::unique_ptr<store::ByteSource> layer) {
    SP_ASSIGN(const auto tar,
              store::undo_compression(std::move(layer), bytes_left() + kHeadersMax));
    store::TarReader reader(*tar);
    archive_read_set_options(&reader.handle(), "hdrcharset=BINARY");
    SP_TRY(reader.open());
    for (;;) {
      SP_ASSIGN(archive_entry* const entry, reader.next());
      if (entry == nullptr) return {};
      if (++rootfs_.entries_ > rootfs_.limits_.entries_max) {
        return Error{Errc::too_large, "the image has more than " +
                                          std::to_string(rootfs_.limits_.entries_max) + " entries"};
      }
      SP_TRY(take(reader, entry));
      // Some tools repeat a file's content behind its hard links.
      SP_TRY(reader.skip_content());
    }
  }

 private:
  Status take(const store::TarReader& reader, archive_entry* entry) {
    const std::string name =
        text_or_empty(archive_entry_pathname_utf8(entry), archive_entry_pathname(entry));
    SP_ASSIGN(std::vector<std::string> parts, split_name(name));
    if (parts.empty()) return {};  // the root itself
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i].starts_with(kWhiteout)) return refused("an entry below a whiteout", name);
    }
    const std::string last = parts.back();
    SP_ASSIGN(const int parent, open_parent(parts));
    if (last.starts_with(kWhiteout)) return take_whiteout(parent, parts, entry);
    made_.insert(joined(parts, parts.size()));
    if (archive_entry_hardlink(entry) != nullptr) return make_hard_link(parent, last, entry);
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return make_folder(parent, last, entry);
      case AE_IFREG:
        return make_file(reader, parent, last, entry);
      case AE_IFLNK:
        return make_symbolic_link(parent, parts, entry);
      default:
        return refused("neither file, folder nor link", name);
    }
  }

  // The folder that the entry lies in, made where it is missing. Consecutive entries mostly share
  // theirs, so the last one is kept.
  Result<int> open_parent(const std::vector<std::string>& parts) {
    const std::string name = parts.size() == 1 ? "." : joined(parts, parts.size() - 1);
    if (parent_.valid() && parent_name_ == name) return parent_.get();
    constexpr int kFlags = O_RDONLY | O_DIRECTORY;
    auto parent = open_beneath(root_, name, kFlags, Links::in_root);
    for (std::size_t i = 1; !parent && parent.error().code == Errc::not_found; ++i) {
      if (i == parts.size()) break;
      const std::string above = i == 1 ? "." : joined(parts, i - 1);
      SP_ASSIGN(const Fd folder, open_beneath(root_, above, kFlags, Links::in_root));
      if (::mkdirat(folder.get(), parts[i - 1].c_str(), kNewFolderMode) == 0) {
        made_.insert(joined(parts, i));
        SP_TRY(own(folder.get(), parts[i - 1], 0, 0));
      } else if (errno != EEXIST) {
        return errno_error("mkdir", parts[i - 1]);
      }
      if (i + 1 == parts.size()) parent = open_beneath(root_, name, kFlags, Links::in_root);
    }
    if (!parent) {
      // A link that leads nowhere stays "not found"; for the image's owner it is a bad path.
      if (parent.error().code == Errc::not_found) return refused("no folder to put into", name);
      return parent.error();
    }
    parent_ = std::move(*parent);
    parent_name_ = name;
    return parent_.get();
  }

  Status take_whiteout(int parent, const std::vector<std::string>& parts, archive_entry* entry) {
    const std::string name = joined(parts, parts.size());
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_size(entry) != 0 ||
        archive_entry_hardlink(entry) != nullptr) {
      return refused("a whiteout that isn't an empty file", name);
    }
    if (parts.back() == kOpaque) return empty_lower(parent, joined(parts, parts.size() - 1));
    const std::string target = parts.back().substr(kWhiteout.size());
    if (target.empty() || target == "." || target == ".." || target.starts_with(kWhiteout)) {
      return refused("not a whiteout", name);
    }
    std::vector<std::string> hidden = parts;
    hidden.back() = target;
    if (made_.contains(joined(hidden, hidden.size()))) {
      return refused("a whiteout of what its own layer brings", name);
    }
    return replace(parent, target);
  }

  // Removes what lower layers left in a folder and keeps what this layer put there.
  Status empty_lower(int parent, const std::string& folder) {
    const Fd copy(::openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!copy.valid()) return errno_error("open", folder);
    std::vector<std::string> children;
    {
      DIR* list = ::fdopendir(::fcntl(copy.get(), F_DUPFD_CLOEXEC, 0));
      if (list == nullptr) return errno_error("list", folder);
      while (const dirent* entry = ::readdir(list)) children.emplace_back(entry->d_name);
      ::closedir(list);
    }
    for (const std::string& child : children) {
      if (child == "." || child == "..") continue;
      if (made_.contains(folder.empty() ? child : folder + "/" + child)) continue;
      SP_TRY(replace(parent, child));
    }
    return {};
  }

  // Makes room for an entry.
  Status replace(int parent, const std::string& name) {
    SP_TRY(remove_all(parent, name));
    return {};
  }

  // Like replace(), for what may have been a folder on the way to the kept parent.
  Status make_room(int parent, const std::string& name) {
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
    return replace(parent, name);
  }

  Status own(int parent, const std::string& name, std::int64_t uid, std::int64_t gid) {
    if (!rootfs_.owner_base_) return {};
    const auto mapped = [&](std::int64_t id) {
      constexpr std::int64_t kNobody = kMappedIds - 2;
      return *rootfs_.owner_base_ +
             static_cast<std::uint32_t>(id < 0 || id >= kMappedIds ? kNobody : id);
    };
    if (::fchownat(parent, name.c_str(), mapped(uid), mapped(gid), AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error("chown", name);
    }
    return {};
  }

  Status make_folder(int parent, const std::string& name, archive_entry* entry) {
    struct stat info {};
    const bool there = ::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there || !S_ISDIR(info.st_mode)) {
      SP_TRY(make_room(parent, name));
      if (::mkdirat(parent, name.c_str(), kNewFolderMode) != 0) return errno_error("mkdir", name);
    }
    SP_TRY(own(parent, name, archive_entry_uid(entry), archive_entry_gid(entry)));
    const Fd made(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made.valid()) return errno_error("open", name);
    if (::fchmod(made.get(), archive_entry_perm(entry) & 01777) != 0) {
      return errno_error("chmod", name);
    }
    return {};
  }

  Status make_file(const store::TarReader& reader, int parent, const std::string& name,
                   archive_entry* entry) {
    const std::int64_t size = archive_entry_size(entry);
    if (size < 0) return refused("a file of negative size", name);
    SP_TRY(add_bytes(static_cast<std::uint64_t>(size)));
    SP_TRY(make_room(parent, name));
    const Fd file(
        ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return errno_error("create", name);
    SP_TRY(write_content(reader, file.get(), name, size));
    SP_TRY(own(parent, name, archive_entry_uid(entry), archive_entry_gid(entry)));
    if (::fchmod(file.get(), archive_entry_perm(entry) & 0777) != 0) {
      return errno_error("chmod", name);
    }
    return {};
  }

  static Status write_content(const store::TarReader& reader, int file, const std::string& name,
                              std::int64_t size) {
    if (::ftruncate(file, size) != 0) return errno_error("write", name);
    for (;;) {
      const void* data = nullptr;
      std::size_t count = 0;
      std::int64_t offset = 0;
      const int got = archive_read_data_block(&reader.handle(), &data, &count, &offset);
      if (got == ARCHIVE_EOF) return {};
      if (got != ARCHIVE_OK) return reader.failure();
      if (offset < 0 || offset > size || static_cast<std::int64_t>(count) > size - offset) {
        return refused("a file with more bytes than it says", name);
      }
      const char* bytes = static_cast<const char*>(data);
      while (count > 0) {
        const ssize_t put = ::pwrite(file, bytes, count, offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return errno_error("write", name);
        bytes += put;
        offset += put;
        count -= static_cast<std::size_t>(put);
      }
    }
  }

  Status make_symbolic_link(int parent, const std::vector<std::string>& parts,
                            archive_entry* entry) {
    const std::string& name = parts.back();
    const std::string target =
        text_or_empty(archive_entry_symlink_utf8(entry), archive_entry_symlink(entry));
    if (target.empty() || target.size() > kNamePathMax) return refused("a link to nothing", name);
    if (climbs_out(target, parts.size() - 1)) {
      return refused("a link out of the image", joined(parts, parts.size()) + " -> " + target);
    }
    SP_TRY(make_room(parent, name));
    if (::symlinkat(target.c_str(), parent, name.c_str()) != 0) return errno_error("link", name);
    return own(parent, name, archive_entry_uid(entry), archive_entry_gid(entry));
  }

  Status make_hard_link(int parent, const std::string& name, archive_entry* entry) {
    const std::string target =
        text_or_empty(archive_entry_hardlink_utf8(entry), archive_entry_hardlink(entry));
    SP_ASSIGN(const std::vector<std::string> parts, split_name(target));
    if (parts.empty()) return refused("a hard link to the root", name);
    const std::string folder = parts.size() == 1 ? "." : joined(parts, parts.size() - 1);
    auto from = open_beneath(root_, folder, O_PATH | O_DIRECTORY, Links::in_root);
    if (!from) return refused("a hard link to nothing", name + " -> " + target);
    struct stat info {};
    if (::fstatat(from->get(), parts.back().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        !(S_ISREG(info.st_mode) || S_ISLNK(info.st_mode))) {
      return refused("a hard link to nothing", name + " -> " + target);
    }
    struct stat here {};
    if (::fstatat(parent, name.c_str(), &here, AT_SYMLINK_NOFOLLOW) == 0) {
      if (here.st_ino == info.st_ino && here.st_dev == info.st_dev) return {};
      SP_TRY(make_room(parent, name));
    }
    if (::linkat(from->get(), parts.back().c_str(), parent, name.c_str(), 0) != 0) {
      return errno_error("link", name);
    }
    return {};
  }

  [[nodiscard]] std::uint64_t bytes_left() const {
    return rootfs_.limits_.bytes_max - rootfs_.bytes_;
  }

  Status add_bytes(std::uint64_t size) {
    if (size > bytes_left()) {
      return Error{Errc::too_large, "the image unpacks to more than " +
                                        std::to_string(rootfs_.limits_.bytes_max) + " bytes"};
    }
    rootfs_.bytes_ += size;
    return {};
  }

  Rootfs& rootfs_;
  int root_;
  Fd parent_;
  std::string parent_name_;
  std::set<std::string> made_;  // paths that this layer brought
};

Rootfs::Rootfs(Path folder, std::optional<std::uint32_t> owner_base, RootfsLimits limits)
    : folder_(std::move(folder)), owner_base_(owner_base), limits_(limits) {}

namespace {

// SHA-256 of an open file, which is then read from its start again.
Status check_layer(int file, const ImageBlob& blob) {
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  Bytes buffer(kReadSize);
  std::uint64_t size = 0;
  for (;;) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read");
    if (got == 0) break;
    size += static_cast<std::uint64_t>(got);
    hasher.update(ByteView(buffer).first(static_cast<std::size_t>(got)));
  }
  const auto digest = Digest32::from(hasher.finish());
  if (size != blob.size || !digest || *digest != blob.digest) {
    return Error{Errc::mismatch, "layer " + blob.digest.hex() + " isn't what the image says of it"};
  }
  if (::lseek(file, 0, SEEK_SET) != 0) return errno_error("seek");
  return {};
}

Result<Fd> open_folder(const Path& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open", folder);
  return fd;
}

}  // namespace

Status Rootfs::apply(const Path& image_folder, const ImageLayer& layer) {
  SP_ASSIGN(const Fd image, open_folder(image_folder));
  SP_ASSIGN(const Fd root, open_folder(folder_));
  SP_TRY(split_name(layer.file));
  SP_ASSIGN(Fd file, open_beneath(image.get(), layer.file, O_RDONLY, Links::refused));
  if (layer.blob) SP_TRY(check_layer(file.get(), *layer.blob));
  const Status applied =
      LayerReader(*this, root.get()).apply(store::fd_source(std::move(file), layer.file));
  return applied ? applied : applied.error().in("layer");
}

Status Rootfs::make_mount_point(const std::string& name) {
  SP_ASSIGN(const std::vector<std::string> parts, split_name(name));
  SP_ASSIGN(Fd folder, open_folder(folder_));
  for (const std::string& part : parts) {
    const bool made = ::mkdirat(folder.get(), part.c_str(), kNewFolderMode) == 0;
    if (!made && errno != EEXIST) return errno_error("mkdir", part);
    if (made && owner_base_ &&
        ::fchownat(folder.get(), part.c_str(), *owner_base_, *owner_base_, AT_SYMLINK_NOFOLLOW)) {
      return errno_error("chown", part);
    }
    auto next = open_beneath(folder.get(), part, O_RDONLY | O_DIRECTORY, Links::refused);
    if (!next) return refused("the image has something in the way of", "/" + name);
    folder = std::move(*next);
  }
  return {};
}

Status Rootfs::make_working_dir(const std::string& path) {
  SP_ASSIGN(const Fd root, open_folder(folder_));
  auto there = open_beneath(root.get(), path, O_PATH | O_DIRECTORY, Links::in_root);
  if (there) return {};
  return make_mount_point(path.substr(std::min(path.find_first_not_of('/'), path.size())));
}

Result<std::string> Rootfs::text_of(const std::string& name) const {
  SP_ASSIGN(const Fd root, open_folder(folder_));
  auto text = read_beneath(root.get(), name, kTextFileMax, Links::in_root);
  if (!text && text.error().code == Errc::not_found) return std::string();
  return text;
}

bool Rootfs::has_program(const std::string& program, const std::string& working_dir,
                         std::string_view search_path) const {
  const auto root = open_folder(folder_);
  if (!root) return false;
  const auto startable = [&](const std::string& path) {
    const auto file = open_beneath(root->get(), path, O_PATH, Links::in_root);
    struct stat info {};
    return file && ::fstat(file->get(), &info) == 0 && S_ISREG(info.st_mode) &&
           (info.st_mode & 0111) != 0;
  };
  if (program.starts_with('/')) return startable(program);
  if (program.find('/') != std::string::npos) return startable(working_dir + "/" + program);
  while (!search_path.empty()) {
    const std::size_t end = std::min(search_path.find(':'), search_path.size());
    if (startable(std::string(search_path.substr(0, end)) + "/" + program)) return true;
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
  }
  return false;
}

}  // namespace sp::loader
