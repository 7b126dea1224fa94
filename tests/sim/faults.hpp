// What goes wrong, drawn from the seed. Until `calm` things fail; after it nothing does, so that a
// checker can ask that every order ends.
#pragma once

#include <algorithm>

#include "sim/scheduler.hpp"

namespace sp::sim {

/// Thousandths of the cases in which something happens, and bounds.
struct FaultRates {
  std::uint64_t drop = 0;         ///< of requests, and of answers
  std::uint64_t duplicate = 0;    ///< of requests
  std::uint64_t slow = 0;         ///< of messages: seconds instead of milliseconds
  std::uint64_t rpc_lost = 0;     ///< of RPC calls: no answer, done or not
  std::uint64_t rpc_busy = 0;     ///< of RPC calls: 429
  std::uint64_t rpc_behind = 0;   ///< of RPC calls: the answer is that of some blocks ago
  std::uint64_t write_crash = 0;  ///< of writes to disk: the process dies there
  std::uint64_t reorg = 0;        ///< of blocks: a reorganisation comes before
  std::uint64_t reorg_depth = 0;  ///< at most
  std::uint64_t tx_lost = 0;      ///< of transactions in reorganised blocks: they don't come back
  std::uint64_t tx_stuck = 0;     ///< of transactions: no block takes them until they bid more
  Nanoseconds crash_every{0};     ///< mean time between crashes of a process; 0 = none
  std::uint64_t partition = 0;    ///< of the faults above: a link is cut for a while
  std::uint64_t rogue = 0;        ///< of TEE starts: a loader that nobody allowed
};

class Faults {
 public:
  enum class WriteCrash : std::uint8_t { none, before, after };

  Faults(Tasks& tasks, Dice dice, const FaultRates& drawn, Nanoseconds calm)
      : rates(drawn), tasks_(tasks), dice_(dice), calm_(calm) {}

  [[nodiscard]] bool over() const { return tasks_.now() >= calm_; }
  [[nodiscard]] Nanoseconds calm() const { return calm_; }
  bool happens(std::uint64_t thousandths) {
    const bool now = thousandths > 0 && !over() && dice_.chance(thousandths);
    if (now) note(tasks_.now());
    return now;
  }
  /// Something goes wrong, and does so until then.
  void note(Nanoseconds until) { last_ = std::max(last_, until); }
  /// Until when something has gone wrong, as far as it has begun.
  [[nodiscard]] Nanoseconds last() const { return last_; }
  /// How long a message takes.
  Nanoseconds message_delay() {
    if (happens(rates.slow)) return std::chrono::milliseconds(dice_.between(500, 8'000));
    return std::chrono::microseconds(dice_.between(100, 20'000));
  }
  Nanoseconds disk_delay() { return std::chrono::microseconds(dice_.between(50, 2'000)); }
  WriteCrash crash_while_writing(ProcessId process) {
    if (process == 0 || !happens(rates.write_crash)) return WriteCrash::none;
    return dice_.chance(500) ? WriteCrash::before : WriteCrash::after;
  }
  Dice& dice() { return dice_; }

  const FaultRates rates;

 private:
  Tasks& tasks_;
  Dice dice_;
  Nanoseconds calm_;
  Nanoseconds last_{};
};

}  // namespace sp::sim
