// Who has the next large receipt of a store made: each looks at up to kChunksMax blobs.
//
// Nobody waits here: who is refused comes again, and keeps the place that it had, behind those who
// came before and ahead of those who had a turn since. So accounts that ask all the time take turns
// with those who ask once. A place is kept for kReceiptPlaceKept without another word, longer than
// a client waits that is told to come again in a second.
//
// Safe to call from any thread.
#pragma once

#include <set>
#include <vector>

#include "base/bytes.hpp"
#include "base/sync.hpp"
#include "base/world.hpp"

namespace sp::store {

inline constexpr std::size_t kLargeReceiptsAtOnce = 2;     ///< one of an account
inline constexpr std::size_t kLargeReceiptsWaiting = 256;  ///< accounts with a place
inline constexpr std::chrono::seconds kReceiptPlaceKept{5};

class ReceiptTurns {
 public:
  /// `clock` outlives this.
  explicit ReceiptTurns(const Clock& clock) : clock_(clock) {}
  ReceiptTurns(const ReceiptTurns&) = delete;
  ReceiptTurns& operator=(const ReceiptTurns&) = delete;

  /// False where the account has a turn already, or others are before it: then it has a place,
  /// where there is room for one more. Else end() has to follow. Whoever doesn't sign is one
  /// account, zero.
  bool begin(const Address& account);
  void end(const Address& account);

 private:
  struct Place {
    Address account;
    std::chrono::nanoseconds seen{};
  };

  const Clock& clock_;
  Mutex mutex_;  // guards all below
  std::set<Address> running_;
  std::vector<Place> waiting_;  // who came first is first
};

/// One turn, while it lasts.
class ReceiptTurn {
 public:
  /// `turns` outlives this.
  ReceiptTurn(ReceiptTurns& turns, const Address& account)
      : turns_(turns), account_(account), taken_(turns.begin(account)) {}
  ReceiptTurn(const ReceiptTurn&) = delete;
  ReceiptTurn& operator=(const ReceiptTurn&) = delete;
  ~ReceiptTurn() {
    if (taken_) turns_.end(account_);
  }
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  ReceiptTurns& turns_;
  const Address account_;
  const bool taken_;
};

}  // namespace sp::store
