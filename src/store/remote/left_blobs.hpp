// Blobs that nobody owns any more and a promise still holds, by when they may go. Safe to call from
// any thread.
#pragma once

#include <map>
#include <optional>

#include "base/sync.hpp"
#include "store/blob.hpp"

namespace sp::store {

/// So many go at most with each request that writes or deletes; one that can't be removed stays for
/// so long.
inline constexpr std::size_t kLeftAtOnce = 4;
inline constexpr std::int64_t kLeftAgainSeconds = 60;

class LeftBlobs {
 public:
  /// `time` in seconds of Unix time.
  void put(const BlobId& id, std::int64_t time) {
    const std::lock_guard lock(mutex_);
    by_time_.emplace(time, id);
  }
  /// Takes out one whose time has come by `now`.
  std::optional<BlobId> take(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    const auto first = by_time_.begin();
    if (first == by_time_.end() || first->first > now) return std::nullopt;
    return by_time_.extract(first).mapped();
  }

 private:
  Mutex mutex_;
  std::multimap<std::int64_t, BlobId> by_time_;  // under mutex_
};

}  // namespace sp::store
