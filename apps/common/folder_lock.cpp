#include "common/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace sp::apps {
namespace {

constexpr std::chrono::milliseconds kPause{50};

Result<Fd> open_folder(Files& files, const Path& folder) {
  SP_TRY(files.make_folder(folder));
  Fd descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return errno_error("open", folder);
  return descriptor;
}

bool is_still_at(const Fd& folder, const Path& path) {
  struct stat held {};
  struct stat there {};
  return ::fstat(folder.get(), &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

}  // namespace

Result<FolderLock> FolderLock::take(Files& files, const Clock& clock, const Path& folder) {
  SP_ASSIGN(Fd descriptor, open_folder(files, folder));
  const auto deadline = clock.monotonic() + kFolderLockWait;
  while (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return errno_error("lock", folder);
    if (clock.monotonic() >= deadline) {
      return Error{Errc::conflict, "folder: another process works in " + folder.string() +
                                       "; two on one folder would undo each other's work: stop "
                                       "it, or name another folder"};
    }
    clock.sleep_for(kPause);
  }
  return FolderLock(std::move(descriptor));
}

Result<FolderLock> FolderLock::try_take(Files& files, const Path& folder) {
  for (;;) {
    SP_ASSIGN(Fd descriptor, open_folder(files, folder));
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return errno_error("lock", folder);
      return Error{Errc::conflict, "another process works in " + folder.string()};
    }
    // Its holder before may have removed it between opening and locking.
    if (is_still_at(descriptor, folder)) return FolderLock(std::move(descriptor));
  }
}

Result<FolderLock> FolderLock::take_in_turn(Files& files, const Path& folder) {
  SP_ASSIGN(Fd descriptor, open_folder(files, folder));
  while (::flock(descriptor.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return errno_error("lock", folder);
  }
  return FolderLock(std::move(descriptor));
}

}  // namespace sp::apps
