// Reorganisations of depth 1 to 12 at each stage of an order: it is settled once, and every token
// is where the rules say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "days.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;
using market::OrderStatus;
using std::chrono::milliseconds;

enum class Stage { created, taken, attesting, releasing, running, settling, in_pool };

constexpr int kDepthMax = 12;

struct Case {
  Stage stage;
  int depth;
  bool at_once;  ///< the creation is back in the blocks that replace the old ones
};

class Reorg : public Days {
 protected:
  /// Holds what comes until an order that is placed after it is at the stage.
  void prepare(Stage stage) {
    if (stage == Stage::created) town.signal_provider(SIGSTOP);
    if (stage == Stage::taken) hold(*town.provider_broker, "/v1/nonce");
    if (stage == Stage::attesting) hold(*town.provider_broker, "/v1/attest");
    if (stage == Stage::releasing) hold(*town.provider_broker, "/v1/release");
    // A settlement can't come before the test's next step, however fast the workload is.
    if (stage >= Stage::running) hold_transactions();
  }
  void wait_for(Stage stage, const Placed& placed) {
    if (stage == Stage::created) return;
    if (stage == Stage::running) {
      wait_until([&] { return shop.progress(placed.id).stage.starts_with("running"); }, "running");
      return;
    }
    wait_until([&] { return reached(); }, "the stage");
    if (stage == Stage::in_pool) let_into_pool();
  }
  /// What is held waits from here on in the pool.
  void let_into_pool() {
    automine(false);
    go();
    wait_until([&] { return !town.rpc("txpool_content", Json::array()).at("pending").empty(); },
               "a settlement in the pool");
  }
  void let_go(Stage stage) {
    if (stage == Stage::created) town.signal_provider(SIGCONT);
    if (stage == Stage::in_pool) automine(true);
    go();
  }
};

// Each depth once, over all stages; every depth at every stage takes minutes.
std::vector<Case> cases() {
  if (std::getenv("SP_REORG_ALL") == nullptr) {
    return {
        {Stage::created, 1, false},   {Stage::created, 8, true},    {Stage::taken, 2, false},
        {Stage::attesting, 3, true},  {Stage::attesting, 9, false}, {Stage::releasing, 4, false},
        {Stage::releasing, 10, true}, {Stage::running, 5, true},    {Stage::running, 11, false},
        {Stage::settling, 6, false},  {Stage::settling, 12, true},  {Stage::in_pool, 7, true}};
  }
  std::vector<Case> all;
  for (int stage = 0; stage <= static_cast<int>(Stage::in_pool); ++stage) {
    for (int depth = 1; depth <= kDepthMax; ++depth) {
      // A settlement in the pool goes into the very next block, and needs its order there.
      const bool at_once = stage == static_cast<int>(Stage::in_pool) || (stage + depth) % 2 == 0;
      all.push_back({static_cast<Stage>(stage), depth, at_once});
    }
  }
  return all;
}

TEST_F(Reorg, OfTheCreationEndsInOneSettlementAtEveryStage) {
  for (const Case& now : cases()) {
    SCOPED_TRACE("stage " + std::to_string(static_cast<int>(now.stage)) + ", depth " +
                 std::to_string(now.depth));
    const auto begin = town.clock().monotonic();
    mine(kApart);
    prepare(now.stage);
    const bool sleeps = now.stage == Stage::running;
    const Placed placed =
        shop.place({.argv = {sleeps ? "sleep" : "exit", sleeps ? "2" : "0"}, .bought = true});
    const std::string creation = creation_of(placed);
    wait_for(now.stage, placed);
    reorganise(now.depth, now.at_once ? creation : "");
    EXPECT_EQ(status_of(placed), now.at_once ? OrderStatus::open : OrderStatus::none);
    if (now.stage != Stage::in_pool && !now.at_once) {
      let_go(now.stage);
      town.clock().sleep_for(milliseconds(1'500));
      EXPECT_NE(shop.progress(placed.id).state, "failed");
      send_raw(creation);
    }
    let_go(now.stage);
    shop.expect_settled(placed, Outcome::success);
    town.behave();
    const auto took = town.clock().monotonic() - begin;
    std::printf("stage %d depth %d: %ld ms\n", static_cast<int>(now.stage), now.depth,
                static_cast<long>(took.count() / 1'000'000));
  }
}

// The customer's transaction never comes back: nobody is paid, nothing is locked.
TEST_F(Reorg, OfTheCreationForGoodMovesNothing) {
  mine(kApart);
  hold(*town.provider_broker, "/v1/release");
  const Placed placed = shop.place({.bought = true});
  const std::string creation = creation_of(placed);
  wait_until([&] { return reached(); }, "a release");
  reorganise(2);
  go();
  wait_until([&] { return shop.progress(placed.id).state == "queued"; }, "its loader's end");
  EXPECT_EQ(town.provider_broker->seen("/v1/release").back().status, 404U)
      << "no key for an order that isn't there";
  town.clock().sleep_for(milliseconds(2'000));
  EXPECT_EQ(shop.progress(placed.id).state, "queued") << "it waits, and isn't failed";
  EXPECT_EQ(changes(placed.before, shop.books()), Changes{});
  // So that the end of the town finds an order that has ended.
  send_raw(creation);
  shop.expect_settled(placed, Outcome::success);
}

// With confirmations deeper than any reorganisation: the creation stays, the settlement is sent
// again as often as it is dropped, and counts when it is final.
TEST_F(Reorg, OfTheSettlementSendsItAgainUntilItIsFinal) {
  constexpr int kConfirmations = 13;
  mine(kApart);
  const auto set = [&](int confirmations) {
    town.reconfigure("provider",
                     [&](Json& json) { json["markets"][0]["confirmations"] = confirmations; });
  };
  set(kConfirmations);
  const Placed placed = shop.place({.bought = true});
  town.clock().sleep_for(milliseconds(300));
  EXPECT_EQ(shop.progress(placed.id).state, "unknown") << "it isn't final enough to be taken";
  mine(kConfirmations - 1);
  const auto is_settled = [&] { return status_of(placed) == OrderStatus::settled; };
  wait_until(is_settled, "the settlement");
  for (int depth = 1; depth < kConfirmations; ++depth) {
    if (depth > 1) mine(depth - 1);
    town.signal_provider(SIGSTOP);  // else it may send the settlement again before the look
    reorganise(depth);
    EXPECT_EQ(status_of(placed), OrderStatus::open) << depth;
    town.signal_provider(SIGCONT);
    wait_until(is_settled, "the settlement after depth " + std::to_string(depth));
    EXPECT_NE(shop.progress(placed.id).state, "settled") << "it isn't final";
  }
  mine(kConfirmations);
  shop.expect_settled(placed, Outcome::success);
  const Path outbox = town.home() / "provider" / "state" / "outbox-31337";
  wait_until([&] { return must(town.files().list(outbox)).empty(); }, "an empty outbox");
  set(1);
}

// What is settled while the provider is dead, or in flight when it dies, is settled once.
TEST_F(Reorg, OfTheSettlementWhileTheProviderIsDeadIsMadeGood) {
  mine(kApart);
  automine(false);
  const auto before = must(town.chain().nonce(town.action().address(), false));
  automine(true);
  hold_transactions();
  const Placed placed = shop.place({.bought = true});
  wait_until([&] { return reached(); }, "a settlement");
  let_into_pool();
  town.signal_provider(SIGKILL);
  town.stop_provider();
  town.rpc("anvil_dropAllTransactions", Json::array());
  automine(true);
  town.start_provider();
  shop.expect_settled(placed, Outcome::success);
  EXPECT_EQ(must(town.chain().nonce(town.action().address(), false)), before + 1)
      << "the same transaction, not a second one";
}

}  // namespace
}  // namespace sp::hostile
