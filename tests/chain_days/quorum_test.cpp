// Broker and provider ask three endpoints and believe what two agree on; the third one lies, is
// late, is behind or isn't there. Honest orders complete, invented ones get nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "days.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using api::Outcome;
using std::chrono::milliseconds;

/// May change what a method of the chain answers.
using Lie = std::function<void(const std::string& method, const Json& params, Json& result)>;

class Quorum : public Days {
 protected:
  void SetUp() override {
    Days::SetUp();
    const std::string& honest = town.network().rpc;
    for (const char* name : {"broker", "provider"}) {
      town.reconfigure(name, [&](Json& json) {
        before_[name] = json["markets"][0]["rpc"];
        json["markets"][0]["rpc"] = {{"urls", {honest, second.url(), liar.url()}}, {"agree", 2}};
      });
    }
  }
  void TearDown() override {
    liar.behave();
    Days::TearDown();
    for (const char* name : {"broker", "provider"}) {
      town.reconfigure(name, [&](Json& json) { json["markets"][0]["rpc"] = before_[name]; });
    }
  }

  void on_question(const HostileProxy::OnRequest& how) {
    asked_ = 0;
    liar.on_request([this, how](net::HttpRequest& request) {
      ++asked_;
      return how(request);
    });
  }
  void lie(const Lie& how) {
    on_question([](net::HttpRequest&) { return std::optional<net::HttpResponse>(); });
    liar.on_response([how](const net::HttpRequest& request, net::HttpResponse& response) {
      const auto asked = parse_json(as_text(request.body), 1 << 24);
      auto said = parse_json(as_text(response.body), 1 << 24);
      if (!asked || !said) return;
      const auto change = [&](const Json& question, Json& answer) {
        if (!answer.contains("result")) return;
        how(question["method"], question["params"], answer["result"]);
      };
      if (asked->is_array()) {
        for (std::size_t i = 0; i < asked->size(); ++i) change((*asked)[i], (*said)[i]);
      } else {
        change(*asked, *said);
      }
      response.body = to_bytes(as_bytes(said->dump()));
    });
  }
  void expect_one_order(const std::string& what) {
    SCOPED_TRACE(what);
    const auto begin = town.clock().monotonic();
    shop.expect_settled(shop.place({.bought = true}), Outcome::success);
    const auto took = town.clock().monotonic() - begin;
    // It may still wait as long as it was told before, and be asked when the order is over.
    wait_until([&] { return asked_ > 0; }, "a question to the liar");
    liar.behave();
    std::printf("%s: %ld ms\n", what.c_str(), static_cast<long>(took.count() / 1'000'000));
  }

  HostileProxy second{town.network().rpc};
  HostileProxy liar{town.network().rpc};

 private:
  std::map<std::string, Json> before_;
  std::atomic<int> asked_ = 0;
};

TEST_F(Quorum, OneLiarOfThreeChangesNothing) {
  lie([](const std::string& method, const Json&, Json& result) {
    if (method == "eth_getLogs") result = Json::array();
  });
  expect_one_order("hides orders");
  lie([](const std::string& method, const Json&, Json& result) {
    if (method != "eth_getBlockByNumber" || !result.is_object()) return;
    result["timestamp"] = "0xffffffff";
  });
  expect_one_order("lies about time");
  lie([](const std::string& method, const Json&, Json& result) {
    if (method == "eth_getTransactionReceipt" && result.is_object()) result["status"] = "0x0";
  });
  expect_one_order("lies about receipts");
  lie([](const std::string& method, const Json&, Json& result) {
    if (method != "eth_call") return;
    result = "0x" + std::string(result.get<std::string>().size() - 2, '0');
  });
  expect_one_order("lies about state");
  std::mutex mutex;
  Json old;
  lie([&](const std::string& method, const Json& params, Json& result) {
    if (method != "eth_getBlockByNumber" || params[0] != "latest") return;
    const std::lock_guard lock(mutex);
    if (old.is_null()) old = result;
    result = old;
  });
  expect_one_order("is behind");
  lie([](const std::string& method, const Json&, Json& result) {
    if (method == "eth_getBlockByNumber" && result.is_object()) result["number"] = "0xffffffff";
  });
  expect_one_order("is far ahead");
  on_question([](net::HttpRequest&) -> std::optional<net::HttpResponse> {
    net::HttpResponse busy{429, {}, {}};
    busy.headers["retry-after"] = "60";
    return busy;
  });
  expect_one_order("answers 429");
  on_question([this](net::HttpRequest&) -> std::optional<net::HttpResponse> {
    town.clock().sleep_for(milliseconds(2'500));
    return std::nullopt;
  });
  expect_one_order("answers late");
}

// The liar goes on telling of an order that the chain has dropped, and of its state.
TEST_F(Quorum, NothingIsReleasedForAnInventedOrder) {
  std::mutex mutex;
  std::map<std::string, Json> told;  // by method and what it asks for
  std::vector<Json> logs;
  std::string id;
  bool inventing = false;
  lie([&](const std::string& method, const Json& params, Json& result) {
    const std::lock_guard lock(mutex);
    const bool of_logs = method == "eth_getLogs";
    if (of_logs && result.is_array() && !inventing) {
      for (const Json& entry : result) {
        if (!id.empty() && entry.dump().find(id) != std::string::npos) logs = {entry};
      }
    }
    if (of_logs && inventing) result = logs;
    const bool of_order =
        method == "eth_call" && !id.empty() && params.dump().find(id) != std::string::npos;
    if (!of_order) return;
    const std::string key = params[0].dump();
    if (!inventing) told[key] = result;
    if (inventing && told.contains(key)) result = told[key];
  });
  mine(kApart);
  Impostor impostor(shop);
  town.stop_provider();
  const api::Terms terms = shop.agree({.bought = true});
  {
    const std::lock_guard lock(mutex);
    id = terms.order_id(town.network().market).hex();
  }
  const Placed placed = shop.create(terms);
  const std::string creation = creation_of(placed);
  const FakeSession session = impostor.attested(placed.id);  // the broker saw it: so did the liar
  EXPECT_EQ(words(impostor.ask_key(session, 1)), "ok");
  reorganise(1);
  {
    const std::lock_guard lock(mutex);
    inventing = true;
    EXPECT_FALSE(logs.empty());
    EXPECT_FALSE(told.empty());
  }
  const auto refused = impostor.ask_key(session, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::not_found) << refused.error().message;
  EXPECT_FALSE(impostor.attest(session.proof).ok());
  town.start_provider();
  town.clock().sleep_for(milliseconds(1'500));
  EXPECT_EQ(shop.progress(placed.id).state, "unknown") << "the provider never took it";
  {
    const std::lock_guard lock(mutex);
    inventing = false;
  }
  send_raw(creation);
  shop.expect_settled(placed, Outcome::success);
}

}  // namespace
}  // namespace sp::hostile
