// Claims: owners are paid from the provider's deposit for keys that it had the use of, and for no
// others.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>

#include "money.hpp"
#include "provider/controller.hpp"
#include "provider/ledger.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;
using testing::HasSubstr;

using ClaimsTest = MoneyTest;

TEST_F(ClaimsTest, OwnersClaimWhatASilentProviderOwesThem) {
  town.stop_provider();
  const Placed placed = shop.place({.bought = true, .change = [&](api::Terms& terms) {
                                      terms.parts.insert(terms.parts.begin() + 2, terms.parts[2]);
                                    }});
  const FakeSession session = impostor.attested(placed.id);
  for (std::uint8_t part = 1; part < 4; ++part) must(impostor.ask_key(session, part));
  town.pass_time(1);
  const auto requests = kept(placed.id);
  ASSERT_EQ(requests.size(), 3U);
  const auto claim = [&](std::size_t i) {
    return words(impostor.claim(placed.terms, requests[i].attestation, requests[i].request));
  };
  EXPECT_EQ(claim(0), "refused: Market_WrongPhase");
  must(town.send(town.customer(), town.market().cancel(placed.terms)));
  EXPECT_EQ(claim(0), "refused: Market_WrongPhase") << "still settling";
  town.pass_time(placed.terms.settle_window + 1);
  const auto close = town.market().close(placed.terms);
  const auto closes = town.send(town.customer(), close);
  ASSERT_FALSE(closes.ok());
  EXPECT_EQ(revert_of(closes.error()), "Market_WrongPhase") << "owners come first";
  EXPECT_EQ(claim(0), "ok");
  EXPECT_EQ(claim(0), "refused: Market_AlreadyPaid");
  EXPECT_EQ(claim(1), "ok");
  // The other owner does it with spctl, in whose home it has its key. Of its two parts somebody has
  // claimed one already.
  must(spctl::KeyRing(town.files(), town.random(), town.home() / "keys", "")
           .import("owner", shop.owner()));
  const auto owed = [&] { return town.spctl({"orders", "owed", "--key", "owner"}).text; };
  EXPECT_THAT(owed(), HasSubstr(placed.id.hex0x() + "  5 TEE"));
  const std::vector<std::string> line{"orders", "claim", placed.id.hex0x(), "--key", "owner"};
  const CommandOutput claimed = town.spctl(line);
  EXPECT_EQ(claimed.end.exit_code, 0) << claimed.text;
  EXPECT_THAT(claimed.text, HasSubstr("Part 3: claimed 5 TEE from the provider's deposit."));
  EXPECT_THAT(owed(), HasSubstr("Nobody owes "));
  const CommandOutput twice = town.spctl(line);
  EXPECT_NE(twice.end.exit_code, 0);
  EXPECT_THAT(twice.text, HasSubstr("Market_AlreadyPaid"));
  town.pass_time(placed.terms.claim_window + 1);
  must(town.send(town.customer(), close));
  EXPECT_EQ(changes(placed.before, shop.books()),
            closed_changes(placed.terms, {1, 2, 3}, shop.people()));
  town.start_provider();
}

// Customer and provider together: a session has the key, and another one settles that it began
// nothing. The customer has its money back, and the owner is paid all the same.
TEST_F(ClaimsTest, AnIdleSessionsSettlementDoesNotRobTheOwner) {
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const FakeSession at_work = impostor.attested(placed.id);
  must(impostor.ask_key(at_work, 2));
  const FakeSession idle = impostor.attested(placed.id);
  const FakeSession told = impostor.attested(placed.id);
  must(impostor.ask_key(told, 2));
  town.pass_time(1);
  const auto requests = kept(placed.id);
  ASSERT_EQ(requests.size(), 2U);
  const auto request_of = [&](const FakeSession& session) {
    const auto found = std::find_if(requests.begin(), requests.end(), [&](const auto& one) {
      return one.attestation.statement.session == session.key.address();
    });
    return found->request;
  };
  api::Receipt receipt;
  receipt.outcome = Outcome::provider;
  EXPECT_EQ(words(impostor.acquit(placed.terms, impostor.sign(told, receipt))), "ok");
  EXPECT_EQ(words(impostor.settle(placed.terms, idle.attestation, impostor.sign(idle, receipt))),
            "ok");
  EXPECT_EQ(must(town.market().order(placed.id)).status, market::OrderStatus::refunded);
  EXPECT_EQ(
      words(impostor.settle(placed.terms, at_work.attestation, impostor.sign(at_work, receipt))),
      "refused: Market_WrongPhase");
  const auto claim = [&](const FakeSession& session) {
    return words(impostor.claim(placed.terms, session.attestation, request_of(session)));
  };
  EXPECT_EQ(claim(at_work), "refused: Market_WrongPhase") << "its provider may still acquit";
  town.pass_time(placed.terms.settle_window + 1);
  EXPECT_EQ(claim(told), "refused: Market_Acquitted");
  EXPECT_EQ(claim(at_work), "ok");
  town.pass_time(placed.terms.claim_window + 1);
  must(town.send(town.customer(), town.market().close(placed.terms)));
  EXPECT_EQ(changes(placed.before, shop.books()), closed_changes(placed.terms, {2}, shop.people()));
  EXPECT_EQ(must(town.market().order(placed.id)).status, market::OrderStatus::settled);
  town.start_provider();
}

// An honest provider owes nothing for loaders that had a key and couldn't begin: it tells the
// market of each, and takes back what is locked by itself.
TEST_F(ClaimsTest, LoadersThatCouldNotBeginCostTheirProviderNothing) {
  town.provider_broker->on_request(
      [](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
        if (request.path != "/v1/release") return std::nullopt;
        const auto asked = api::ReleaseRequest::decode(request.body);
        if (!asked || asked->request.statement.part != 2) return std::nullopt;
        return made_up_problem(400, "malformed", "no");
      });
  const Placed placed = shop.place({.bought = true});
  EXPECT_EQ(shop.wait(placed.id).state, "settled");
  EXPECT_EQ(must(town.market().order(placed.id)).status, market::OrderStatus::refunded);
  const auto wait_for = [&](const std::function<bool()>& done) {
    const auto deadline = town.clock().monotonic() + std::chrono::seconds(40);
    while (!done() && town.clock().monotonic() < deadline) {
      town.clock().sleep_for(std::chrono::milliseconds(100));
    }
  };
  const auto requests = kept(placed.id);
  std::set<Address> sessions;
  for (const broker::KeptRequest& one : requests) {
    sessions.insert(one.attestation.statement.session);
  }
  EXPECT_EQ(sessions.size(), provider::kLoaderTriesMax);
  const auto is_told = [&](const Address& session) {
    return must(town.market().is_acquitted(placed.id, session));
  };
  wait_for([&] { return std::ranges::all_of(sessions, is_told); });
  town.pass_time(placed.terms.settle_window + 1);
  for (const broker::KeptRequest& one : requests) {
    if (one.request.statement.part != 1) continue;
    EXPECT_EQ(words(impostor.claim(placed.terms, one.attestation, one.request)),
              "refused: Market_Acquitted");
  }
  town.pass_time(placed.terms.claim_window);
  wait_for(
      [&] { return must(town.market().order(placed.id)).status != market::OrderStatus::refunded; });
  EXPECT_EQ(changes(placed.before, shop.books()), closed_changes(placed.terms, {}, shop.people()));
}

// Of the one market that the town's provider serves.
Path ledger_folder(const Town& town) {
  for (const auto& entry : std::filesystem::directory_iterator(town.home() / "provider/state")) {
    if (entry.path().filename().string().starts_with("market-")) return entry.path() / "orders";
  }
  return {};
}

// A provider's stop makes no debts either: a loader that had keys signs that it began nothing.
class StopTest : public ClaimsTest {
 protected:
  // An order whose loader has a key and waits for the next; the provider is told to stop then, and
  // the loader's receipt is in the ledger though its call lasts.
  Placed place_and_stop(const std::function<void(const Placed&)>& before) {
    town.provider_broker->on_request(
        [this](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
          if (request.path != "/v1/release") return std::nullopt;
          const auto release = api::ReleaseRequest::decode(request.body);
          if (!release || release->request.statement.part != 2) return std::nullopt;
          asked_ = true;
          while (!go_) town.clock().sleep_for(std::chrono::milliseconds(2));
          return std::nullopt;
        });
    const Placed placed = shop.place({.bought = true});
    wait_for([&] { return asked_.load(); });
    before(placed);
    town.signal_provider(SIGTERM);
    wait_for([&] { return entry_of(placed).idle.size() == 1; });
    EXPECT_FALSE(entry_of(placed).idle.at(0).statement.started);
    return placed;
  }
  void stop() {
    go_ = true;
    town.stop_provider();
  }
  provider::Entry entry_of(const Placed& placed) {
    return must(provider::Ledger(town.files(), ledger_folder(town)).load(placed.id));
  }
  void expect_another_session(const Placed& placed) {
    town.start_provider();
    shop.expect_settled(placed, Outcome::success);
    EXPECT_EQ(town.provider_broker->count("/v1/attest"), 2U);
  }
  void TearDown() override {
    go_ = true;
    ClaimsTest::TearDown();
  }
  void wait_for(const std::function<bool()>& done) {
    const auto deadline = town.clock().monotonic() + std::chrono::seconds(20);
    while (!done() && town.clock().monotonic() < deadline) {
      town.clock().sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(done());
  }

 private:
  std::atomic<bool> asked_ = false, go_ = false;
};

TEST_F(StopTest, LeavesTheOrderToAnotherSession) {
  const Placed placed = place_and_stop([](const Placed&) {});
  stop();
  EXPECT_EQ(entry_of(placed).state, provider::EntryState::queued);
  expect_another_session(placed);
}

TEST_F(StopTest, ThatEndsInAKillDoesToo) {
  const Placed placed = place_and_stop([](const Placed&) {});
  town.signal_provider(SIGKILL);
  stop();
  EXPECT_EQ(entry_of(placed).state, provider::EntryState::running);
  expect_another_session(placed);
}

TEST_F(StopTest, SettlesWhatTheCustomerHasCancelled) {
  const Placed placed = place_and_stop([this](const Placed& order) {
    town.pass_time(1);
    must(town.send(town.customer(), town.market().cancel(order.terms)));
  });
  stop();
  EXPECT_EQ(entry_of(placed).state, provider::EntryState::settled);
  town.start_provider();
  shop.expect_settled(placed, Outcome::provider);
}

// A provider of one order at a time, whose stop waits for what is under way.
class GraceTest : public StopTest {
 protected:
  void SetUp() override {
    StopTest::SetUp();
    town.reconfigure("provider", [this](Json& json) {
      before_ = json;
      json["stopGraceSeconds"] = 60;
      json["markets"][0]["capacity"] = 1;
    });
  }
  void TearDown() override {
    town.reconfigure("provider", [this](Json& json) { json = before_; });
    StopTest::TearDown();
  }

 private:
  Json before_;
};

TEST_F(GraceTest, TheRunningOrderEndsAndNoOtherBegins) {
  const Placed running = shop.place({.argv = {"sleep", "3"}, .bought = true});
  const Placed waiting = shop.place({.bought = true});
  wait_for([&] { return shop.progress(running.id).stage == "running"; });
  wait_for([&] { return shop.progress(waiting.id).state == "queued"; });
  town.signal_provider(SIGTERM);
  wait_for([&] { return entry_of(running).state == provider::EntryState::settled; });
  town.stop_provider();
  EXPECT_EQ(entry_of(waiting).state, provider::EntryState::queued);
  EXPECT_EQ(town.provider_broker->count("/v1/attest"), 1U) << "the other has begun";
  town.start_provider();
  for (const Placed& placed : {running, waiting}) {
    EXPECT_EQ(shop.wait(placed.id).state, "settled");
    EXPECT_EQ(shop.receipt_of(placed.id).outcome, Outcome::success);
  }
  EXPECT_EQ(town.provider_broker->count("/v1/attest"), 2U);
}

}  // namespace
}  // namespace sp::hostile
