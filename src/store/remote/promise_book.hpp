// What a store has promised to keep by its storage receipts, and until when: nobody, its owner
// included, deletes that before.
//
// A promise is on the disk before its receipt is answered. Safe to call from any thread.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "store/package.hpp"
#include "store/remote/record_log.hpp"

namespace sp::store {

inline constexpr std::size_t kPromisesMax = 4'000'000;  ///< records of one file

class PromiseBook {
 public:
  /// Reads the file, which need not exist, and the manifests of what is promised beyond `now`, in
  /// seconds of Unix time; writes it anew without what is over, here and when it is full. A package
  /// whose manifest isn't there any more is told to the log. `files` outlives the book. Errc::io,
  /// Errc::too_large (over `records_max` records), Errc::mismatch where the file is damaged.
  static Result<std::unique_ptr<PromiseBook>> open(Files& files, Path file, BlobStore& blobs,
                                                   std::int64_t now,
                                                   std::size_t records_max = kPromisesMax);

  /// From its return on no blob of the package is deleted before `until`. A promise whose receipt
  /// is then refused holds until the next start, so the caller knows its blobs.
  void hold(const Package& package, std::int64_t until);
  /// Keeps a promise over a restart; one that is kept already makes no further record, and a longer
  /// one is kept to the end of its day. Errc::refused where the file is full of what isn't over at
  /// `now`, Errc::io.
  Status keep(const PackageId& package, std::int64_t until, std::int64_t now);
  /// Runs `remove` where nothing is promised of the blob at `now`, with no promise made meanwhile.
  /// Errc::refused with the time until which it is.
  Status unless_promised(const BlobId& id, std::int64_t now, const std::function<Status()>& remove);

 private:
  struct BlobHash {
    std::size_t operator()(const BlobId& id) const;
  };
  PromiseBook(Files& files, std::size_t records_max) : files_(files), records_max_(records_max) {}
  Status make_room(std::int64_t now);
  Status write_anew();
  void hold_until(const BlobId& id, std::int64_t until);

  Files& files_;
  const std::size_t records_max_;
  std::unique_ptr<RecordLog> log_;
  Mutex mutex_;  // guards all below
  Condition removed_one_;
  std::vector<BlobId> removing_;  // few
  std::unordered_map<BlobId, std::int64_t, BlobHash> until_;
  std::unordered_map<BlobId, std::int64_t, BlobHash> kept_;  // by package, what the log says
  std::int64_t looked_at_ = 0;  // when, in a full file, what is over was last sought
};

}  // namespace sp::store
