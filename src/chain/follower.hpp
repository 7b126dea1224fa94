// Follows the logs of one contract from a durable cursor: each log of a block with enough
// confirmations is handed on once per process life, in order, and again after a crash from the last
// saved cursor. Handlers must be idempotent. Belongs to one thread.
//
// The cursor file, in our codec: the tag "SPfollow", u8 version 1, 32 bytes SHA-256 of contract and
// topics (u16 count; each u8 1 and 32 bytes, or u8 0), u64 next block, 32 bytes hash of the block
// before it (zero = none read), then 32 bytes SHA-256 of all that. Only whole ranges of blocks are
// saved, and ranges without logs every kFollowSaveBlocks blocks.
#pragma once

#include <functional>

#include "base/files.hpp"
#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::uint64_t kFollowBlocksMax =
    2'000;  ///< blocks asked for at a time; halved where an answer is too large or refused
inline constexpr std::uint64_t kFollowSaveBlocks =
    64;  ///< blocks without logs that a crash may make it read again

class Follower {
 public:
  struct Options {
    Address contract;
    std::vector<std::optional<Digest32>> topics;
    std::uint64_t start_block = 0;    ///< where there is no cursor yet
    std::uint64_t confirmations = 1;  ///< 1 = the newest block counts
    Path cursor;                      ///< file of the cursor
    /// How many blocks are read again where the chain has lost what was read: a reorganisation
    /// deeper than the confirmations, a node that came back with less. 0: that is an error.
    std::uint64_t rewind = 0;
  };
  using Handler = std::function<Status(const Log&)>;

  /// Reads the cursor. Errc::malformed where the file is damaged; Errc::mismatch where it belongs
  /// to another contract or other topics.
  static Result<Follower> open(Chain& chain, Files& files, const Options& options);

  /// Hands on what is new, then saves the cursor; returns how many logs. An error of the handler
  /// stops before that log. Without `rewind`, Errc::mismatch where the block at the cursor is no
  /// longer part of the chain deeper than the confirmations allow; Errc::unavailable where the
  /// endpoint's newest block is before the cursor.
  Result<std::size_t> poll(const Handler& handler);
  /// The next block to read.
  [[nodiscard]] std::uint64_t next_block() const { return next_; }

 private:
  Follower(Chain& chain, Files& files, Options options);
  // Where the last log that a handler took stands, while its range isn't done.
  struct Position {
    std::uint64_t block = 0;
    std::uint64_t index = 0;
    auto operator<=>(const Position&) const = default;
  };

  Status read_cursor();
  [[nodiscard]] Digest32 subject() const;
  [[nodiscard]] bool is_ahead_of(const Block& newest) const;
  Status check_cursor(const Block& newest);
  void rewind(const Block& newest);
  Result<std::size_t> hand_on(const std::vector<Log>& logs, const Block& end,
                              const Handler& handler);
  Status save();

  Chain* chain_;
  Files* files_;
  Options options_;
  std::uint64_t next_ = 0;
  BlockHash last_hash_;  // of block next_ - 1; zero = none read yet
  std::optional<Position> handled_;
  std::uint64_t range_max_ = kFollowBlocksMax;
  std::uint64_t saved_ = 0;  // next_ as the file has it
};

}  // namespace sp::chain
