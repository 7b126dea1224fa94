// Follows the logs of one contract from a durable cursor: each log of a block with enough
// confirmations is handed on once per process life, in order, and again after a crash from the last
// saved cursor. Handlers must be idempotent. Belongs to one thread.
#pragma once

#include <functional>

#include "base/files.hpp"
#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::uint64_t kFollowBlocksMax =
    2'000;  ///< blocks asked for at a time; halved where an answer is too large

class Follower {
 public:
  struct Options {
    Address contract;
    std::vector<std::optional<Digest32>> topics;
    std::uint64_t start_block = 0;    ///< where there is no cursor yet
    std::uint64_t confirmations = 1;  ///< 1 = the newest block counts
    Path cursor;                      ///< file of the cursor
  };
  using Handler = std::function<Status(const Log&)>;

  /// Reads the cursor. Errc::malformed where the file is damaged.
  static Result<Follower> open(Chain& chain, Files& files, const Options& options);

  /// Hands on what is new, then saves the cursor; returns how many logs. An error of the handler
  /// stops before that log. Errc::mismatch where the block at the cursor is no longer part of the
  /// chain deeper than the confirmations allow.
  Result<std::size_t> poll(const Handler& handler);
  /// The next block to read.
  [[nodiscard]] std::uint64_t next_block() const { return next_; }

 private:
  Follower(Chain& chain, Files& files, Options options);
  Status save();

  Chain* chain_;
  Files* files_;
  Options options_;
  std::uint64_t next_ = 0;
  BlockHash last_hash_;  // of block next_ - 1; zero = none read yet
};

}  // namespace sp::chain
