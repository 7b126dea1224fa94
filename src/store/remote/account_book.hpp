// Who brought which blob to a store, and how much of an account's quota that takes.
//
// Every account that brings a blob owns it, and it counts for the quota of each, until that account
// deletes it. A record is appended to one file before the blob is written, and is on the disk when
// the upload is answered (sync()): at the next opening, records of blobs that aren't there count
// for nothing from then on, and one that stands twice counts once. An owned blob takes about 120
// bytes of memory.
//
// A deletion counts only where it was signed later than the owner's last upload of the blob, later
// than the second of any deletion of that account before that, and not before the opening. So what
// was signed once deletes once: a blob that is brought again isn't taken by a replay. Deletions are
// remembered while their signatures count; of more accounts than may own something, the latest of
// all stands for each.
//
// Safe to call from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "store/blob.hpp"
#include "store/package.hpp"
#include "store/remote/record_log.hpp"

namespace sp::store {

inline constexpr std::size_t kAccountsMax = 100'000;      ///< that own something, or are listed
inline constexpr std::size_t kOwnedBlobsMax = 8'000'000;  ///< records of one file: two a blob
inline constexpr std::size_t kAccountPutsMax = 32;        ///< of one account at once

/// Who may write.
struct StoreAccounts {
  bool open = false;                             ///< whoever signs, with `quota_bytes`
  std::map<Address, std::uint64_t> quotas = {};  ///< in bytes, of those who are listed
  std::uint64_t quota_bytes = 10ULL << 30;       ///< of an account that isn't listed
  std::uint64_t quota_blobs = 1'000'000;         ///< of every account
  std::size_t accounts_max = kAccountsMax;       ///< that own something
};

class AccountBook {
 public:
  /// Whether the store has a blob of that size.
  using Holds = std::function<bool(const BlobId&, std::uint64_t)>;
  /// Asks the store, which must outlive it. One that doesn't answer takes nothing from an owner.
  static Holds held_in(BlobStore& blobs);

  struct Usage {
    std::uint64_t bytes = 0;
    std::uint64_t blobs = 0;
    bool operator==(const Usage&) const = default;
  };

  /// Reads the file, which need not exist, and writes it anew where much of it is void, here and
  /// when it is full; `files` outlives the book. `now` is in seconds of Unix time. Errc::io,
  /// Errc::too_large (over `records_max` records), Errc::mismatch where the file is damaged.
  static Result<std::unique_ptr<AccountBook>> open(Files& files, const Path& file,
                                                   StoreAccounts accounts, std::int64_t now,
                                                   const Holds& holds,
                                                   std::size_t records_max = kOwnedBlobsMax);

  /// Errc::unauthorised for an account that may not write.
  [[nodiscard]] Status admit(const Address& account) const;
  /// False where kAccountPutsMax of the account run already; else leave() has to follow.
  bool enter(const Address& account);
  void leave(const Address& account);
  /// Whether a charge was new.
  enum class Charge : std::uint8_t { made, owned_already };
  /// Counts and records that the account owns a blob, by an upload of time `signed_at`.
  /// Errc::refused over the quota, with the numbers, or where the file has no room for that and for
  /// the end of each ownership; Errc::io.
  Result<Charge> charge(const Address& account, const BlobId& id, std::uint64_t size,
                        std::int64_t signed_at);
  /// Takes a charge back: the blob couldn't be written.
  void refund(const Address& account, const BlobId& id);
  /// Returns when all records are on the disk. Errc::io.
  Status sync() { return log_->sync(); }
  /// Who else has to delete a blob before it goes.
  enum class Share : std::uint8_t { none, of_several, last };
  [[nodiscard]] Share share(const Address& account, const BlobId& id) const;
  /// Whether the account owns the package's manifest and chunks: who asks for a receipt binds them.
  /// Errc::unauthorised with the first that it doesn't.
  [[nodiscard]] Status owns_all(const Address& account, const Package& package) const;
  /// Whether an owner's deletion of that time counts. Errc::expired where it doesn't.
  [[nodiscard]] Status may_delete(const Address& account, const BlobId& id,
                                  std::int64_t signed_at) const;
  /// Ends an ownership, on the disk as well. Errc::io.
  Status disown(const Address& account, const BlobId& id, std::int64_t signed_at);
  /// Ends the last ownership of a blob that a promise to others holds, on the disk as well: from
  /// then on it is the zero account's, which nobody signs for, and counts for no quota.
  /// Errc::refused where the file has no room for that, Errc::io.
  Status leave(const Address& account, const BlobId& id, std::int64_t signed_at);
  /// What has been left so.
  [[nodiscard]] std::vector<BlobId> left() const;
  [[nodiscard]] Usage usage(const Address& account) const;
  /// Of all accounts together.
  [[nodiscard]] Usage total() const;

 private:
  struct Owned {
    std::uint64_t size = 0;
    std::int64_t since = 0;  // only a deletion that was signed later counts
  };
  using Key = std::pair<BlobId, Address>;

  AccountBook(Files& files, StoreAccounts accounts, std::int64_t now, std::size_t records_max)
      : files_(files), accounts_(std::move(accounts)), opened_at_(now), records_max_(records_max) {}
  Status recover(const Path& file, const Holds& holds);
  Status make_room();
  Status write_anew();
  Status append(const Key& key, std::uint64_t size);
  Status check_quota(const Address& account, std::uint64_t size) const;
  void forget(std::map<Key, Owned>::iterator owned);
  void note_deletion(const Address& account, std::int64_t signed_at);
  [[nodiscard]] std::uint64_t quota_of(const Address& account) const;

  Files& files_;
  const StoreAccounts accounts_;
  const std::int64_t opened_at_;
  const std::size_t records_max_;
  std::unique_ptr<RecordLog> log_;
  mutable Mutex mutex_;  // guards all below
  std::map<Key, Owned> owned_;
  std::map<Address, Usage> usage_;
  std::map<Address, std::int64_t> deleted_at_;  // when each account's latest deletion was signed
  std::int64_t deleted_last_ = 0;               // of accounts that aren't among them any more
  std::map<Address, std::size_t> entered_;
};

}  // namespace sp::store
