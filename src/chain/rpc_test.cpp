#include "chain/rpc.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>

#include "chain/rpc_json.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "net/http.hpp"

namespace sp::chain {
namespace {

using testing::FakeClock;
using testing::FakeEndpoint;

const std::string kHash = "0x" + std::string(64, 'a');
const std::string kOther = "0x" + std::string(64, 'b');
const std::string kAddress = "0x" + std::string(40, 'c');

Json block_json() {
  return {{"number", "0x10"},
          {"hash", kHash},
          {"parentHash", kOther},
          {"timestamp", "0x64"},
          {"extra", {1, 2, 3}}};
}

Json log_json() {
  return {{"address", kAddress}, {"topics", Json::array({kHash})},
          {"data", "0x0102"},    {"blockNumber", "0x10"},
          {"blockHash", kHash},  {"transactionHash", kOther},
          {"logIndex", "0x0"},   {"removed", false}};
}

Json receipt_json() {
  return {{"transactionHash", kOther},
          {"status", "0x1"},
          {"blockNumber", "0x10"},
          {"blockHash", kHash},
          {"gasUsed", "0x5208"},
          {"contractAddress", nullptr},
          {"logs", Json::array({log_json()})}};
}

TxHash other_hash() { return *TxHash::from_hex(kOther); }

LogFilter filter() {
  return {*Address::from_hex(kAddress), {Digest32::from_hex(kHash).value()}, 0x10, 0x20};
}

TEST(RpcJson, QuantitiesHaveOneForm) {
  EXPECT_EQ(*quantity("0x0", "q"), 0U);
  EXPECT_EQ(*quantity("0xff", "q"), 255U);
  EXPECT_EQ(*quantity("0xffffffffffffffff", "q"), ~std::uint64_t{0});
  EXPECT_EQ(quantity_amount("0x" + std::string(32, 'f'), "q")->text(),
            "340282366920938463463374607431768211455");
  for (const Json& bad : {Json("0x"), Json("0x00"), Json("0x01"), Json("ff"), Json("0xg"), Json(""),
                          Json(5), Json(), Json("0x1 "), Json("-0x1"), Json::array({"0x1"}),
                          Json("0x10000000000000000"), Json("0x0x1")}) {
    const auto number = quantity(bad, "q");
    ASSERT_FALSE(number) << bad.dump();
    EXPECT_EQ(number.error().code, Errc::malformed) << bad.dump();
  }
  EXPECT_EQ(quantity_amount("0x1" + std::string(32, '0'), "q").error().code, Errc::too_large);
  EXPECT_EQ(quantity_text(std::uint64_t{0}), "0x0");
  EXPECT_EQ(quantity_text(std::uint64_t{0x1f0}), "0x1f0");
}

TEST(RpcJson, BlocksLogsReceipts) {
  const auto block = parse_block(block_json());
  ASSERT_TRUE(block);
  EXPECT_EQ(block->number, 16U);
  EXPECT_EQ(block->time, 100);
  EXPECT_EQ(block->hash.hex0x(), kHash);
  const auto receipt = parse_receipt(receipt_json(), other_hash());
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_TRUE(receipt->success);
  EXPECT_EQ(receipt->gas_used, 21000U);
  ASSERT_EQ(receipt->logs.size(), 1U);
  EXPECT_EQ(to_hex(receipt->logs[0].data), "0102");
  EXPECT_FALSE(receipt->contract);
}

// Every field taken away, and every field replaced by something that isn't it.
TEST(RpcJson, RefusesMissingAndBadFields) {
  const std::set<std::string> kQuantities{"number", "timestamp", "blockNumber", "logIndex",
                                          "gasUsed"};
  const auto refuses = [&](const Json& good, const std::vector<std::string>& fields,
                           const auto& parse) {
    for (const std::string& field : fields) {
      Json missing = good;
      missing.erase(field);
      EXPECT_FALSE(parse(missing)) << field;
      for (const Json& bad : {Json(nullptr), Json(7), Json("0x"), Json("0xzz"), Json("0x123"),
                              Json::object(), Json::array({1})}) {
        // Empty data is data, and 0x123 is a quantity.
        const bool valid =
            (field == "data" && bad == "0x") || (kQuantities.contains(field) && bad == "0x123");
        if (valid) continue;
        Json changed = good;
        changed[field] = bad;
        const auto parsed = parse(changed);
        ASSERT_FALSE(parsed) << field << bad.dump();
        EXPECT_EQ(parsed.error().code, Errc::malformed) << field << bad.dump();
      }
    }
  };
  refuses(block_json(), {"number", "hash", "parentHash", "timestamp"}, parse_block);
  refuses(log_json(),
          {"address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex"},
          parse_log);
  refuses(receipt_json(),
          {"transactionHash", "status", "blockNumber", "blockHash", "gasUsed", "logs"},
          [](const Json& json) { return parse_receipt(json, other_hash()); });
  EXPECT_FALSE(parse_receipt(receipt_json(), *TxHash::from_hex(kHash)));
  Json removed = log_json();
  removed["removed"] = true;
  EXPECT_FALSE(parse_log(removed));
  Json many = log_json();
  many["topics"] = Json::array({kHash, kHash, kHash, kHash, kHash});
  EXPECT_FALSE(parse_log(many));
}

TEST(RpcJson, LogsMustMatchTheFilter) {
  Json first = log_json();
  Json second = log_json();
  second["logIndex"] = "0x1";
  const auto sorted = parse_logs(Json::array({second, first}), filter());
  ASSERT_TRUE(sorted);
  EXPECT_EQ((*sorted)[0].index, 0U);
  EXPECT_EQ((*sorted)[1].index, 1U);
  const auto code = [](const Json& logs) { return parse_logs(logs, filter()).error().code; };
  EXPECT_EQ(code(Json::array({first, first})), Errc::malformed);
  second["blockHash"] = kOther;
  EXPECT_EQ(code(Json::array({first, second})), Errc::malformed);
  const std::pair<const char*, Json> changes[] = {{"address", "0x" + std::string(40, 'd')},
                                                  {"topics", Json::array({kOther})},
                                                  {"topics", Json::array()},
                                                  {"blockNumber", "0xf"},
                                                  {"blockNumber", "0x21"}};
  for (const auto& [field, value] : changes) {
    Json changed = log_json();
    changed[field] = value;
    EXPECT_EQ(code(Json::array({changed})), Errc::malformed) << field;
  }
  EXPECT_EQ(code(Json::object()), Errc::malformed);
  EXPECT_EQ(code(Json(kRpcLogsMax + 1, Json())), Errc::too_large);
}

TEST(RpcJson, AnswersAndErrors) {
  const Json good = {{"jsonrpc", "2.0"}, {"id", 5}, {"result", "0x1"}};
  EXPECT_EQ(*parse_answer(good, 5, "m"), "0x1");
  EXPECT_EQ(parse_answer(good, 6, "m").error().code, Errc::malformed);
  EXPECT_EQ(parse_answer({{"jsonrpc", "2.0"}, {"id", 5}}, 5, "m").error().code, Errc::malformed);
  EXPECT_EQ(parse_answer({{"id", 5}, {"result", 1}}, 5, "m").error().code, Errc::malformed);
  EXPECT_EQ(parse_answer(Json::array(), 5, "m").error().code, Errc::malformed);
  Json bad = {{"jsonrpc", "2.0"},
              {"id", 5},
              {"error", {{"code", 3}, {"message", "execution reverted"}, {"data", "0xdeadbeef"}}}};
  const auto refused = parse_answer(bad, 5, "eth_call");
  EXPECT_EQ(refused.error(),
            (Error{Errc::refused, "eth_call: execution reverted (3), data 0xdeadbeef"}));
  EXPECT_EQ(to_hex(*revert_data(refused.error())), "deadbeef");
  bad["error"]["message"] = std::string(100'000, 'x') + "\n\x01";
  bad["error"].erase("data");
  const auto wordy = parse_answer(bad, 5, "m");
  EXPECT_LT(wordy.error().message.size(), kRpcWordsMax + 50);
  EXPECT_FALSE(revert_data(wordy.error()));
  bad["error"]["message"] = "line\nbreak\x1b[2J";
  EXPECT_EQ(parse_answer(bad, 5, "m").error().message, "m: line?break?[2J (3)");
  bad["error"]["data"] = "0x" + std::string(2 * kRpcRevertDataMax + 2, '0');
  EXPECT_FALSE(revert_data(parse_answer(bad, 5, "m").error()));
}

TEST(Chain, ChecksWhatTheEndpointSays) {
  Json answer;
  FakeEndpoint endpoint([&](const std::string&, const Json&) -> Result<Json> { return answer; });
  Chain chain(endpoint);
  answer = nullptr;
  EXPECT_EQ(chain.block({5}).error().code, Errc::not_found);
  EXPECT_FALSE(*chain.receipt(other_hash()));
  EXPECT_EQ(chain.chain_id().error().code, Errc::malformed);
  answer = block_json();
  EXPECT_EQ(chain.block({5}).error().code, Errc::malformed);
  EXPECT_TRUE(chain.block({16}));
  EXPECT_TRUE(chain.block());
  EXPECT_EQ(chain.suggest_fees().error().code, Errc::unsupported);
  answer = kHash;
  EXPECT_EQ(chain.send_raw(as_bytes("transaction")).error().code, Errc::mismatch);
  answer = {{"blockHash", nullptr}};
  EXPECT_FALSE(*chain.receipt(other_hash()));
}

TEST(Chain, FeesAreTwiceTheBaseAndTheTip) {
  std::optional<Json> tip;
  FakeEndpoint endpoint([&](const std::string& method, const Json&) -> Result<Json> {
    if (method == "eth_getBlockByNumber") return Json{{"baseFeePerGas", "0x64"}};
    if (tip) return *tip;
    return Error{Errc::refused, "no such method"};
  });
  Chain chain(endpoint);
  EXPECT_EQ(chain.suggest_fees()->max_fee_per_gas, Amount(200 + kTipDefault));
  tip = "0x7";
  EXPECT_EQ(chain.suggest_fees()->max_fee_per_gas, Amount(207));
  EXPECT_EQ(chain.suggest_fees()->max_priority_fee_per_gas, Amount(7));
  tip = "0x" + std::string(32, 'f');
  EXPECT_EQ(chain.suggest_fees().error().code, Errc::too_large);
}

// A JSON-RPC server whose answers a test writes.
class HttpEndpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = net::HttpServer::start({}, [this](const net::HttpRequest& request) {
      ++calls;
      return answer(Json::parse(as_text(request.body)));
    });
    ASSERT_TRUE(started);
    server = std::move(*started);
    endpoint = http_endpoint("http://127.0.0.1:" + std::to_string(server->port()), clock);
  }
  static net::HttpResponse json(const Json& body, unsigned status = 200) {
    return net::text_response(status, "application/json", body.dump());
  }

  std::function<net::HttpResponse(const Json&)> answer;
  std::atomic<int> calls = 0;
  FakeClock clock;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<RpcEndpoint> endpoint;
};

TEST_F(HttpEndpointTest, RetriesWhatMayPass) {
  answer = [this](const Json& request) {
    if (calls == 1) return net::HttpResponse{503, {}, {}};
    if (calls == 2) return net::HttpResponse{429, {}, {}};
    return json({{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", request["method"]}});
  };
  EXPECT_EQ(*endpoint->call("eth_x", Json::array()), "eth_x");
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(clock.monotonic(), 3 * kRpcPauseFirst);
  answer = [](const Json&) { return net::HttpResponse{502, {}, {}}; };
  calls = 0;
  EXPECT_EQ(endpoint->call("eth_x", Json::array()).error().code, Errc::unavailable);
  EXPECT_EQ(calls, kRpcTriesMax);
  server.reset();
  EXPECT_EQ(endpoint->call("eth_x", Json::array()).error().code, Errc::unavailable);
}

TEST_F(HttpEndpointTest, DoesntRetryAnAnswer) {
  answer = [](const Json& request) {
    return json({{"jsonrpc", "2.0"}, {"id", request["id"]}, {"error", {{"message", "no"}}}});
  };
  EXPECT_EQ(endpoint->call("eth_x", Json::array()).error(), (Error{Errc::refused, "eth_x: no"}));
  answer = [](const Json&) { return net::text_response(200, "text/html", "<html>"); };
  EXPECT_EQ(endpoint->call("eth_x", Json::array()).error().code, Errc::malformed);
  answer = [](const Json&) { return net::text_response(404, "text/html", "<html>"); };
  EXPECT_EQ(endpoint->call("eth_x", Json::array()).error().code, Errc::refused);
  EXPECT_EQ(calls, 3);
}

TEST_F(HttpEndpointTest, TooManyRequestsIsLaterAndWaitsAsLongAsAsked) {
  const auto busy = [](const Json& request, int code, const std::string& words, unsigned status) {
    return json({{"jsonrpc", "2.0"},
                 {"id", request["id"]},
                 {"error", {{"code", code}, {"message", words}}}},
                status);
  };
  answer = [&](const Json& request) { return busy(request, -32005, "daily limit", 200); };
  EXPECT_EQ(endpoint->call("eth_call", Json::array()).error(),
            (Error{Errc::unavailable, "eth_call: daily limit (-32005)"}));
  // Asking later doesn't make an answer smaller.
  answer = [&](const Json& request) {
    return busy(request, -32005, "query returned more than 10000 results", 200);
  };
  EXPECT_EQ(endpoint->call("eth_getLogs", Json::array()).error().code, Errc::refused);
  calls = 0;
  answer = [&](const Json& request) {
    auto response = busy(request, -32000, "slow down", 429);
    response.headers["retry-after"] = calls == 1 ? "1" : "86400";
    return response;
  };
  const auto before = clock.monotonic();
  EXPECT_EQ(endpoint->call("eth_call", Json::array()).error(),
            (Error{Errc::unavailable, "the RPC endpoint answers with HTTP status 429"}));
  EXPECT_EQ(calls, kRpcTriesMax);
  EXPECT_EQ(clock.monotonic() - before,
            std::chrono::seconds(1) + (kRpcTriesMax - 2) * kRpcRetryAfterMax);
}

TEST_F(HttpEndpointTest, BatchesMayBeAnsweredInAnyOrder) {
  answer = [](const Json& batch) {
    Json answers = Json::array();
    for (const Json& request : batch) {
      answers.insert(
          answers.begin(),
          Json{{"jsonrpc", "2.0"}, {"id", request["id"]}, {"result", request["params"][0]}});
    }
    answers.erase(answers.begin());  // the last one's answer is missing
    return json(answers);
  };
  const auto results = endpoint->call_many({"a", "b", "c"}, Json::array({{1}, {2}, {3}}));
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(*results[0], 1);
  EXPECT_EQ(*results[1], 2);
  EXPECT_EQ(results[2].error().code, Errc::malformed);
  answer = [](const Json&) {
    return json({{"jsonrpc", "2.0"}, {"id", nullptr}, {"error", {{"message", "no batches"}}}}, 400);
  };
  for (const auto& result : endpoint->call_many({"a", "b"}, Json::array({{1}, {2}}))) {
    EXPECT_EQ(result.error().code, Errc::refused);
  }
}

}  // namespace
}  // namespace sp::chain
