// Who wrote which blob of a store, and how much of an account's quota that takes.
//
// The account that first brings a blob owns it; others may bring it again for nothing. A record is
// appended to one file before the blob is written, so that after a kill at any moment whatever an
// account has written counts: at the next opening, records of blobs that aren't there count for
// nothing, and one that stands twice counts once. Appended records outlive the process, not a power
// failure within seconds of them: a blob whose record that takes counts for the store alone.
//
// Safe to call from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/sync.hpp"
#include "store/blob.hpp"

namespace sp::store {

inline constexpr std::size_t kAccountsMax = 100'000;      ///< that own something, or are listed
inline constexpr std::size_t kOwnedBlobsMax = 8'000'000;  ///< records of one file
inline constexpr std::size_t kAccountPutsMax = 32;        ///< of one account at once

/// Who may write.
struct StoreAccounts {
  bool open = false;                             ///< whoever signs, with `quota_bytes`
  std::map<Address, std::uint64_t> quotas = {};  ///< in bytes, of those who are listed
  std::uint64_t quota_bytes = 10ULL << 30;       ///< of an account that isn't listed
  std::uint64_t quota_blobs = 1'000'000;         ///< of every account
};

class AccountBook {
 public:
  /// Whether the store has a blob of that size.
  using Holds = std::function<bool(const BlobId&, std::uint64_t)>;

  struct Usage {
    std::uint64_t bytes = 0;
    std::uint64_t blobs = 0;
    bool operator==(const Usage&) const = default;
  };

  /// Reads the file, which need not exist, and writes it anew where much of it is void. Errc::io,
  /// Errc::too_large (over kOwnedBlobsMax records).
  static Result<std::unique_ptr<AccountBook>> open(Files& files, Path file, StoreAccounts accounts,
                                                   const Holds& holds);

  /// Errc::unauthorised for an account that may not write.
  [[nodiscard]] Status admit(const Address& account) const;
  /// False where kAccountPutsMax of the account run already; else leave() has to follow.
  bool enter(const Address& account);
  void leave(const Address& account);
  /// Counts and records a blob that is about to be written. Errc::refused over the quota, with the
  /// numbers; Errc::io.
  Status charge(const Address& account, const BlobId& id, std::uint64_t size);
  /// Takes a charge back: the blob couldn't be written.
  void refund(const Address& account, const BlobId& id, std::uint64_t size);
  [[nodiscard]] Usage usage(const Address& account) const;
  /// Of all accounts together.
  [[nodiscard]] Usage total() const;

 private:
  AccountBook(Path file, StoreAccounts accounts)
      : file_(std::move(file)), accounts_(std::move(accounts)) {}
  Status recover(Files& files, const Holds& holds);
  Status append(const Address& account, const BlobId& id, std::uint64_t size, bool refund);
  [[nodiscard]] std::uint64_t quota_of(const Address& account) const;

  const Path file_;
  const StoreAccounts accounts_;
  mutable Mutex mutex_;  // guards all below
  Fd log_;
  std::uint64_t log_size_ = 0;
  std::map<Address, Usage> usage_;
  std::map<Address, std::size_t> entered_;
};

}  // namespace sp::store
