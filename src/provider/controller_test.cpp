// What a controller hands out of its ledger. Its threads and the chain are tested by the
// simulation, and by real processes in tests/hostile and tests/chain_days.
#include "provider/controller.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/testing/memory_files.hpp"
#include "base/testing/must.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "crypto/random.hpp"

namespace sp::provider {
namespace {

class NoHost final : public tee::TeeHost {
 public:
  [[nodiscard]] tee::TeeKind kind() const override { return tee::TeeKind::sandbox; }
  Result<std::unique_ptr<tee::RunningTee>> start(const tee::StartOptions&) override {
    return Error{Errc::unsupported, "no TEE"};
  }
  Status sweep() override { return {}; }
};

class ControllerTest : public ::testing::Test {
 protected:
  // What it hands out of an order in this state: the failure in the Finish, or the error's code.
  std::string handed_out(EntryState state, const std::string& failure, bool has_finish) {
    Entry entry;
    entry.state = state;
    entry.failure = failure;
    if (has_finish) entry.finish.emplace().failure = "the last word";
    must(Ledger(files_, "provider/orders").save(order_, entry));
    const auto finish = controller_.finish_of(order_);
    return finish ? finish->failure : std::string(errc_name(finish.error().code));
  }

  crypto::SystemRandom random_;
  sp::testing::MemoryFiles files_;
  chain::testing::FakeClock clock_;
  chain::testing::FakeEndpoint endpoint_{[](const std::string&, const Json&) -> Result<Json> {
    return Error{Errc::unavailable, "no chain"};
  }};
  chain::Chain chain_{endpoint_};
  market::MarketClient market_{chain_, {}};
  const crypto::EthKey action_ = crypto::EthKey::generate(random_);
  chain::TxSender sender_{chain_, action_, clock_};
  NoHost host_;
  net::HttpClient http_;
  const Services services_;
  CallForwarder forwarder_{http_, services_};
  Controller controller_{{market_, sender_, action_, host_, forwarder_, files_, clock_},
                         {.authority = {}, .folder = "provider"}};
  const api::OrderId order_{};
};

// The receipt of a run that came to nothing settles the order for whoever sends it: the customer
// would have its money back and the next run's work.
TEST_F(ControllerTest, TheReceiptOfAnEarlierRunIsNotHandedOutWhileAnotherMayCome) {
  EXPECT_EQ(handed_out(EntryState::queued, "", false), "not_found");
  EXPECT_EQ(handed_out(EntryState::queued, "", true), "not_found");
  EXPECT_EQ(handed_out(EntryState::running, "", true), "not_found");
  EXPECT_EQ(handed_out(EntryState::finished, "", false), "not_found");
  for (const EntryState over : {EntryState::finished, EntryState::settled, EntryState::failed}) {
    EXPECT_EQ(handed_out(over, "", true), "the last word") << entry_state_name(over);
  }
  EXPECT_EQ(handed_out(EntryState::failed, "no settlement came through", true), "the last word");
}

TEST_F(ControllerTest, WorkThatAnotherSessionsReceiptLeftUnpaidIsNotHandedOut) {
  for (const EntryState state : {EntryState::finished, EntryState::settled}) {
    EXPECT_EQ(handed_out(state, "another session's receipt settled it: provider", true),
              "not_found");
  }
}

// However many there are, and whatever their ids: what an order locks is looked at soon after a
// start, so that no idle session stays untold.
TEST(ControllerLocks, AllAreLookedAtAtOnce) {
  constexpr std::size_t kLocks = 40;
  const auto salt_of = [](std::size_t i) {
    Digest32 salt;
    salt.data.fill(static_cast<std::uint8_t>(0x80 + i));
    return salt;
  };
  std::mutex mutex;
  std::set<std::size_t> looked_at;  // under mutex
  chain::testing::FakeEndpoint endpoint{
      [&](const std::string&, const Json& params) -> Result<Json> {
        const std::string text = params.dump();
        const std::lock_guard lock(mutex);
        for (std::size_t i = 0; i < kLocks; ++i) {
          if (text.find(to_hex(salt_of(i).view())) != std::string::npos) looked_at.insert(i);
        }
        return Error{Errc::unavailable, "no chain"};
      }};
  chain::Chain chain{endpoint};
  market::MarketClient market{chain, {}};
  crypto::SystemRandom random;
  const crypto::EthKey action = crypto::EthKey::generate(random);
  const SystemClock clock;
  chain::TxSender sender{chain, action, clock};
  NoHost host;
  net::HttpClient http;
  const Services services;
  CallForwarder forwarder{http, services};
  sp::testing::MemoryFiles files;
  for (std::size_t i = 0; i < kLocks; ++i) {
    Entry entry;
    entry.state = EntryState::failed;
    entry.locks = true;
    entry.start.terms.choices.resize(1);
    entry.start.terms.choices[0].kind = attest::EvidenceKind::dev;
    entry.start.terms.salt = salt_of(i);
    api::OrderId order;
    order.data.fill(static_cast<std::uint8_t>(1 + i));
    must(Ledger(files, "provider/orders").save(order, entry));
  }
  Controller controller{{market, sender, action, host, forwarder, files, clock},
                        {.authority = {}, .folder = "provider"}};
  must(controller.start());
  const auto deadline = clock.monotonic() + std::chrono::seconds(10);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return looked_at.size();
  };
  // A chain that is away ends no watch.
  const auto done = [&] { return count() == kLocks && controller.counts().locked == kLocks; };
  while (!done() && clock.monotonic() < deadline) {
    clock.sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(done()) << count();
}

}  // namespace
}  // namespace sp::provider
