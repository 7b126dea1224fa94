#include "net/workers.hpp"

#include <algorithm>

#include "net/http.hpp"

namespace sp::net {

Workers::Workers(unsigned count) : count_(count) {
  for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  stop_taking();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::submit(const std::string& peer, Job job) {
  std::optional<Job> refused;
  bool starts = false;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_ >= kQueuedRequestsMax) refused = push_out(peer);
    if (stopping_ || waiting_ >= kQueuedRequestsMax) {
      refused = std::move(job);
    } else {
      Peer& own = peers_[peer];
      if (own.waiting.empty()) turns_.push_back(peer);
      own.waiting.push_back(std::move(job));
      ++waiting_;
      starts = one_may_start();
    }
  }
  if (starts) changed_.notify_one();
  if (refused) refused->refuse();
}

/// Out of a full queue the newest of whoever has the most in it; none where `peer` would then have
/// as many.
std::optional<Workers::Job> Workers::push_out(const std::string& peer) {
  const auto own = peers_.find(peer);
  const std::size_t has = own == peers_.end() ? 0 : own->second.waiting.size();
  const auto fewer = [](const auto& a, const auto& b) {
    return a.second.waiting.size() < b.second.waiting.size();
  };
  std::deque<Job>& most = std::ranges::max_element(peers_, fewer)->second.waiting;
  if (most.size() <= has + 1) return std::nullopt;
  std::optional<Job> newest = std::move(most.back());  // which has others before it
  most.pop_back();
  --waiting_;
  return newest;
}

void Workers::stop_taking() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Workers::may_start(const std::string& peer) const {
  const unsigned running = peers_.at(peer).running;
  if (peer.empty() || running == 0) return true;
  const unsigned stay_free = count_ - running_ - 1;
  return running + 1 <= kHeldPerFree * stay_free;
}

/// Whose turn it is on a thread that is free; the end where nobody's.
Workers::Turn Workers::next() {
  return std::ranges::find_if(turns_, [this](const auto& peer) { return may_start(peer); });
}

bool Workers::one_may_start() { return running_ < count_ && next() != turns_.end(); }

std::function<void()> Workers::take(Turn turn) {
  const std::string name = *turn;
  Peer& peer = peers_[name];
  std::function<void()> run = std::move(peer.waiting.front().run);
  peer.waiting.pop_front();
  turns_.erase(turn);
  if (!peer.waiting.empty()) turns_.push_back(name);
  ++peer.running;
  ++running_;
  --waiting_;
  return run;
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return next() != turns_.end() || (stopping_ && waiting_ == 0); });
    const auto turn = next();
    if (turn == turns_.end()) return;
    const std::string peer = *turn;
    const std::function<void()> run = take(turn);
    if (stopping_ && waiting_ == 0) changed_.notify_all();
    const bool another = one_may_start();
    lock.unlock();
    if (another) changed_.notify_one();
    run();
    lock.lock();
    --running_;
    Peer& own = peers_[peer];
    if (--own.running == 0 && own.waiting.empty()) peers_.erase(peer);
  }
}

}  // namespace sp::net
