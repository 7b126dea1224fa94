// A fixed pool of threads that serves peers in turn, with a bounded queue, so that no peer's
// requests keep those of another waiting: who asks for much, or for what takes long, waits for
// himself.
//
// Peers that have something waiting take turns, the oldest of each first. A peer that is counted
// has one request running, and further ones while at most kHeldPerFree times as many run for it as
// threads stay free: of 12 alone 8, of 8 alone 5, beside others fewer. So a peer that comes anew
// finds a thread, unless several hold what is left by halves. A full queue refuses the newest of
// whoever has the most in it.
//
// Safe to call from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace sp::net {

inline constexpr unsigned kHeldPerFree = 2;  ///< requests of one peer for each thread that is free

class Workers {
 public:
  struct Job {
    std::function<void()> run;     ///< on a thread of the pool
    std::function<void()> refuse;  ///< instead, within a call of submit(), on its thread
  };

  explicit Workers(unsigned count);
  /// Runs what is queued, then joins the threads.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// `peer` as peer_name says it; one without a name isn't counted: it takes turns and may hold all
  /// threads. Where kQueuedRequestsMax jobs wait already, one of them or this one is refused; after
  /// stop_taking, this one.
  void submit(const std::string& peer, Job job);
  void stop_taking();

 private:
  struct Peer {
    std::deque<Job> waiting;
    unsigned running = 0;
  };

  using Turn = std::deque<std::string>::iterator;

  void work();
  std::optional<Job> push_out(const std::string& peer);
  [[nodiscard]] bool may_start(const std::string& peer) const;
  [[nodiscard]] Turn next();
  [[nodiscard]] bool one_may_start();
  std::function<void()> take(Turn turn);

  const unsigned count_;
  std::mutex mutex_;  // guards all below but threads_
  std::condition_variable changed_;
  std::map<std::string, Peer> peers_;  // that have something waiting or running
  std::deque<std::string> turns_;      // those with something waiting, the next first
  std::size_t waiting_ = 0;            // of all
  unsigned running_ = 0;               // of all
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sp::net
