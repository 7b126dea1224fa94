#include "loader/workspace.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "loader/container_config.hpp"

namespace sp::loader {
namespace {

constexpr unsigned long kMountFlags = MS_NOSUID | MS_NODEV;
constexpr unsigned kPassMode = 0711;  // the container's users pass through, and list nothing

// Kernels from 6.4 on can promise to keep a tmpfs out of swap; older ones write an error to their
// log where they are asked.
bool may_know_noswap() {
  utsname system{};
  int major = 0;
  int minor = 0;
  const bool known =
      ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", &major, &minor) == 2;
  return !known || std::pair(major, minor) >= std::pair(6, 4);
}

Status mount_memory(const Path& where, std::uint64_t bytes) {
  const std::string options = "mode=0711,size=" + std::to_string(bytes) +
                              ",nr_inodes=" + std::to_string(kWorkspaceEntriesMax);
  const std::string unswapped = options + ",noswap";
  if (may_know_noswap() &&
      ::mount("tmpfs", where.c_str(), "tmpfs", kMountFlags, unswapped.c_str()) == 0) {
    return {};
  }
  if (::mount("tmpfs", where.c_str(), "tmpfs", kMountFlags, options.c_str()) == 0) return {};
  return errno_error("mount memory at", where);
}

Status make_folder(const Path& path, unsigned mode) {
  // chmod, because the umask must not decide.
  if (::mkdir(path.c_str(), mode) != 0) return errno_error("mkdir", path);
  if (::chmod(path.c_str(), mode) != 0) return errno_error("chmod", path);
  return {};
}

}  // namespace

Result<Workspace> Workspace::create(const Path& root, std::uint64_t disk_bytes) {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return errno_error("make mounts private");
  }
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return errno_error("mount", "/proc");
  }
  SP_TRY(mount_memory(root, kStateBytes));
  Workspace workspace(root, disk_bytes, true);
  SP_TRY(make_folder(root / "content", kPassMode));
  SP_TRY(mount_memory(root / "content", disk_bytes));
  SP_TRY(workspace.make_folders());
  return workspace;
}

Result<Workspace> Workspace::in_folder(const Path& root, std::uint64_t disk_bytes) {
  Workspace workspace(root, disk_bytes, false);
  SP_TRY(make_folder(root / "content", kPassMode));
  SP_TRY(workspace.make_folders());
  return workspace;
}

Status Workspace::make_folders() const {
  SP_TRY(make_folder(state(), kPassMode));
  SP_TRY(make_folder(container(), kPassMode));
  SP_TRY(make_folder(image(), 0700));
  SP_TRY(make_folder(rootfs(), 0755));
  SP_TRY(make_folder(root_ / "content" / "inputs", kPassMode));
  return make_folder(writable(), kPassMode);
}

Path Workspace::input(std::size_t number) const {
  return root_ / "content" / "inputs" / std::to_string(number);
}

std::optional<std::uint32_t> Workspace::owner_base() const {
  if (!mounted_) return std::nullopt;
  return kContainerIds;
}

std::uint64_t Workspace::left() const {
  if (!mounted_) return disk_bytes_;
  struct statvfs info {};
  if (::statvfs((root_ / "content").c_str(), &info) != 0) return 0;
  return info.f_bavail * info.f_bsize;
}

bool Workspace::content_is_full() const {
  struct statvfs info {};
  if (::statvfs((root_ / "content").c_str(), &info) != 0) return false;
  return info.f_bavail == 0 || info.f_favail == 0;
}

Status Workspace::add_input(std::size_t number) const { return make_folder(input(number), 0755); }

Result<std::uint64_t> Workspace::make_writable(std::uint32_t owner_user,
                                               std::uint32_t owner_group) const {
  const std::uint64_t bytes = left();
  if (bytes < kWritableBytesMin) {
    return Error{Errc::too_large, "image and inputs leave no room on the order's disk of " +
                                      std::to_string(disk_bytes_) + " bytes"};
  }
  if (mounted_) SP_TRY(mount_memory(writable(), bytes));
  SP_TRY(make_folder(output(), 0755));
  SP_TRY(make_folder(temporary(), 01777));
  if (mounted_ && ::chown(output().c_str(), owner_user, owner_group) != 0) {
    return errno_error("chown", output());
  }
  return bytes;
}

}  // namespace sp::loader
