// Follows the logs of one contract from a durable cursor: each log of a block with enough
// confirmations is handed on once per process life, in order, and again after a crash from the last
// saved cursor. A reorganisation beyond the confirmations leads it back to the newest block that it
// read and that still stands, and what is there now is handed on, some of it again. Handlers must
// be idempotent. Belongs to one thread.
//
// An endpoint may be several nodes, of which any answers: one that hasn't heard of the newest
// blocks finds no logs in them and doesn't say why. So an answer without logs proves nothing of the
// newest blocks, one with a log proves all blocks before it, and what isn't proven is asked for
// again together with the next blocks, kFollowBehindMax blocks back at most. Logs that come late
// are handed on after those of later blocks that were handed on before.
//
// The cursor file, in our codec: the tag "SPfollow", u8 version 3, 32 bytes SHA-256 of contract and
// topics (u16 count; each u8 1 and 32 bytes, or u8 0), u64 next block, u64 first block to ask for
// again (at most the next block), u16 count (at most kReorgDepthMax) of blocks that were read,
// oldest first, each u64 number and 32 bytes hash, then 32 bytes SHA-256 of all that. Only whole
// ranges of blocks are saved, and ranges without logs every kFollowSaveBlocks blocks.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "base/files.hpp"
#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::uint64_t kFollowBlocksMax =
    2'000;  ///< blocks asked for at a time; halved where an answer is too large or refused
inline constexpr std::uint64_t kFollowSaveBlocks =
    64;  ///< blocks without logs that a crash may make it read again

/// Blocks that a reorganisation may replace behind the cursor: more than any public chain ever did.
inline constexpr std::uint64_t kReorgDepthMax = 128;

/// Blocks that one node behind an endpoint may be behind another.
inline constexpr std::uint64_t kFollowBehindMax = 64;

class Follower {
 public:
  struct Options {
    Address contract;
    std::vector<std::optional<Digest32>> topics;
    std::uint64_t start_block = 0;    ///< where there is no cursor yet
    std::uint64_t confirmations = 1;  ///< 1 = the newest block counts
    Path cursor;                      ///< file of the cursor
    /// How many blocks before those that are gone are read again as well, where a chain was
    /// reorganised or a node came back with less: what was done on them may be gone, too.
    std::uint64_t rewind = 0;
  };
  using Handler = std::function<Status(const Log&)>;

  /// Reads the cursor. Errc::malformed where the file is damaged; Errc::mismatch where it belongs
  /// to another contract or other topics.
  static Result<Follower> open(Chain& chain, Files& files, const Options& options);

  /// Hands on what is new, then saves the cursor; returns how many logs. An error of the handler
  /// stops before that log. Errc::mismatch where more than kReorgDepthMax blocks behind the cursor
  /// were replaced; Errc::unavailable where the endpoint's newest block was read and lies before
  /// the cursor, or the chain changes while it is read.
  Result<std::size_t> poll(const Handler& handler);
  /// The next block to read.
  [[nodiscard]] std::uint64_t next_block() const { return next_; }

 private:
  Follower(Chain& chain, Files& files, Options options);
  // Where the last log that a handler took stands, while its range isn't done.
  struct Position {
    std::uint64_t index = 0;
    BlockHash hash;
  };

  Status read_cursor();
  [[nodiscard]] Digest32 subject() const;
  // A block that was read.
  struct Mark {
    std::uint64_t number = 0;
    BlockHash hash;
  };
  Status check_cursor(const Block& newest);
  Status check_shorter(const Block& newest);
  Result<bool> stands(const Mark& mark);
  Status go_back();
  [[nodiscard]] std::uint64_t read_from() const;
  Result<std::optional<std::vector<Log>>> read_range(std::uint64_t first, std::uint64_t last,
                                                     const Block& newest, Block& end);
  void remember(const Mark& mark);
  Result<std::size_t> hand_on(const std::vector<Log>& logs, const Block& end,
                              const Handler& handler);
  void note_proven(std::uint64_t first, const std::vector<Log>& logs, const Block& end,
                   const Block& newest);
  Status save();

  Chain* chain_;
  Files* files_;
  Options options_;
  std::uint64_t next_ = 0;
  std::deque<Mark> marks_;    // oldest first; the newest is block next_ - 1, if there is any
  std::uint64_t proven_ = 0;  // all logs of blocks before it were handed on; at most next_
  std::map<std::uint64_t, BlockHash> handed_;  // blocks from proven_ on whose logs were handed on
  std::optional<Position> handled_;
  std::uint64_t range_max_ = kFollowBlocksMax;
  std::uint64_t saved_ = 0;  // next_ as the file has it
};

}  // namespace sp::chain
