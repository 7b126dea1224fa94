// The outbox of an account on a chain: every transaction that was sent and isn't final, each with
// all the versions that replaced each other under one nonce. In memory, and where it has a folder
// also in one file a nonce, written before anything is sent. docs/FORMATS.md has the file's bytes.
#pragma once

#include <map>
#include <set>

#include "base/files.hpp"
#include "chain/transaction.hpp"

namespace sp::chain {

inline constexpr std::size_t kOutboxMax = 1024;    ///< transactions that aren't final
inline constexpr std::size_t kTxVersionsMax = 32;  ///< of one transaction; fees bound them before
inline constexpr std::size_t kTxDataMax = 128 << 10;  ///< as pools limit a transaction

/// One transaction of the account: the same call under the same nonce in all versions, so that at
/// most one of them ever takes effect.
struct OutboxEntry {
  struct Version {
    Fees fees;
    Bytes raw;
    TxHash hash;
  };
  Transaction transaction;  ///< with the newest version's fees
  std::vector<Version> versions;
  // Not in the file: how it goes in this process's life.
  std::chrono::nanoseconds sent_at{};     ///< the newest version last went out, monotonic
  std::chrono::nanoseconds changed_at{};  ///< the newest version was made, monotonic
  bool in_final_block = false;
  int times_missing = 0;  ///< looks that found the nonce used for good and none of the versions

  [[nodiscard]] bool has(const TxHash& hash) const;
  [[nodiscard]] std::vector<TxHash> hashes() const;
  [[nodiscard]] Bytes encode(const Address& account) const;
  /// Errc::malformed, Errc::too_large; Errc::mismatch for another account's or chain's.
  static Result<OutboxEntry> decode(ByteView bytes, const Address& account, std::uint64_t chain_id);
};

/// Belongs to whoever holds the sender's lock.
class TxOutbox {
 public:
  TxOutbox(const Address& account, Files* files, Path folder)
      : account_(account), files_(files), folder_(std::move(folder)) {}

  /// Reads the folder. Errc::malformed for a damaged file, Errc::mismatch, Errc::too_large.
  Status load(std::uint64_t chain_id, std::chrono::nanoseconds now);
  [[nodiscard]] bool durable() const { return files_ != nullptr; }

  /// The one that makes this very call; nullptr where there is none.
  OutboxEntry* find_call(const std::optional<Address>& to, ByteView data, Amount value);
  OutboxEntry* find_hash(const TxHash& hash);
  /// The lowest nonce from `from` on that no entry has.
  [[nodiscard]] std::uint64_t free_nonce(std::uint64_t from) const;
  /// By nonce.
  std::map<std::uint64_t, OutboxEntry>& entries() { return entries_; }

  /// Keeps an entry, in the file first. Errc::unavailable over kOutboxMax where it is durable;
  /// otherwise the oldest is forgotten.
  Status keep(OutboxEntry entry);
  Status forget(std::uint64_t nonce);
  /// Forgets one whose nonce another transaction has used for good, and remembers that.
  Status give_up(std::uint64_t nonce);
  [[nodiscard]] bool is_given_up(const TxHash& hash) const { return given_up_.contains(hash); }

 private:
  [[nodiscard]] Path path_of(std::uint64_t nonce) const { return folder_ / std::to_string(nonce); }

  const Address account_;
  Files* files_;
  Path folder_;
  std::map<std::uint64_t, OutboxEntry> entries_;
  std::set<TxHash> given_up_;
};

}  // namespace sp::chain
