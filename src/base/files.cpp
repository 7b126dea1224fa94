#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/durable.hpp"

namespace sp {
namespace {

Result<Fd> open_file(const Path& path, int flags, unsigned mode = 0) {
  Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) {
    Error error = errno_error("open", path);
    if (errno == ENOENT) error.code = Errc::not_found;
    return error;
  }
  return fd;
}

Result<std::uint64_t> size_of(int fd, const Path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno_error("stat", path);
  if (!S_ISREG(info.st_mode)) return Error{Errc::io, path.string() + " is not a file"};
  return static_cast<std::uint64_t>(info.st_size);
}

Status read_fully(int fd, std::uint64_t offset, MutableByteView out, const Path& path) {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", path);
    if (got == 0) return Error{Errc::malformed, path.string() + " ends too early"};
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Path temporary_beside(const Path& path) {
  static std::atomic<unsigned> counter{0};
  Path temporary = path;
  // sweep_temporaries() reads the pid out of it.
  temporary += "." + std::to_string(::getpid()) + "-" + std::to_string(++counter);
  temporary += kTemporarySuffix;
  return temporary;
}

Status sync_folder(const Path& folder) {
  SP_ASSIGN(const Fd fd, open_file(folder.empty() ? Path(".") : folder, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return errno_error("fsync", folder);
  return {};
}

class PosixAppendFile final : public AppendFile {
 public:
  PosixAppendFile(Fd file, Path path) : file_(std::move(file)), path_(std::move(path)) {}
  Status append(ByteView bytes) override { return write_fully(file_.get(), bytes, path_); }
  Status cut(std::uint64_t size) override {
    const bool done = ::ftruncate(file_.get(), static_cast<off_t>(size)) == 0;
    return done ? Status{} : errno_error("truncate", path_);
  }
  Status sync() override {
    return ::fdatasync(file_.get()) == 0 ? Status{} : errno_error("fdatasync", path_);
  }
  [[nodiscard]] bool is_still_there() const override {
    struct stat open {};
    struct stat there {};
    return ::fstat(file_.get(), &open) == 0 && ::stat(path_.c_str(), &there) == 0 &&
           open.st_dev == there.st_dev && open.st_ino == there.st_ino;
  }

 private:
  Fd file_;
  Path path_;
};

}  // namespace

Result<std::unique_ptr<AppendFile>> Files::append_to(const Path& path) {
  return Error{Errc::unsupported, "nothing can be appended to " + path.string()};
}

Error errno_error(std::string_view doing, const Path& path) {
  std::string message(doing);
  if (!path.empty()) message += " " + path.string();
  return {Errc::io, message + ": " + std::strerror(errno)};
}

Status write_fully(int descriptor, ByteView bytes, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return errno_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Bytes> PosixFiles::read(const Path& path, std::size_t size_max) const {
  SP_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  SP_ASSIGN(const std::uint64_t size, size_of(fd.get(), path));
  if (size > size_max) {
    return Error{Errc::too_large, path.string() + " has " + std::to_string(size) +
                                      " bytes, at most " + std::to_string(size_max) + " are read"};
  }
  Bytes bytes(size);
  SP_TRY(read_fully(fd.get(), 0, bytes, path));
  return bytes;
}

Result<Bytes> PosixFiles::read_range(const Path& path, std::uint64_t offset,
                                     std::size_t size) const {
  SP_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  SP_ASSIGN(const std::uint64_t whole, size_of(fd.get(), path));
  if (offset > whole || size > whole - offset)
    return Error{Errc::malformed, path.string() + " ends too early"};
  Bytes bytes(size);
  SP_TRY(read_fully(fd.get(), offset, bytes, path));
  return bytes;
}

Result<std::uint64_t> PosixFiles::size(const Path& path) const {
  SP_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  return size_of(fd.get(), path);
}

Status PosixFiles::write_atomic(const Path& path, ByteView bytes, FileMode mode) {
  const Path temporary = temporary_beside(path);
  const auto write = [&]() -> Status {
    const auto bits = static_cast<unsigned>(mode);
    SP_ASSIGN(const Fd fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, bits));
    // The umask takes nothing from what is for other users: daemons have users of their own.
    if (::fchmod(fd.get(), bits) != 0) return errno_error("fchmod", temporary);
    SP_TRY(write_fully(fd.get(), bytes, temporary));
    if (::fsync(fd.get()) != 0) return errno_error("fsync", temporary);
    crash_detail::temporary_written();
    if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename", path);
    return sync_folder(path.parent_path());
  };
  const Status done = write();
  if (!done) ::unlink(temporary.c_str());
  return done;
}

Result<std::unique_ptr<AppendFile>> PosixFiles::append_to(const Path& path) {
  SP_ASSIGN(Fd file, open_file(path, O_WRONLY | O_APPEND));
  return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(std::move(file), path));
}

Status PosixFiles::make_folder(const Path& path) {
  Path walked;
  for (const Path& part : path) {
    walked /= part;
    if (::mkdir(walked.c_str(), 0700) == 0) {
      SP_TRY(sync_folder(walked.parent_path()));
    } else if (errno != EEXIST) {
      return errno_error("mkdir", walked);
    }
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error("stat", path);
  if (!S_ISDIR(info.st_mode)) return Error{Errc::io, path.string() + " is not a folder"};
  return {};
}

Status PosixFiles::remove(const Path& path) {
  if (::unlink(path.c_str()) == 0) return sync_folder(path.parent_path());
  return errno == ENOENT ? Status{} : errno_error("unlink", path);
}

void PosixFiles::leave_cache(const Path& path) const {
  const auto fd = open_file(path, O_RDONLY);
  if (fd) ::posix_fadvise(fd->get(), 0, 0, POSIX_FADV_DONTNEED);
}

Result<std::vector<std::string>> PosixFiles::list(const Path& folder) const {
  std::error_code failure;
  std::filesystem::directory_iterator entries(folder, failure);
  if (failure) {
    return Error{failure == std::errc::no_such_file_or_directory ? Errc::not_found : Errc::io,
                 "list " + folder.string() + ": " + failure.message()};
  }
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(kTemporarySuffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace sp
