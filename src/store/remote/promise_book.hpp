// What a store has promised to keep by its storage receipts, to whom, and until when.
//
// A promise binds whom it was given to: before its time that account can't delete a blob of the
// package, and so stays an owner. What others own beside it they delete as they like. A promise to
// nobody (the zero account: who asked needn't sign, or the record is of a time before accounts
// stood in it) binds no owner; it holds the bytes.
//
// After a start only the manifests say which blobs a promise holds. Until a manifest has been read,
// its promise may hold any blob: its account deletes nothing, and what others delete goes no
// further than to nobody. No answer about a manifest ends that, since a store, or a proxy before
// it, may answer wrongly; only the manifest does, or the promise's time.
//
// A promise is on the disk before its receipt is answered. Safe to call from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "store/package.hpp"
#include "store/remote/record_log.hpp"

namespace sp::store {

inline constexpr std::size_t kPromisesMax = 4'000'000;  ///< records of one file
inline constexpr std::size_t kPromisesAccountPart = 4;  ///< of a file: an account's share of it

class PromiseBook {
 public:
  /// Reads the file, which need not exist; writes it anew without what is over at `now`, in seconds
  /// of Unix time, here and when it is full. `files` outlives the book. Errc::io, Errc::too_large
  /// (over `records_max` records), Errc::mismatch where the file is damaged.
  static Result<std::unique_ptr<PromiseBook>> open(Files& files, Path file, std::int64_t now,
                                                   std::size_t records_max = kPromisesMax);

  /// Waits for so long at most; true where recall() has to end.
  using Stop = std::function<bool(std::chrono::nanoseconds)>;
  /// Reads the manifests of what open() found promised and isn't over at `now`, one after the
  /// other, which in a bucket takes a while; before it has been through once no blob can be
  /// deleted. Passes over what it can't read, and tells the first of that: an error of the store,
  /// after which it has to be called again. `stop` is asked before each: Errc::cancelled. From one
  /// thread at a time.
  Status recall(
      BlobStore& blobs, std::int64_t now, const Stop& stop = [](auto) { return false; });

  /// From its return on the account deletes no blob of the package before `until`. A promise whose
  /// receipt is then refused holds until the next start, so the caller knows that all is its own.
  void hold(const Package& package, const Address& account, std::int64_t until);
  /// Keeps a promise over a restart; one that is kept already makes no further record, and a longer
  /// one is kept to the end of its day. Errc::refused where the file, or the account's part of it,
  /// is full of what isn't over at `now`; Errc::io.
  Status keep(const PackageId& package, const Address& account, std::int64_t until,
              std::int64_t now);
  /// Promises that wait for the end of a deletion.
  [[nodiscard]] std::size_t waiting();
  /// Accounts whose promises are remembered.
  [[nodiscard]] std::size_t accounts();
  /// When the last promise of a blob is over, to whomever; 0 where there is none.
  [[nodiscard]] std::int64_t held_until(const BlobId& id);
  /// Whether a blob is promised to others than whom it is asked for, or may be.
  enum class Others : std::uint8_t { none, promised };
  using End = std::function<Status(Others)>;
  /// Runs `end` where the account is promised nothing of the blob at `now`, with no promise of it
  /// made meanwhile. Errc::refused with the time until which it is; Errc::unavailable before
  /// recall() has been through once, and where it couldn't read what the account is promised.
  Status unless_promised(const BlobId& id, const Address& account, std::int64_t now,
                         const End& end);

 private:
  struct BlobHash {
    std::size_t operator()(const BlobId& id) const;
  };
  struct Kept {
    std::unordered_map<PackageId, std::int64_t, BlobHash> until;
    std::int64_t looked_at = 0;  // when, in a full part, what is over was last sought
  };

  PromiseBook(Files& files, std::size_t records_max) : files_(files), records_max_(records_max) {}
  void read(const RecordLog::Content& record, std::int64_t now);
  using Owed = std::pair<Address, PackageId>;
  std::optional<std::pair<Owed, std::int64_t>> next_unread(const std::optional<Owed>& after,
                                                           std::int64_t now);
  Status recall_one(BlobStore& blobs, const Owed& owed, std::int64_t until);
  Status check_read(const Address& account, std::int64_t now);
  Status note(Kept& own, const Owed& owed, std::int64_t until, std::int64_t now);
  Status make_room(const Kept& own, std::int64_t now);
  Status make_share(Kept& own, std::int64_t now);
  Status write_anew();
  void forget_over(Kept& kept, std::int64_t now);
  static std::int64_t time_of(const Kept& own, const PackageId& package, std::int64_t until);
  void hold_until(const BlobId& id, const Address& account, std::int64_t until);
  Result<Others> look(const BlobId& id, const Address& account, std::int64_t now);

  Files& files_;
  const std::size_t records_max_;
  std::unique_ptr<RecordLog> log_;
  Mutex mutex_;  // guards all below
  Condition ended_one_;
  std::vector<BlobId> ending_;  // few
  std::size_t waiting_ = 0;
  std::map<std::pair<BlobId, Address>, std::int64_t> until_;
  std::map<Address, Kept> kept_;         // what the log says
  std::size_t kept_count_ = 0;           // of all accounts
  std::map<Owed, std::int64_t> unread_;  // of before the start
  bool been_through_ = false;            // by recall(), of all that was unread
  std::int64_t looked_at_ = 0;           // when, in a full file, what is over was last sought
};

}  // namespace sp::store
