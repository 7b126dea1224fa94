// One member of a quorum: an endpoint with threads of its own, so that one that hangs holds up
// nobody but itself. Safe to call from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "chain/rpc.hpp"

namespace sp::chain {

inline constexpr std::size_t kQuorumThreadsMax = 8;  ///< calls of one member at once
inline constexpr std::size_t kQuorumQueueMax = 64;   ///< calls of one member that wait

/// RpcEndpoint::call_many by one call each, all at the same time.
std::vector<Result<Json>> call_at_once(RpcEndpoint& endpoint,
                                       const std::vector<std::string>& methods, const Json& params);

class QuorumMember final : public RpcEndpoint {
 public:
  using Done = std::function<void(Result<Json>)>;

  /// `patience`: how long call() waits.
  QuorumMember(std::unique_ptr<RpcEndpoint> endpoint, std::chrono::milliseconds patience);
  /// Waits for the calls under way; those that wait end as Errc::cancelled.
  ~QuorumMember() override;
  QuorumMember(const QuorumMember&) = delete;
  QuorumMember& operator=(const QuorumMember&) = delete;

  /// Returns at once; `done` gets the answer from another thread, exactly once. Where
  /// kQuorumQueueMax calls wait already it gets Errc::unavailable, from this thread; a call that
  /// still waits after `limit` is not made (Errc::timed_out).
  void ask(const std::string& method, const Json& params, std::chrono::milliseconds limit,
           Done done);
  /// Notes that somebody gave up waiting for it, until it answers anything.
  void note_hanging();
  [[nodiscard]] bool hangs() const;
  /// The member's own answer. Errc::timed_out after the patience; Errc::unavailable at once while
  /// another call is late by that much.
  Result<Json> call(const std::string& method, const Json& params) override;
  /// All at once.
  std::vector<Result<Json>> call_many(const std::vector<std::string>& methods,
                                      const Json& params) override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  // Whether a call is under way for longer than the patience.
  [[nodiscard]] bool is_late() const;
  struct Job {
    std::string method;
    Json params;
    Time until;
    Done done;
  };
  void work();

  const std::unique_ptr<RpcEndpoint> endpoint_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  bool stopping_ = false;
  bool hangs_ = false;
  std::size_t idle_ = 0;
  std::deque<Job> queue_;
  std::map<std::uint64_t, Time> running_;  // when each began, oldest first
  std::uint64_t begun_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace sp::chain
