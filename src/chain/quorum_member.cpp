#include "chain/quorum_member.hpp"

#include "base/sync.hpp"

namespace sp::chain {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

QuorumMember::QuorumMember(std::unique_ptr<RpcEndpoint> endpoint, milliseconds patience)
    : endpoint_(std::move(endpoint)), patience_(patience) {
  SP_CHECK(endpoint_ != nullptr);
}

QuorumMember::~QuorumMember() {
  std::deque<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(queue_);
  }
  wake_.notify_all();
  for (const Job& job : waiting) job.done(Error{Errc::cancelled, "the program stops"});
  for (std::thread& thread : threads_) thread.join();
}

void QuorumMember::ask(const std::string& method, const Json& params, milliseconds limit,
                       Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < kQuorumQueueMax) {
      queue_.push_back({method, params, steady_clock::now() + limit, std::move(done)});
      if (queue_.size() > idle_ && threads_.size() < kQuorumThreadsMax) {
        threads_.emplace_back([this] { work(); });
      }
      wake_.notify_one();
      return;
    }
  }
  done(Error{Errc::unavailable, "too many calls wait for it"});
}

void QuorumMember::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_) return;
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    const std::uint64_t id = begun_++;
    running_[id] = steady_clock::now();
    lock.unlock();
    if (steady_clock::now() < job.until) {
      job.done(endpoint_->call(job.method, job.params));
    } else {
      job.done(Error{Errc::timed_out, "earlier calls took all the time"});
    }
    lock.lock();
    running_.erase(id);
    hangs_ = false;
  }
}

void QuorumMember::note_hanging() {
  const std::lock_guard lock(mutex_);
  hangs_ = !running_.empty();
}

bool QuorumMember::hangs() const {
  const std::lock_guard lock(mutex_);
  return hangs_;
}

bool QuorumMember::is_late() const {
  const std::lock_guard lock(mutex_);
  return !running_.empty() && steady_clock::now() - running_.begin()->second > patience_;
}

Result<Json> QuorumMember::call(const std::string& method, const Json& params) {
  struct Waiting {
    std::mutex mutex;
    std::condition_variable wake;
    std::optional<Result<Json>> answer;
  };
  if (is_late()) return Error{Errc::unavailable, "the endpoint doesn't answer"};
  // Shared: the answer may come when nobody waits any more.
  const auto waiting = std::make_shared<Waiting>();
  ask(method, params, patience_, [waiting](Result<Json> answer) {
    const std::lock_guard lock(waiting->mutex);
    waiting->answer = std::move(answer);
    waiting->wake.notify_one();
  });
  std::unique_lock lock(waiting->mutex);
  if (!waiting->wake.wait_for(lock, patience_, [&] { return waiting->answer.has_value(); })) {
    return Error{Errc::timed_out,
                 method + ": no answer within " + std::to_string(patience_.count()) + " ms"};
  }
  return std::move(*waiting->answer);
}

std::vector<Result<Json>> QuorumMember::call_many(const std::vector<std::string>& methods,
                                                  const Json& params) {
  return call_at_once(*this, methods, params);
}

std::vector<Result<Json>> call_at_once(RpcEndpoint& endpoint,
                                       const std::vector<std::string>& methods,
                                       const Json& params) {
  SP_CHECK(!methods.empty() && methods.size() <= kRpcBatchMax && params.size() == methods.size());
  std::vector<Later<Result<Json>>> asked;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    asked.emplace_back([&, i] { return endpoint.call(methods[i], params[i]); });
  }
  std::vector<Result<Json>> results;
  for (auto& answer : asked) results.push_back(answer.get());
  return results;
}

}  // namespace sp::chain
