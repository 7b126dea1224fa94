// What tests of this room share: a clock that a test moves, a folder that goes away, sources that
// answer from memory.
#pragma once

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>

#include "base/files.hpp"
#include "base/testing/temporary_folder.hpp"
#include "base/world.hpp"
#include "collateral/source.hpp"

namespace sp::collateral::testing {

/// Time passes only where a test moves it or somebody sleeps.
class ManualClock final : public Clock {
 public:
  static constexpr std::int64_t kStart = 1'800'000'000;

  [[nodiscard]] std::int64_t unix_seconds() const override {
    return kStart + std::chrono::duration_cast<std::chrono::seconds>(monotonic()).count();
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::nanoseconds(passed_.load());
  }
  void sleep_for(std::chrono::nanoseconds duration) const override {
    passed_ += duration.count();
    slept_ += duration.count();
  }
  void advance(std::chrono::nanoseconds duration) { passed_ += duration.count(); }
  /// All the time that somebody slept.
  [[nodiscard]] std::chrono::milliseconds slept() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::nanoseconds(slept_.load()));
  }

 private:
  mutable std::atomic<std::int64_t> passed_{1};
  mutable std::atomic<std::int64_t> slept_{0};
};

using sp::testing::TemporaryFolder;

/// An upstream that is a function; counts its calls.
class FunctionUpstream final : public Upstream {
 public:
  using Function = std::function<Result<Fetched>(const Wanted&, const Validator&)>;
  explicit FunctionUpstream(Function function) : function_(std::move(function)) {}
  Result<Fetched> fetch(const Wanted& wanted, const Validator& kept) override {
    ++calls;
    return function_(wanted, kept);
  }
  std::atomic<int> calls{0};

 private:
  Function function_;
};

/// A source of what a test put into it, by path; remembers what it was asked for.
class MapSource final : public CollateralSource {
 public:
  std::map<std::string, Published> answers;
  std::vector<std::string> asked;

  Result<Published> get(const Wanted& wanted) override {
    asked.push_back(path_of(wanted));
    const auto found = answers.find(path_of(wanted));
    if (found == answers.end()) return Error{Errc::not_found, "nowhere"};
    return found->second;
  }
};

inline Published published(std::string_view body, std::string_view chain = "") {
  return {to_bytes(as_bytes(body)), std::string(chain)};
}

}  // namespace sp::collateral::testing
