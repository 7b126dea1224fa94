// What is dropped, delayed, killed or taken back: honest orders still end well, and nobody is paid
// twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>

#include "base/testing/must.hpp"
#include "base/testing/processes.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;
using testing::HasSubstr;
using testing::StartsWith;

class Drops : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override {
    shop.rest();
    town.behave();
  }
  void wait_until(const std::function<bool()>& holds) {
    const auto deadline = town.clock().monotonic() + std::chrono::seconds(20);
    while (!holds() && town.clock().monotonic() < deadline) {
      town.clock().sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(holds());
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
};

bool is_transaction(const net::HttpRequest& request) {
  return as_text(request.body).find("eth_sendRawTransaction") != std::string_view::npos;
}

TEST_F(Drops, OfEveryFirstAnswerAreAskedAgain) {
  std::mutex mutex;
  std::set<std::string> dropped;
  const auto drop = [&](const net::HttpRequest& request, net::HttpResponse& response) {
    const std::lock_guard lock(mutex);
    const std::string what = request.path.starts_with("/v1/blobs") ? request.method : request.path;
    if (dropped.insert(what).second) response = made_up_problem(503, "unavailable", "dropped");
  };
  town.provider_broker->on_response(drop);
  town.provider_store->on_response(drop);
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, Outcome::success);
  EXPECT_EQ(dropped, (std::set<std::string>{"/v1/nonce", "/v1/attest", "/v1/release", "GET", "PUT",
                                            "/v1/receipts"}));
}

// The transaction reached the chain and the answer is lost: it is found again, and paid once.
TEST_F(Drops, OfTheSettlementsAnswerSettleOnce) {
  std::atomic<int> lost = 0;
  town.provider_rpc->on_response([&](const net::HttpRequest& request, net::HttpResponse& response) {
    if (is_transaction(request) && lost++ < 2) response = made_up_problem(503, "x", "lost");
  });
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, Outcome::success);
  EXPECT_GE(lost, 1);
}

// A settlement that never reaches the chain is tried again.
TEST_F(Drops, OfTheSettlementAreSentAgain) {
  std::atomic<int> lost = 0;
  town.provider_rpc->on_request([&](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (!is_transaction(request) || lost++ >= 6) return std::nullopt;
    return made_up_problem(503, "unavailable", "lost");
  });
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, Outcome::success);
  EXPECT_GE(lost, 6) << "more than one send tries";
}

// The customer cancels while a key is asked for: the cancel in the newest block stops the release.
TEST_F(Drops, OfTheOrderStopItsRelease) {
  std::atomic<bool> asked = false, go = false;
  town.provider_broker->on_request(
      [&](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
        if (request.path != "/v1/release") return std::nullopt;
        asked = true;
        while (!go) town.clock().sleep_for(std::chrono::milliseconds(2));
        return std::nullopt;
      });
  const Placed placed = shop.place({.bought = true});
  wait_until([&] { return asked.load(); });
  town.pass_time(1);
  must(town.send(town.customer(), town.market().cancel(placed.terms)));
  go = true;
  shop.expect_settled(placed, Outcome::provider);
  // The broker's word, or the provider's, whichever comes first.
  EXPECT_THAT(
      shop.finish_of(placed.id).failure,
      testing::AnyOf(
          "the key of part 0 (arguments): release: the broker: the order has been cancelled",
          "the key of part 0 (arguments): release: cancelled"));
  EXPECT_FALSE(shop.receipt_of(placed.id).started);
}

/// Process ids of loaders that the town's provider runs: other towns may stand beside it.
std::vector<pid_t> loaders(Town& town) {
  const std::string parent =
      "PPid:\t" + std::to_string(town.process_of("provider").value_or(0)) + "\n";
  std::vector<pid_t> found;
  for (const pid_t process : process_ids()) {
    if (process_program(process) == town.program("sploader") &&
        process_text(process, "status").find(parent) != std::string::npos) {
      found.push_back(process);
    }
  }
  return found;
}

TEST_F(Drops, OfALoaderAreMadeGoodByAnother) {
  const Placed placed = shop.place({.argv = {"sleep", "1"}, .bought = true});
  wait_until([&] { return town.provider_broker->count("/v1/release") == 3; });
  const auto running = loaders(town);
  ASSERT_FALSE(running.empty());
  for (const pid_t pid : running) ::kill(pid, SIGKILL);
  shop.expect_settled(placed, Outcome::success);
  EXPECT_EQ(town.provider_broker->count("/v1/attest"), 2U) << "a session of its own";
}

TEST_F(Drops, OfTheProviderAreMadeGoodAfterItsRestart) {
  const Placed placed = shop.place({.argv = {"sleep", "1"}, .bought = true});
  wait_until([&] { return town.provider_broker->count("/v1/release") == 3; });
  const auto running = loaders(town);
  ASSERT_FALSE(running.empty());
  town.signal_provider(SIGKILL);
  town.stop_provider();
  for (const pid_t pid : running) {
    EXPECT_NE(process_program(pid), town.program("sploader")) << "a loader dies with its provider";
  }
  town.start_provider();
  shop.expect_settled(placed, Outcome::success);
}

// A store that takes the result and denies it: no success receipt.
TEST_F(Drops, OfTheResultAreNoSuccess) {
  const std::vector<HostileProxy::OnRequest> denials = {
      [](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
        if (request.method != "PUT") return std::nullopt;
        return net::text_response(201, "application/json", "{}");
      },
      [](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
        if (request.path != "/v1/receipts") return std::nullopt;
        return made_up_problem(404, "not_found", "no such package");
      }};
  for (const auto& deny : denials) {
    town.provider_store->on_request(deny);
    const Placed placed = shop.place({.bought = true});
    shop.expect_settled(placed, Outcome::provider);
    const api::Finish finish = shop.finish_of(placed.id);
    EXPECT_THAT(finish.failure, StartsWith("receipt: asking for a receipt of package "));
    EXPECT_THAT(finish.failure, HasSubstr("status 404: "));
    EXPECT_TRUE(finish.receipt->statement.started);
    EXPECT_TRUE(finish.receipt->statement.result.is_zero());
    EXPECT_EQ(finish.receipt->statement.opened, 0b0111U);
    town.behave();
  }
}

// An endpoint that leads the broker back in time is not believed.
TEST_F(Drops, OfTheNewestBlocksAreNoticed) {
  Impostor impostor(shop);
  town.stop_provider();
  const Placed placed = shop.place({.bought = true});
  const FakeSession session = impostor.attested(placed.id);
  const auto seen = town.broker_rpc->seen();
  const auto old = std::find_if(seen.begin(), seen.end(), [](const Exchange& exchange) {
    return as_text(exchange.request).find("eth_getBlockByNumber") != std::string_view::npos;
  });
  ASSERT_NE(old, seen.end());
  const std::string block(as_text(old->response));
  town.pass_time(100);
  EXPECT_EQ(words(impostor.attest(session.proof)), "ok") << "the broker sees the newer block";
  town.broker_rpc->on_response([&](const net::HttpRequest& request, net::HttpResponse& response) {
    if (as_text(request.body).find("eth_getBlockByNumber") == std::string_view::npos) return;
    const std::string_view now = as_text(response.body);
    // The old block under the id of the new question.
    const std::string id(
        now.substr(now.find("\"id\":"), now.find(',', now.find("\"id\":")) - now.find("\"id\":")));
    std::string told = block;
    const std::size_t at = told.find("\"id\":");
    told.replace(at, told.find(',', at) - at, id);
    response.body = to_bytes(as_bytes(told));
  });
  EXPECT_THAT(words(impostor.ask_key(session, 1)),
              StartsWith("unavailable: broker: the endpoint is behind: block "));
  town.behave();
  EXPECT_EQ(words(impostor.ask_key(session, 1)), "ok");
  town.start_provider();
}

}  // namespace
}  // namespace sp::hostile
