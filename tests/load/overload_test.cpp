// A real broker and a real store under far more than they can serve: what they refuse says when to
// try again, their memory stays within bounds, an order in the middle of it ends well, and once the
// flood is over they answer as before.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "customers.hpp"
#include "must.hpp"
#include "net/patience.hpp"
#include "net/testing/raw_socket.hpp"
#include "spctl/programs.hpp"

namespace sp::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kFlooders = 96;  // threads, half of them at the store
constexpr seconds kFloodTime{8};
constexpr std::uint64_t kMemoryMax = 512 << 20;  // bytes that broker and store may have each
constexpr milliseconds kNormal{500};             // of an answer when nothing else is asked
constexpr seconds kRecovery{10};                 // after the flood, until answers are normal
constexpr std::size_t kBlobSize = 256 * 1024;

class Overload : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto programs = spctl::find_programs({});
    if (!programs) return;
    TownOptions options;
    options.anvil = programs->anvil;
    options.spnode = programs->spnode;
    town_ = std::make_unique<Town>(options, clock_, random_, moments_);
  }
  static void TearDownTestSuite() { town_.reset(); }
  void SetUp() override {
    if (!town_) GTEST_SKIP() << "needs anvil and spnode";
  }

  // How long a service takes for its identity; nothing where it doesn't give it.
  static std::optional<Time> answer_time(const std::string& url) {
    net::HttpClient client;
    const Time begun = clock_.monotonic();
    const auto answer = client.call("GET", url);
    if (!answer || answer->status != 200) return std::nullopt;
    return clock_.monotonic() - begun;
  }
  static std::vector<std::string> identities() {
    return {town_->network().broker.url + "/v1/identity?nonce=" + std::string(64, '0'),
            town_->network().store.url + "/v1/identity"};
  }
  static void expect_normal_again() {
    const Time deadline = clock_.monotonic() + kRecovery;
    for (const std::string& url : identities()) {
      std::optional<Time> took;
      do {
        took = answer_time(url);
      } while ((!took || *took > kNormal) && clock_.monotonic() < deadline);
      EXPECT_TRUE(took && *took <= kNormal) << url;
    }
  }
  static void expect_memory_bounded() {
    for (const auto& [name, usage] : town_->usage()) {
      if (name != "broker" && name != "store") continue;
      EXPECT_LT(usage.rss_max, kMemoryMax) << name;
    }
  }

  inline static SystemClock clock_;
  inline static crypto::SystemRandom random_;
  inline static Moments moments_{clock_};
  inline static std::unique_ptr<Town> town_;
};

// What the flood was told.
struct Told {
  std::atomic<std::size_t> answered = 0;
  std::atomic<std::size_t> busy = 0;      // 429 and 503
  std::atomic<std::size_t> wordless = 0;  // of them: without Retry-After or the words
};

void hear(const Result<net::HttpResponse>& answer, Told& told) {
  if (!answer) return;
  ++told.answered;
  if (answer->status != 429 && answer->status != 503) return;
  ++told.busy;
  const bool words = as_text(answer->body).find("try again in ") != std::string_view::npos;
  if (!net::retry_after(answer->headers) || !words) ++told.wordless;
}

TEST_F(Overload, AFloodOfRequestsAndAnOrderInTheMiddle) {
  std::atomic<bool> flooding = true;
  Told told;
  std::vector<std::thread> flood;
  for (std::size_t i = 0; i < kFlooders; ++i) {
    flood.emplace_back([&, i] {
      net::HttpClient client;
      const std::string& broker = town_->network().broker.url;
      Bytes blob(kBlobSize);
      random_.fill(blob);
      const std::string place = town_->network().store.url + "/v1/blobs/";
      while (flooding) {
        if (i % 2 == 1) {
          hear(client.call("PUT", place + std::string(64, 'a'), blob), told);
        } else if (i % 4 == 0) {
          hear(client.call("GET", identities()[0]), told);
        } else {
          hear(client.call("POST", broker + "/v1/deposits", blob), told);
        }
      }
    });
  }
  clock_.sleep_for(seconds(2));
  const Time begun = clock_.monotonic();
  const Outcome order = run_customers(*town_, 1, seconds(60), clock_, random_, moments_);
  EXPECT_EQ(order.opened, 1U) << Json(order.failures).dump();
  const Time left = kFloodTime - (clock_.monotonic() - begun);
  if (left.count() > 0) clock_.sleep_for(left);
  flooding = false;
  for (std::thread& one : flood) one.join();
  EXPECT_GT(told.answered, 100U);
  EXPECT_EQ(told.wordless, 0U);
  expect_memory_bounded();
  expect_normal_again();
}

std::uint16_t port_of(const std::string& url) { return net::Url::parse(url).value().port; }

TEST_F(Overload, ThoseWhoTakeAllConnectionsAreOutlived) {
  for (const std::string& url : {town_->network().broker.url, town_->network().store.url}) {
    std::vector<net::testing::RawSocket> held;
    for (std::size_t i = 0; i < net::kConnectionsMax; ++i) {
      held.push_back(net::testing::RawSocket::connect(port_of(url)));
    }
    // Of this machine's own no address is counted, so all places are taken: who comes is told when
    // to come again.
    std::string refused;
    for (int i = 0; i < 50 && refused.empty(); ++i) {
      refused = net::testing::RawSocket::connect(port_of(url)).read_until("\"}", 200);
    }
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
    EXPECT_NE(refused.find("retry-after: 1\r\n"), std::string::npos) << refused;
    EXPECT_NE(refused.find("too many connections; try again in 1 s"), std::string::npos);
    held.clear();
  }
  expect_memory_bounded();
  expect_normal_again();
}

}  // namespace
}  // namespace sp::bench
