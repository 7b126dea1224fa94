// Where plaintext lies: file systems in memory, seen by the loader and its workload alone.
//
// In the loader's own mount namespace a small file system hides `root` (such as /run) and holds:
//   state/     of the container runtime, and the log and outcome for the result
//   content/   unpacked image and inputs; a file system of its own, as large as the order's disk
//   writable/  output/ and tmp/ of the workload; a file system of its own, as large as what is left
// Nothing is ever on a disk, nor in swap where the kernel can promise that. All of it goes with the
// namespace. Belongs to one thread.
#pragma once

#include <optional>

#include "base/files.hpp"

namespace sp::loader {

inline constexpr std::uint64_t kStateBytes = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kWritableBytesMin = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kWorkspaceEntriesMax = 1'000'000;  ///< files of each file system

class Workspace {
 public:
  /// Makes this process's mounts its own, mounts /proc of its pid namespace, and the workspace over
  /// `root`. Needs root in a mount namespace of its own. Errc::io.
  static Result<Workspace> create(const Path& root, std::uint64_t disk_bytes);
  /// A workspace in plain folders below an existing one, for tests.
  static Result<Workspace> in_folder(const Path& root, std::uint64_t disk_bytes);

  [[nodiscard]] Path state() const { return root_ / "state"; }
  [[nodiscard]] Path container() const { return state() / "container"; }
  [[nodiscard]] Path image() const { return root_ / "content" / "image"; }
  [[nodiscard]] Path rootfs() const { return root_ / "content" / "rootfs"; }
  /// Folder of the n-th data input, from 1.
  [[nodiscard]] Path input(std::size_t number) const;
  [[nodiscard]] Path writable() const { return root_ / "writable"; }
  [[nodiscard]] Path output() const { return writable() / "output"; }
  [[nodiscard]] Path temporary() const { return writable() / "tmp"; }

  /// How much larger the container's user ids are outside; empty in plain folders.
  [[nodiscard]] std::optional<std::uint32_t> owner_base() const;
  [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_; }
  /// Bytes of the order's disk that image and inputs have left.
  [[nodiscard]] std::uint64_t left() const;
  /// Whether content/ has run full.
  [[nodiscard]] bool content_is_full() const;

  /// Makes the folder for one input. Errc::io.
  Status add_input(std::size_t number) const;
  /// Makes writable/ of what is left, with `owner` as owner of output. Errc::too_large where image
  /// and inputs leave nothing. Returns its size in bytes.
  Result<std::uint64_t> make_writable(std::uint32_t owner_user, std::uint32_t owner_group) const;

 private:
  Workspace(Path root, std::uint64_t disk_bytes, bool mounted)
      : root_(std::move(root)), disk_bytes_(disk_bytes), mounted_(mounted) {}
  Status make_folders() const;

  Path root_;
  std::uint64_t disk_bytes_;
  bool mounted_;
};

}  // namespace sp::loader
