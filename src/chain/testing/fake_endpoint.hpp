// A RpcEndpoint for tests: answers by a function, and remembers what it was asked. May be called
// from any thread, if the function may; `asked` is read when nobody calls it.
#pragma once

#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>

#include "chain/rpc.hpp"

namespace sp::chain::testing {

class FakeEndpoint final : public RpcEndpoint {
 public:
  using Answer = std::function<Result<Json>(const std::string& method, const Json& params)>;
  explicit FakeEndpoint(Answer how) : answer(std::move(how)) {}

  Result<Json> call(const std::string& method, const Json& params) override {
    {
      const std::lock_guard lock(mutex_);
      asked.push_back(method);
    }
    return answer(method, params);
  }

  Answer answer;
  std::vector<std::string> asked;

 private:
  std::mutex mutex_;  // guards asked
};

/// Time that passes only when somebody sleeps.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_seconds() const override { return now_.count() / 1'000'000'000; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now_; }
  void sleep_for(std::chrono::nanoseconds duration) const override { now_ += duration; }

 private:
  mutable std::chrono::nanoseconds now_{0};
};

}  // namespace sp::chain::testing
