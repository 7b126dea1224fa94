// Files: reading with limits, writing that survives kill -9 at any moment.
//
// Files is the interface that rooms take; PosixFiles is the disk. A path is what the caller's
// settings say; names that others chose never become paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace sp {

using Path = std::filesystem::path;

/// Who may read what is written.
enum class FileMode : std::uint16_t { owner_only = 0600, everyone = 0644 };

/// A file that is only ever written at its end. Belongs to one thread at a time, but for sync().
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  /// Errc::io, with a part of them written: cut() takes it back.
  virtual Status append(ByteView bytes) = 0;
  /// Leaves the first `size` bytes. Errc::io.
  virtual Status cut(std::uint64_t size) = 0;
  /// Returns when all that was appended before is on the disk. From any thread. Errc::io.
  virtual Status sync() = 0;
  /// Whether its path still leads to it, and not to a file that replaced it.
  [[nodiscard]] virtual bool is_still_there() const = 0;
};

/// Implementations are safe to call from any thread, for different paths or for readers of one.
class Files {
 public:
  virtual ~Files() = default;

  /// The whole file. Errc::not_found where there is none, Errc::too_large over `size_max`,
  /// Errc::io.
  virtual Result<Bytes> read(const Path& path, std::size_t size_max) const = 0;
  /// Part of a file: `size` bytes from `offset`. Errc::malformed where the file ends before.
  virtual Result<Bytes> read_range(const Path& path, std::uint64_t offset,
                                   std::size_t size) const = 0;
  /// Size in bytes. Errc::not_found, Errc::io.
  virtual Result<std::uint64_t> size(const Path& path) const = 0;
  /// Replaces the file whole or not at all: temporary file, fsync, rename, fsync of the folder. The
  /// umask has no say in its mode.
  virtual Status write_atomic(const Path& path, ByteView bytes, FileMode mode) = 0;
  /// Opens a file that is there to append to it. Errc::not_found, Errc::io; Errc::unsupported where
  /// an implementation has none.
  virtual Result<std::unique_ptr<AppendFile>> append_to(const Path& path);
  /// Creates the folder and its parents (mode 0700), so that they are there after a power failure.
  /// No error where it exists.
  virtual Status make_folder(const Path& path) = 0;
  /// Removes a file, so that it doesn't come back after a power failure. No error where there is
  /// none.
  virtual Status remove(const Path& path) = 0;
  /// Says that a file won't be read soon, so that its memory can hold others; nothing else changes,
  /// and an implementation may do nothing.
  virtual void leave_cache(const Path&) const {}
  /// Names in a folder, sorted, temporary files of write_atomic left out. Errc::not_found,
  /// Errc::io.
  virtual Result<std::vector<std::string>> list(const Path& folder) const = 0;
};

class PosixFiles final : public Files {
 public:
  Result<Bytes> read(const Path& path, std::size_t size_max) const override;
  Result<Bytes> read_range(const Path& path, std::uint64_t offset, std::size_t size) const override;
  Result<std::uint64_t> size(const Path& path) const override;
  Status write_atomic(const Path& path, ByteView bytes, FileMode mode) override;
  Result<std::unique_ptr<AppendFile>> append_to(const Path& path) override;
  Status make_folder(const Path& path) override;
  Status remove(const Path& path) override;
  void leave_cache(const Path& path) const override;
  Result<std::vector<std::string>> list(const Path& folder) const override;
};

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

/// Errc::io with errno's words: "open FILE: Permission denied".
Error errno_error(std::string_view doing, const Path& path = {});

/// Writes all bytes where a descriptor stands, which blocks; `path` is for the error. Errc::io,
/// with a part of them written.
Status write_fully(int descriptor, ByteView bytes, const Path& path);

}  // namespace sp
