// A daemon's folder belongs to one process: two that count, release or send by the same files would
// undo each other's work.
#pragma once

#include "base/files.hpp"
#include "base/world.hpp"

namespace sp::apps {

/// How long the lock of a process that is about to end is waited for.
inline constexpr std::chrono::milliseconds kFolderLockWait{2'000};

/// Holds the folder until it goes, or the process ends in whatever way. Belongs to one thread.
class FolderLock {
 public:
  /// Makes the folder where it isn't there. Errc::conflict where another process holds it;
  /// Errc::io.
  static Result<FolderLock> take(Files& files, const Clock& clock, const Path& folder);
  /// As take(), without waiting, and for a folder that its holder may remove at the end.
  static Result<FolderLock> try_take(Files& files, const Path& folder);
  /// As take(), for work that is soon done: waits until those before have ended. Errc::io.
  static Result<FolderLock> take_in_turn(Files& files, const Path& folder);

 private:
  explicit FolderLock(Fd folder) : folder_(std::move(folder)) {}
  Fd folder_;
};

}  // namespace sp::apps
