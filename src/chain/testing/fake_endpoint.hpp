// A RpcEndpoint for tests: answers by a function, and remembers what it was asked. Belongs to one
// thread.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "chain/rpc.hpp"

namespace sp::chain::testing {

class FakeEndpoint final : public RpcEndpoint {
 public:
  using Answer = std::function<Result<Json>(const std::string& method, const Json& params)>;
  explicit FakeEndpoint(Answer how) : answer(std::move(how)) {}

  Result<Json> call(const std::string& method, const Json& params) override {
    asked.push_back(method);
    return answer(method, params);
  }

  Answer answer;
  std::vector<std::string> asked;
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
