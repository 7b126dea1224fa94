// Bits flipped on the customer's own roads: spctl refuses, says why, and pays nothing that it
// needn't.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/testing/must.hpp"
#include "orders.hpp"

namespace sp::hostile {
namespace {

using testing::HasSubstr;

class Client : public testing::Test {
 protected:
  void SetUp() override { town.behave(); }
  void TearDown() override { town.behave(); }

  CommandOutput run(const std::string& out) {
    return town.spctl(
        {"run", town.image().string(), "--out", (town.work() / out).string(), "--", "exit", "0"});
  }
  static HostileProxy::OnResponse flip(const std::string& method, const std::string& path,
                                       std::size_t from_end) {
    return [=](const net::HttpRequest& request, net::HttpResponse& response) {
      if (request.method != method || !request.path.starts_with(path)) return;
      if (response.status == 200) response.body.at(response.body.size() - 1 - from_end) ^= 1;
    };
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
};

// Before the order is created, nothing is paid.
TEST_F(Client, FlippedBeforeTheOrderPaysNothing) {
  struct Case {
    std::string name;
    std::function<void()> spoil;
    std::string words;
  };
  const auto broker = [&](std::size_t from_end) {
    return [this, from_end] {
      town.client_broker->on_response(flip("GET", "/v1/identity", from_end));
    };
  };
  const std::vector<Case> cases = {
      {"broker's evidence", broker(8), "ECDSA signature doesn't verify with the P-256 key"},
      {"broker's key",
       [&] {
         town.client_broker->on_response([](const net::HttpRequest& r, net::HttpResponse& answer) {
           if (r.path == "/v1/identity") answer.body.at(3) ^= 1;
         });
       },
       "report data is "},
      {"deposit",
       [&] {
         town.client_broker->on_request(
             [](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
               if (request.path == "/v1/deposits") request.body.at(request.body.size() - 20) ^= 1;
               return std::nullopt;
             });
       },
       "secp256k1 signature: "},
      {"upload",
       [&] {
         town.client_store->on_request(
             [](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
               if (request.method == "PUT") request.body.at(40) ^= 1;
               return std::nullopt;
             });
       },
       "secp256k1 signature: "},
  };
  const Books before = shop.books();
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    each.spoil();
    const CommandOutput ran = run("flipped-" + std::to_string(&each - cases.data()));
    EXPECT_NE(ran.end.exit_code, 0);
    EXPECT_THAT(ran.text, HasSubstr(each.words));
    town.behave();
  }
  EXPECT_EQ(changes(before, shop.books()), Changes());
}

// Behind the settlement the customer isn't shown anything that isn't what the receipt says.
TEST_F(Client, AFlippedResultOrProofIsNotBelieved) {
  town.client_store->on_response(flip("GET", "/v1/blobs", 3));
  const CommandOutput result = run("spoilt-result");
  EXPECT_NE(result.end.exit_code, 0);
  EXPECT_THAT(result.text, HasSubstr("the store gave other bytes for blob "));
  EXPECT_FALSE(std::filesystem::exists(town.work() / "spoilt-result"));
  town.behave();
  town.client_provider->on_response(
      [](const net::HttpRequest& request, net::HttpResponse& response) {
        if (!request.path.ends_with("/finish") || response.status != 200) return;
        auto finish = must(api::Finish::decode(response.body));
        finish.receipt->signature.data[0] ^= 1;
        response.body = finish.encode();
      });
  const CommandOutput proof = run("spoilt-proof");
  EXPECT_NE(proof.end.exit_code, 0);
  EXPECT_THAT(proof.text, HasSubstr("the proof of this order fails"));
}

// What a provider's page says is free to say: it may end an order that has cost nothing, and none
// that runs, since the customer pays for a cancel of that.
TEST_F(Client, AProvidersPageCancelsNoOrderThatRuns) {
  std::atomic<bool> runs = false;
  town.client_provider->on_response(
      [&](const net::HttpRequest& request, net::HttpResponse& response) {
        if (!request.path.starts_with("/v1/orders/") || request.path.ends_with("/finish")) return;
        runs = runs || as_text(response.body).find(R"("stage":"running)") != std::string_view::npos;
        if (runs)
          response.body = to_bytes(as_bytes(R"({"state":"failed","failure":"disk broken"})"));
      });
  const CommandOutput ran =
      town.spctl({"run", town.image().string(), "--out", (town.work() / "told-failed").string(),
                  "--", "sleep", "4"});
  EXPECT_EQ(ran.end.exit_code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("says that it gave the order up (disk broken)"));
  EXPECT_THAT(ran.text, HasSubstr("settled: success"));
}

TEST_F(Client, AProvidersPageEndsAnOrderThatCostNothing) {
  town.signal_provider(SIGSTOP);
  town.client_provider->on_request([](net::HttpRequest&) {
    return std::optional(
        net::text_response(200, "application/json", R"({"state":"failed","failure":"no disk"})"));
  });
  const api::Compute offer = shop.compute();
  const CommandOutput ran =
      town.spctl({"run", town.image().string(), "--compute", offer.offer_id().hex0x(), "--time",
                  "1", "--", "exit", "0"});
  town.signal_provider(SIGCONT);
  EXPECT_NE(ran.end.exit_code, 0);
  EXPECT_THAT(ran.text, HasSubstr("the provider says: no disk; the order is cancelled"));
  const std::string id = ran.text.substr(ran.text.find("created: order 0x") + 15, 66);
  town.pass_time(std::int64_t{offer.min_settle_window} + offer.min_claim_window + 2);
  const CommandOutput closed = town.spctl({"orders", "close", id});
  EXPECT_EQ(closed.end.exit_code, 0) << closed.text;
}

// A chain endpoint that shows other terms in the market's log: the order's id says no.
TEST_F(Client, AFlippedEventIsNotBelieved) {
  town.client_rpc->on_response([](const net::HttpRequest& request, net::HttpResponse& response) {
    if (as_text(request.body).find("eth_getLogs") == std::string_view::npos) return;
    Json answer = Json::parse(as_text(response.body));
    for (Json& log : answer["result"]) {
      std::string data = log["data"];
      data[2 + 64 * 8 + 63] ^= 1;
      log["data"] = data;
    }
    response.body = to_bytes(as_bytes(answer.dump()));
  });
  const Books before = shop.books();
  const CommandOutput ran = run("flipped-event");
  EXPECT_NE(ran.end.exit_code, 0);
  EXPECT_THAT(ran.text, HasSubstr("the offer doesn't hash to its id"));
  EXPECT_EQ(changes(before, shop.books()), Changes());
}

}  // namespace
}  // namespace sp::hostile
