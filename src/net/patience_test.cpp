#include "net/patience.hpp"

#include <gtest/gtest.h>

#include <atomic>

#include "net/problem.hpp"

namespace sp::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// Time that passes only by sleeping.
class SleptClock final : public Clock {
 public:
  std::int64_t unix_seconds() const override { return 0; }
  nanoseconds monotonic() const override { return slept; }
  void sleep_for(nanoseconds duration) const override {
    slept += duration;
    pauses.push_back(duration);
  }
  mutable nanoseconds slept{0};
  mutable std::vector<nanoseconds> pauses;
};

class Always final : public Random {
 public:
  explicit Always(std::uint8_t byte) : byte_(byte) {}
  void fill(MutableByteView out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  std::uint8_t byte_;
};

Headers with_field(const std::string& value) { return {{"retry-after", value}}; }

TEST(Patience, ReadsRetryAfter) {
  EXPECT_EQ(retry_after(with_field("7")), seconds(7));
  EXPECT_EQ(retry_after(with_field("4000000000")), kRetryAfterMax);
  for (const char* odd : {"", "-1", "1.5", "soon", "99999999999", "7 "}) {
    EXPECT_EQ(retry_after(with_field(odd)), std::nullopt) << odd;
  }
  EXPECT_EQ(retry_after(Headers()), std::nullopt);
}

class PatienceTest : public ::testing::Test {
 protected:
  // What a call makes of a service that is busy `busy` times.
  Result<HttpResponse> call(int busy, std::uint8_t chance, const Patience& patience = {}) {
    std::atomic<int> calls = 0;
    auto server = HttpServer::start({}, [&](const HttpRequest&) {
      if (calls++ < busy) {
        return retry_response(429, {Errc::unavailable, "too much at once"}, seconds(3));
      }
      return text_response(200, "text/plain", "done");
    });
    EXPECT_TRUE(server);
    Always random(chance);
    auto answer = call_patiently(client_, clock_, random, patience, "GET",
                                 "http://127.0.0.1:" + std::to_string((*server)->port()) + "/");
    calls_ = calls;
    return answer;
  }

  HttpClient client_;
  SleptClock clock_;
  int calls_ = 0;
};

TEST_F(PatienceTest, WaitsAsLongAsItIsToldAndALittleMore) {
  EXPECT_EQ(call(2, 0)->status, 200U);
  EXPECT_EQ(clock_.pauses, (std::vector<nanoseconds>{seconds(3), seconds(3)}));
  clock_.pauses.clear();
  EXPECT_EQ(call(1, 0xff)->status, 200U);
  ASSERT_EQ(clock_.pauses.size(), 1U);
  EXPECT_GT(clock_.pauses[0], milliseconds(4400));
  EXPECT_LT(clock_.pauses[0], milliseconds(4500));
}

TEST_F(PatienceTest, GivesTheLastAnswerWhereThePatienceIsOver) {
  const auto answer = call(100, 0, {milliseconds(10'000)});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 429U);
  EXPECT_EQ(calls_, 4);
  EXPECT_EQ(problem_from(*answer, "it"),
            (Error{Errc::unavailable, "it: too much at once; try again in 3 s"}));
}

TEST_F(PatienceTest, ANobodyIsTriedAFewTimes) {
  Always random(0);
  const auto answer =
      call_patiently(client_, clock_, random, {}, "GET", "http://127.0.0.1:1/", {}, {});
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_EQ(clock_.pauses, (std::vector<nanoseconds>{milliseconds(200), milliseconds(400)}));
}

TEST(Problem, SaysWhenToTryAgainWhatMayPass) {
  const HttpResponse later = problem_response({Errc::unavailable, "the chain is behind"});
  EXPECT_EQ(later.status, 503U);
  EXPECT_EQ(retry_after(later.headers), kProblemRetryAfter);
  EXPECT_EQ(as_text(later.body),
            R"({"error":"unavailable","message":"the chain is behind; try again in 2 s"})");
  const HttpResponse never = problem_response({Errc::refused, "no"});
  EXPECT_EQ(never.status, 403U);
  EXPECT_EQ(retry_after(never.headers), std::nullopt);
}

}  // namespace
}  // namespace sp::net
