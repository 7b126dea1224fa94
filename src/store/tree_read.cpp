#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crypto/hash.hpp"
#include "store/tar_format.hpp"
#include "store/tree.hpp"
#include "store/tree_path.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kDigestBufferSize = 256 << 10;

enum class EntryKind : std::uint8_t {
  passed_folder,  // a folder that names pass through; another entry may name it too
  folder,
  file
};

struct Entry {
  std::string path;
  EntryKind kind;
  std::uint32_t member;  // index into roots
};

/// Where a member's files are: beneath a folder, or one file by its path.
struct Root {
  Path source;
  Fd folder;                  // invalid for a single file
  std::size_t name_size = 0;  // of the member's name in front of each of its paths
};

Error changed(const std::string& path) {
  return {Errc::conflict, path + " changed while it was read: " + std::strerror(errno)};
}

/// Lists members into entries, sorted by path.
class Lister {
 public:
  Lister(OddEntries odd, std::uint64_t bytes_max, LeftOut* left_out)
      : odd_(odd), bytes_left_(bytes_max), left_out_(left_out) {}

  Status add(const TreeMember& member) {
    SP_ASSIGN(const std::string name, clean_tree_path(member.name));
    struct stat info {};
    if (::stat(member.source.c_str(), &info) != 0) {
      Error error = errno_error("stat", member.source);
      if (errno == ENOENT) error.code = Errc::not_found;
      return error;
    }
    const bool is_folder = S_ISDIR(info.st_mode);
    if (!is_folder && !S_ISREG(info.st_mode)) {
      return Error{Errc::refused, member.source.string() + " is neither a folder nor a file"};
    }
    if (!is_folder && name.empty()) {
      return Error{Errc::refused, "the file " + member.source.string() + " needs a name"};
    }
    for (std::string_view up = tree_parent(name); !up.empty(); up = tree_parent(up)) {
      SP_TRY(push(std::string(up), EntryKind::passed_folder));
    }
    if (!name.empty()) SP_TRY(push(name, is_folder ? EntryKind::folder : EntryKind::file));
    if (!is_folder) SP_TRY(count_bytes(info));
    Root root{member.source, {}, name.empty() ? 0 : name.size() + 1};
    if (is_folder) {
      root.folder = Fd(::open(member.source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!root.folder.valid()) return errno_error("open", member.source);
      SP_TRY(list_folders(root.folder, name));
    }
    roots_.push_back(std::move(root));
    return {};
  }

  /// Sorts by path, lets entries of folders replace passed ones, and refuses doubles.
  Status finish() {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      const int order = a.path.compare(b.path);
      return order != 0 ? order < 0 : a.kind > b.kind;
    });
    std::size_t kept = 0;
    for (Entry& entry : entries_) {
      if (kept > 0 && entries_[kept - 1].path == entry.path) {
        const bool merges =
            entry.kind == EntryKind::passed_folder && entries_[kept - 1].kind != EntryKind::file;
        if (!merges) return Error{Errc::refused, "two members give " + entry.path};
        continue;
      }
      if (&entries_[kept] != &entry) entries_[kept] = std::move(entry);
      ++kept;
    }
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(kept), entries_.end());
    return {};
  }

  std::vector<Entry> take_entries() { return std::move(entries_); }
  std::vector<Root> take_roots() { return std::move(roots_); }

 private:
  Status push(std::string path, EntryKind kind) {
    if (path.size() > kTreePathMax) {
      return Error{Errc::too_large,
                   "a path of more than " + std::to_string(kTreePathMax) + " bytes"};
    }
    if (entries_.size() == kTreeEntriesMax) {
      return Error{Errc::too_large, "more than " + std::to_string(kTreeEntriesMax) + " entries"};
    }
    names_size_ += path.size() + sizeof(Entry);
    if (names_size_ > kTreeNamesMax) {
      return Error{Errc::too_large,
                   "names of more than " + std::to_string(kTreeNamesMax) + " bytes"};
    }
    entries_.push_back({std::move(path), kind, static_cast<std::uint32_t>(roots_.size())});
    return {};
  }

  Status count_bytes(const struct stat& file) {
    const auto size = static_cast<std::uint64_t>(file.st_size);
    if (size > bytes_left_) return Error{Errc::too_large, "files of more bytes than allowed"};
    bytes_left_ -= size;
    return {};
  }

  // The folder of that name, and those that are found in it, which are among the new entries.
  Status list_folders(const Fd& root, const std::string& name) {
    std::size_t next = entries_.size();
    SP_TRY(list_folder(root, name, ""));
    for (; next < entries_.size(); ++next) {
      if (entries_[next].kind != EntryKind::folder) continue;
      const std::string inner = entries_[next].path.substr(name.empty() ? 0 : name.size() + 1);
      SP_TRY(list_folder(root, name, inner));
    }
    return {};
  }

  Status list_folder(const Fd& root, const std::string& name, const std::string& folder) {
    Fd fd = open_beneath(root, folder, O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) return changed(folder);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.get()), &::closedir);
    if (!stream) return errno_error("list", folder);
    fd.release();  // the stream owns it now
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(stream.get());
      if (found == nullptr) break;
      const std::string_view leaf = found->d_name;
      if (leaf == "." || leaf == "..") continue;
      std::string path = name;
      for (const std::string_view part : {std::string_view(folder), leaf}) {
        if (!path.empty() && !part.empty()) path += '/';
        path += part;
      }
      struct stat info {};
      if (::fstatat(::dirfd(stream.get()), found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return changed(path);
      }
      if (S_ISDIR(info.st_mode)) {
        SP_TRY(push(std::move(path), EntryKind::folder));
      } else if (S_ISREG(info.st_mode)) {
        SP_TRY(push(std::move(path), EntryKind::file));
        SP_TRY(count_bytes(info));
      } else if (odd_ == OddEntries::refuse) {
        return Error{Errc::refused, path + " is neither a folder nor a file"};
      } else if (left_out_ != nullptr && left_out_->count++ < kLeftOutNamedMax) {
        left_out_->named.push_back(std::move(path));
      }
    }
    if (errno != 0) return errno_error("list", folder);
    return {};
  }

  OddEntries odd_;
  std::uint64_t bytes_left_;
  LeftOut* left_out_;
  std::size_t names_size_ = 0;
  std::vector<Entry> entries_;
  std::vector<Root> roots_;
};

/// The stream: for each entry its header, content and padding, then the end.
class TreeSource final : public ByteSource {
 public:
  TreeSource(std::vector<Entry> entries, std::vector<Root> roots)
      : entries_(std::move(entries)), roots_(std::move(roots)) {}

  Result<std::size_t> read(MutableByteView out) override {
    if (out.empty()) return std::size_t{0};
    for (;;) {
      if (ready_at_ < ready_.size()) return take_ready(out);
      if (content_left_ > 0) return read_content(out);
      if (next_ < entries_.size()) {
        SP_TRY(begin_entry(entries_[next_++]));
      } else if (!ended_) {
        ended_ = true;
        make_ready(Bytes(kTarEndSize));
      } else {
        return std::size_t{0};
      }
    }
  }

 private:
  void make_ready(Bytes bytes) {
    ready_ = std::move(bytes);
    ready_at_ = 0;
  }

  std::size_t take_ready(MutableByteView out) {
    const std::size_t size = std::min(out.size(), ready_.size() - ready_at_);
    std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(ready_at_), size, out.begin());
    ready_at_ += size;
    return size;
  }

  Status begin_entry(const Entry& entry) {
    TarEntry header{entry.path, entry.kind != EntryKind::file, false, 0};
    if (entry.kind == EntryKind::file) {
      SP_TRY(open_file(entry));
      struct stat info {};
      if (::fstat(file_.get(), &info) != 0) return errno_error("stat", entry.path);
      if (!S_ISREG(info.st_mode)) {
        return Error{Errc::conflict, entry.path + " changed while it was read"};
      }
      header.is_executable = (info.st_mode & S_IXUSR) != 0;
      header.size = static_cast<std::uint64_t>(info.st_size);
    }
    content_left_ = header.size;
    padding_ = tar_padding(header.size);
    make_ready(tar_header(header));
    return {};
  }

  Status open_file(const Entry& entry) {
    const Root& root = roots_[entry.member];
    constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    file_ = root.folder.valid()
                ? open_beneath(root.folder, entry.path.substr(root.name_size), kFlags)
                : Fd(::open(root.source.c_str(), kFlags));
    if (file_.valid()) return {};
    if (errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == EXDEV) {
      return changed(entry.path);
    }
    return errno_error("open", entry.path);
  }

  Result<std::size_t> read_file(MutableByteView out) {
    for (;;) {
      const ssize_t got = ::read(file_.get(), out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return errno_error("read", entries_[next_ - 1].path);
    }
  }

  Result<std::size_t> read_content(MutableByteView out) {
    const std::string& path = entries_[next_ - 1].path;
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), content_left_));
    SP_ASSIGN(const std::size_t got, read_file(out.first(wanted)));
    if (got == 0) return Error{Errc::conflict, path + " became shorter while it was read"};
    content_left_ -= got;
    if (content_left_ == 0) {
      std::array<std::uint8_t, 1> more{};
      SP_ASSIGN(const std::size_t extra, read_file(more));
      if (extra != 0) return Error{Errc::conflict, path + " became longer while it was read"};
      make_ready(Bytes(padding_));
    }
    return got;
  }

  std::vector<Entry> entries_;
  std::vector<Root> roots_;
  std::size_t next_ = 0;
  Fd file_;
  std::uint64_t content_left_ = 0;
  std::size_t padding_ = 0;
  Bytes ready_;  // header, padding or end on its way out
  std::size_t ready_at_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> read_tree(const std::vector<TreeMember>& members,
                                              OddEntries odd, std::uint64_t bytes_max,
                                              LeftOut* left_out) {
  if (members.size() > kTreeMembersMax) {
    return Error{Errc::too_large, std::to_string(members.size()) + " members, at most " +
                                      std::to_string(kTreeMembersMax)};
  }
  Lister lister(odd, bytes_max, left_out);
  for (const TreeMember& member : members) SP_TRY(lister.add(member));
  SP_TRY(lister.finish());
  return std::unique_ptr<ByteSource>(
      std::make_unique<TreeSource>(lister.take_entries(), lister.take_roots()));
}

Result<Digest32> tree_digest(const Path& folder, OddEntries odd) {
  SP_ASSIGN(const std::unique_ptr<ByteSource> stream, read_tree({{"", folder}}, odd));
  crypto::Hasher hasher(crypto::Hasher::Kind::sha256);
  Bytes buffer(kDigestBufferSize);
  for (;;) {
    SP_ASSIGN(const std::size_t got, stream->read(buffer));
    if (got == 0) return Digest32::from(hasher.finish());
    hasher.update(ByteView(buffer).first(got));
  }
}

}  // namespace sp::store
