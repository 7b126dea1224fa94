// A real broker and a real store under far more than they can serve: what they refuse says when to
// try again, their memory stays within bounds, an order in the middle of it ends well, and once the
// flood is over they answer as before.
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "api/broker.hpp"
#include "base/testing/must.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "customers.hpp"
#include "net/patience.hpp"
#include "net/testing/raw_socket.hpp"
#include "prove/dev.hpp"
#include "spctl/programs.hpp"
#include "store/remote/http_store.hpp"
#include "store/remote/signed_request.hpp"
#include "store/remote/store_service.hpp"

namespace sp::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kFlooders = net::kQueuedRequestsMax + 64;  // more than may wait at a broker
constexpr seconds kFloodTime{8};
constexpr milliseconds kImpatience{50};  // of who was refused: told was a second
// Bytes that broker and store may have each: what may be under way, and as much for the rest.
constexpr std::uint64_t kMemoryMax = 2 * net::kBytesInFlightMax;
constexpr milliseconds kNormal{500};  // of an answer when nothing else is asked
constexpr seconds kRecovery{10};      // after the flood, until answers are normal
constexpr std::size_t kBlobSize = 256 * 1024;
constexpr std::size_t kBigBlobSize = 16 << 20;
constexpr std::size_t kSlowReaders = 24;  // together they ask for more than may be under way
static_assert(kBigBlobSize * (kSlowReaders - 4) > net::kBytesInFlightMax);

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

// Whether it was refused.
bool hear(const Result<net::HttpResponse>& answer, Told& told) {
  if (!answer) return false;
  ++told.answered;
  if (answer->status != 429 && answer->status != 503) return false;
  ++told.busy;
  const bool words = as_text(answer->body).find("try again in ") != std::string_view::npos;
  if (!net::retry_after(answer->headers) || !words) ++told.wordless;
  return true;
}

std::uint16_t port_of(const std::string& url) { return net::Url::parse(url).value().port; }

// Many who ask a daemon all the time, as fast as it answers, and again much sooner than they are
// told to.
class Flood {
 public:
  using Ask = std::function<Result<net::HttpResponse>(net::HttpClient&)>;
  // Each of them has one of the questions.
  Flood(std::size_t threads, std::vector<Ask> questions) : questions_(std::move(questions)) {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this, i] {
        net::HttpClient client;
        while (!over_) {
          const bool refused = hear(questions_[i % questions_.size()](client), told_);
          if (refused) std::this_thread::sleep_for(kImpatience);
        }
      });
    }
  }
  ~Flood() { stop(); }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

  const Told& stop() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return told_;
  }

 private:
  std::vector<Ask> questions_;
  std::atomic<bool> over_ = false;
  Told told_;
  std::vector<std::thread> threads_;
};

// Evidence for an order that doesn't exist: cheap to send, and the broker has to ask the chain.
Bytes senseless_proof(Random& random) {
  api::SessionProof proof;
  proof.context.order = crypto::random_fixed<api::OrderId>(random);
  prove::DevProver prover(prove::DevPlatform::generate(random), {});
  proof.evidence = must(prover.evidence(proof.context.report_data()));
  return proof.encode();
}

// Brings a package so large that of its account's receipts one is made at a time. What asks for
// one.
Flood::Ask receipt_question(Town& town, const crypto::EthKey& owner, const Clock& clock,
                            Random& random) {
  store::HttpStore blobs(town.http(), town.network().store.url, town.writing(owner, random));
  Bytes chunk(store::kChunkSizeMin + crypto::kGcmTagSize);
  random.fill(chunk);
  must(blobs.put(store::blob_id(chunk), chunk));
  store::Manifest manifest;
  manifest.chunk_size = store::kChunkSizeMin;
  manifest.chunks.assign(store::kSmallManifestMax / store::BlobId::kSize + 1,
                         store::blob_id(chunk));
  manifest.stream_size = manifest.chunks.size() * store::kChunkSizeMin;
  const Bytes encoded = manifest.encode();
  must(blobs.put(store::blob_id(encoded), encoded));
  const Json body{{"package", store::blob_id(encoded).hex()},
                  {"until", clock.unix_seconds() + 3600}};
  return [&, json = to_bytes(as_bytes(body.dump()))](net::HttpClient& client) {
    const store::StoreRequest request{town.network().store.address, "POST", "/v1/receipts",
                                      crypto::sha256(json), clock.unix_seconds()};
    return client.call("POST", town.network().store.url + "/v1/receipts", json,
                       {{"authorization", store::sign_request(owner, request)}});
  };
}

TEST_F(Overload, AFloodOfRequestsAndAnOrderInTheMiddle) {
  const std::string broker = town_->network().broker.url;
  const std::string wrong = town_->network().store.url + "/v1/blobs/" + std::string(64, 'a');
  Bytes body(kBlobSize);
  random_.fill(body);
  const Bytes proof = senseless_proof(random_);
  // Most ask what takes long, so that more are there than may wait, however fast the machine is.
  std::vector<Flood::Ask> questions(14, [&](net::HttpClient& client) {
    return client.call("POST", broker + "/v1/attest", proof);
  });
  questions.emplace_back(
      [&](net::HttpClient& client) { return client.call("GET", identities()[0]); });
  questions.emplace_back(
      [&](net::HttpClient& client) { return client.call("POST", broker + "/v1/deposits", body); });
  Flood at_broker(kFlooders, std::move(questions));
  const auto owner = crypto::EthKey::generate(random_);
  Flood at_store(kFlooders / 8, {[&](auto& client) { return client.call("PUT", wrong, body); },
                                 receipt_question(*town_, owner, clock_, random_)});
  clock_.sleep_for(seconds(2));
  const Time begun = clock_.monotonic();
  const Outcome order = run_customers(*town_, 1, seconds(60), clock_, random_, moments_);
  EXPECT_EQ(order.opened, 1U) << Json(order.failures).dump();
  const Time left = kFloodTime - (clock_.monotonic() - begun);
  if (left.count() > 0) clock_.sleep_for(left);
  const Told& told = at_broker.stop();
  const Told& stored = at_store.stop();
  std::printf("of the broker's %zu answers %zu: busy; of the store's %zu %zu\n",
              told.answered.load(), told.busy.load(), stored.answered.load(), stored.busy.load());
  EXPECT_GT(told.busy, 0U) << "there was no overload";
  EXPECT_GT(told.answered, 2 * told.busy) << "most were served";
  EXPECT_EQ(told.wordless, 0U);
  EXPECT_GT(stored.answered, kFlooders) << "the store's flood was none";
  EXPECT_GT(stored.busy, 0U) << "the store was never busy";
  EXPECT_EQ(stored.wordless, 0U);
  expect_memory_bounded();
  expect_normal_again();
}

// Who asks for much and reads nothing keeps the store's memory, up to the named limit.
TEST_F(Overload, ThoseWhoReadNothingAreOutlived) {
  Bytes blob(kBigBlobSize);
  random_.fill(blob);
  const auto owner = crypto::EthKey::generate(random_);
  const std::string& url = town_->network().store.url;
  store::HttpStore blobs(town_->http(), url, town_->writing(owner, random_));
  ASSERT_TRUE(blobs.put(store::blob_id(blob), blob).ok());
  const std::string target = "/v1/blobs/" + store::blob_id(blob).hex();
  std::vector<net::testing::RawSocket> slow;
  for (std::size_t i = 0; i < kSlowReaders; ++i) {
    slow.push_back(net::testing::RawSocket::connect(port_of(url)));
    ASSERT_TRUE(slow.back().send("GET " + target + " HTTP/1.1\r\nhost: store\r\n\r\n"));
  }
  Told told;
  net::HttpClient client;
  const Time deadline = clock_.monotonic() + kRecovery;
  while (told.busy == 0 && clock_.monotonic() < deadline)
    hear(client.call("GET", url + target), told);
  EXPECT_EQ(told.busy, 1U) << "there was no overload";
  EXPECT_EQ(told.wordless, 0U);
  slow.clear();
  expect_memory_bounded();
  expect_normal_again();
  const auto answer = client.call("GET", url + target);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
}

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
