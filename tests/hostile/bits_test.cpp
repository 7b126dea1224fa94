// One bit flipped in all that passes between the real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "impostor.hpp"

namespace sp::hostile {
namespace {

using testing::StartsWith;

// Where the fields of a dev report begin (FORMATS.md section 3).
constexpr std::size_t kHardwareId = 6;
constexpr std::size_t kMeasurement = kHardwareId + 32;
constexpr std::size_t kReportData = kMeasurement + 48;
constexpr std::size_t kPublicKey = kReportData + 64;
constexpr std::size_t kSignature = kPublicKey + 64;

const std::string kNothing = "nothing to settle with: ";
const std::string kBroker = kNothing + "attestor: attest: the broker: ";
const std::string kKey = "the key of part 0 (arguments): ";
const std::string kRelease = kKey + "release: the broker: ";
const std::string kWrongSignature = "ECDSA signature doesn't verify with the P-256 key";
const std::string kNotAccepted = "the provider's action account hasn't accepted this session";

template <class Value>
using Change = std::function<void(Value&)>;

/// Changes the requests of one path, decoded.
template <class Value>
HostileProxy::OnRequest changed(const std::string& path, Change<Value> change) {
  return [path, change](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (request.path != path) return std::nullopt;
    Value value = must(Value::decode(request.body));
    change(value);
    request.body = value.encode();
    return std::nullopt;
  };
}

/// Flips a bit of the answers of paths that begin so.
HostileProxy::OnResponse flipped(const std::string& path,
                                 std::function<std::size_t(const Bytes&)> where) {
  return [path, where](const net::HttpRequest& request, net::HttpResponse& response) {
    if (!request.path.starts_with(path) || response.status != 200) return;
    response.body.at(where(response.body)) ^= 1;
  };
}

class Bits : public testing::Test {
 protected:
  void SetUp() override { shop.town().behave(); }
  void TearDown() override {
    shop.rest();
    town.behave();
  }

  Shop& shop = Shop::get();
  Town& town = shop.town();
  static std::string blob(const Digest32& digest) { return "/v1/blobs/" + digest.hex(); }
  bool was_put() {
    const auto all = town.provider_store->seen("/v1/blobs");
    return std::any_of(all.begin(), all.end(), [](const auto& e) { return e.method == "PUT"; });
  }
};

TEST_F(Bits, NoneFlippedPaysByTheRule) {
  const Placed placed = shop.place({.argv = {"exit", "0"}, .bought = true});
  shop.expect_settled(placed, api::Outcome::success);
}

// What is spoilt before the attestation: nothing starts, nothing can settle, the customer is whole.
TEST_F(Bits, BeforeTheAttestationEndInARefund) {
  struct Case {
    std::string name;
    std::function<void(HostileProxy&)> spoil;
    std::string words;
  };
  const auto proof = [](const Change<api::SessionProof>& change) {
    return [change](HostileProxy& proxy) {
      proxy.on_request(changed<api::SessionProof>("/v1/attest", change));
    };
  };
  const auto body = [&](std::size_t at) {
    return proof([at](api::SessionProof& p) { p.evidence.body.at(at) ^= 1; });
  };
  const auto answer = [](const std::string& path, std::size_t at) {
    return [path, at](HostileProxy& proxy) {
      proxy.on_response(flipped(path, [at](const Bytes& b) { return b.size() - 1 - at; }));
    };
  };
  const std::vector<Case> cases = {
      {"hardware id", body(kHardwareId), kBroker + kWrongSignature},
      {"measurement", body(kMeasurement), kBroker + kWrongSignature},
      {"report data", body(kReportData), kBroker + kWrongSignature},
      {"device's key", body(kPublicKey), kBroker + "the point isn't on P-256"},
      {"device's signature", body(kSignature), kBroker + kWrongSignature},
      {"kind of evidence", proof([](auto& p) { p.evidence.kind = attest::EvidenceKind::sev_snp; }),
       kBroker + "snp.report.size: expected 1184, actual 278"},
      {"acceptance", proof([](auto& p) { p.acceptance.data[3] ^= 1; }), kBroker + kNotAccepted},
      {"session", proof([](auto& p) { p.context.session.data[3] ^= 1; }), kBroker + kNotAccepted},
      {"session key", proof([](auto& p) { p.context.session_key.data[3] ^= 1; }),
       kBroker + "report data is "},
      {"nonce sent", proof([](auto& p) { p.context.nonces[0].data[3] ^= 1; }),
       kBroker + "the evidence holds no live nonce of this broker for the session"},
      {"order", proof([](auto& p) { p.context.order.data[3] ^= 1; }), kBroker + "no order 0x"},
      {"attempt", proof([](auto& p) { p.context.attempt ^= 1; }),
       kBroker + "the order is at attempt 0, the session is for attempt 1"},
      {"nonce got", answer("/v1/nonce", 0),
       kBroker + "the evidence holds no live nonce of this broker for the session"},
      {"attestation's signature", answer("/v1/attest", 10),
       kNothing + "attestation: secp256k1 signature: "},
      {"attestation's acceptance", answer("/v1/attest", 80),
       kNothing + "attestation: secp256k1 signature: "},
      {"attestation's time", answer("/v1/attest", 65 + 65),
       kNothing + "attestation: secp256k1 signature: "},
  };
  std::vector<Placed> placed;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    each.spoil(*town.provider_broker);
    placed.push_back(shop.place({.bought = true}));
    const Progress end = shop.wait(placed.back().id);
    EXPECT_EQ(end.state, "failed");
    EXPECT_THAT(end.failure, StartsWith(each.words));
    const api::Finish finish = shop.finish_of(placed.back().id);
    EXPECT_FALSE(finish.attestation);
    EXPECT_FALSE(finish.receipt);
    EXPECT_EQ(town.provider_broker->count("/v1/release"), 0U);
    EXPECT_EQ(town.provider_store->count("/"), 0U) << "nothing is fetched or stored";
    town.behave();
  }
  std::vector<const Placed*> all;
  for (const Placed& one : placed) all.push_back(&one);
  shop.expect_refund(all);
}

// What is spoilt after it is the provider's fault: it is paid nothing, and owes owners what opened.
TEST_F(Bits, AfterTheAttestationAreTheProvidersFault) {
  struct Case {
    std::string name;
    std::function<void()> spoil;
    bool started;
    std::string words;
  };
  HostileProxy& broker = *town.provider_broker;
  HostileProxy& store = *town.provider_store;
  const auto request = [&](const Change<api::ReleaseRequest>& change) {
    return [&broker, change] {
      broker.on_request(changed<api::ReleaseRequest>("/v1/release", change));
    };
  };
  const auto answer = [](HostileProxy& proxy, const std::string& path, std::size_t at) {
    return [&proxy, path, at] {
      proxy.on_response(flipped(path, [at](const Bytes& b) { return b.size() - 1 - at; }));
    };
  };
  const std::string manifest = blob(shop.sold_data().digest);
  const std::string other = blob(shop.sold_solution().digest);
  const std::vector<Case> cases = {
      {"evidence", request([](auto& r) { r.proof.evidence.body.at(kReportData) ^= 1; }), false,
       kRelease + kWrongSignature},
      {"acceptance", request([](auto& r) { r.proof.acceptance.data[0] ^= 1; }), false,
       kRelease + kNotAccepted},
      {"attestation", request([](auto& r) { r.attestation.signature.data[0] ^= 1; }), false,
       kRelease + "secp256k1 signature: "},
      {"attested chip", request([](auto& r) { r.attestation.statement.chip.data[0] ^= 1; }), false,
       kRelease + "secp256k1 signature: "},
      {"key request", request([](auto& r) { r.request.signature.data[0] ^= 1; }), false,
       kRelease + "secp256k1 signature: "},
      {"part", request([](auto& r) { r.request.statement.part ^= 1; }), false,
       kRelease + "secp256k1 signature: "},
      {"released key", answer(broker, "/v1/release", 65 + 3), false,
       kKey + "secp256k1 signature: "},
      {"release's signature", answer(broker, "/v1/release", 3), false,
       kKey + "secp256k1 signature: "},
      {"manifest", answer(store, manifest, 3), false, "part 2: package "},
      {"chunks",
       [&] {
         store.on_response([=](const net::HttpRequest& r, net::HttpResponse& response) {
           if (r.method == "GET" && r.path != manifest && r.path != other) response.body.at(9) ^= 1;
         });
       },
       false, "part 1: "},
      {"made-up refusal",
       [&] {
         broker.on_response([](const net::HttpRequest& r, net::HttpResponse& response) {
           if (r.path != "/v1/release") return;
           const auto asked = must(api::ReleaseRequest::decode(r.body));
           api::ReleaseAnswer refused;
           refused.refusal.emplace();
           refused.refusal->statement.run = asked.request.statement.run;
           response.body = refused.encode();
         });
       },
       false, kKey + "secp256k1 signature: "},
      {"storage receipt", answer(store, "/v1/receipts", 3), true,
       "secp256k1 signature: made by 0x"},
      {"storage receipt's time", answer(store, "/v1/receipts", 66), true,
       "the store or the relay failed: receipt: the store's receipt isn't about package "},
      {"result",
       [&] {
         store.on_request([](net::HttpRequest& r) -> std::optional<net::HttpResponse> {
           if (r.method == "PUT") r.body.at(r.body.size() / 2) ^= 1;
           return std::nullopt;
         });
       },
       true, "storing chunk 0: the store or the relay failed: put: storing blob "},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    each.spoil();
    const Placed placed = shop.place({.bought = true});
    shop.expect_settled(placed, api::Outcome::provider);
    const api::Finish finish = shop.finish_of(placed.id);
    ASSERT_TRUE(finish.receipt);
    EXPECT_THAT(finish.failure, StartsWith(each.words));
    EXPECT_EQ(finish.receipt->statement.started, each.started);
    EXPECT_TRUE(finish.receipt->statement.result.is_zero());
    EXPECT_EQ(was_put(), each.started);
    town.behave();
  }
}

// A lie about the settlement's transaction changes nothing of what the chain has.
TEST_F(Bits, InTheSettlementsReceiptDoNotUnsettle) {
  town.provider_rpc->on_response([](const net::HttpRequest& request, net::HttpResponse& response) {
    const std::string asked(as_text(request.body));
    if (asked.find("eth_getTransactionReceipt") == std::string::npos) return;
    Json answer = Json::parse(as_text(response.body));
    if (answer.is_object() && answer["result"].is_object()) answer["result"]["status"] = "0x0";
    response.body = to_bytes(as_bytes(answer.dump()));
  });
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, api::Outcome::success);
}

// What a lying endpoint shows the broker of an order doesn't hash to its id.
TEST_F(Bits, InTheChainsAnswersToTheBrokerRefuse) {
  town.broker_rpc->on_response([](const net::HttpRequest& request, net::HttpResponse& response) {
    if (as_text(request.body).find("eth_getLogs") == std::string_view::npos) return;
    Json answer = Json::parse(as_text(response.body));
    for (Json& log : answer["result"]) {
      std::string data = log["data"];
      data[2 + 64 * 12 + 63] ^= 1;  // within the terms' numbers
      log["data"] = data;
    }
    response.body = to_bytes(as_bytes(answer.dump()));
  });
  const Placed placed = shop.place();
  EXPECT_THAT(shop.wait(placed.id).failure,
              StartsWith(kBroker + "the endpoint's terms don't hash to the order's id"));
  town.behave();
  shop.expect_refund({&placed});
}

// The transaction that settles is spoilt on its way: the chain takes nothing of it.
TEST_F(Bits, InTheSettlementItselfSettleNothing) {
  town.provider_rpc->on_request([](net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    std::string body(as_text(request.body));
    const std::size_t at = body.find("eth_sendRawTransaction");
    if (at == std::string::npos) return std::nullopt;
    Json asked = Json::parse(body);
    std::string raw = asked["params"][0];
    raw[raw.size() - 140] ^= 1;
    asked["params"][0] = raw;
    request.body = to_bytes(as_bytes(asked.dump()));
    return std::nullopt;
  });
  const Placed placed = shop.place();
  const auto was_sent = [&] {
    const auto seen = town.provider_rpc->seen();
    return std::any_of(seen.begin(), seen.end(), [](const Exchange& one) {
      return as_text(one.request).find("eth_sendRawTransaction") != std::string_view::npos;
    });
  };
  const auto deadline = town.clock().monotonic() + std::chrono::seconds(20);
  while (!was_sent() && town.clock().monotonic() < deadline) {
    town.clock().sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(was_sent()) << shop.progress(placed.id).failure;
  EXPECT_EQ(shop.progress(placed.id).state, "finished");
  town.clock().sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(must(town.market().order(placed.id)).status, market::OrderStatus::open);
  // The receipt isn't given up: once the endpoint is honest, it is settled.
  town.behave();
  shop.expect_settled(placed, api::Outcome::success);
}

// The loader's receipt is what it signed, or nothing.
TEST_F(Bits, InTheSettledReceiptRevert) {
  Impostor impostor(shop);
  const Placed placed = shop.place({.bought = true});
  shop.expect_settled(placed, api::Outcome::success);
  const api::Finish finish = shop.finish_of(placed.id);
  // The same session's statements about an order that is still open.
  town.stop_provider();
  const Placed open = shop.place({.bought = true});
  const FakeSession session = impostor.attested(open.id);
  api::Receipt success = finish.receipt->statement;
  const auto good = impostor.sign(session, success);
  struct Case {
    std::string revert;
    std::function<void(api::Signed<api::Attestation>&, api::Signed<api::Receipt>&)> spoil;
  };
  const std::vector<Case> cases = {
      {"Market_BadSignature", [](auto&, auto& r) { r.signature.data[1] ^= 1; }},
      {"Market_BadSignature", [](auto&, auto& r) { r.statement.duration_ms ^= 1; }},
      {"Market_BadSignature", [](auto&, auto& r) { r.statement.commitment.data[0] ^= 1; }},
      {"Market_WrongOrder", [](auto&, auto& r) { r.statement.run.order.data[0] ^= 1; }},
      {"Market_BadSignature", [](auto& a, auto&) { a.signature.data[1] ^= 1; }},
      {"Market_BadSignature", [](auto& a, auto&) { a.statement.measurement.data[1] ^= 1; }},
      {"Market_WrongChip", [](auto& a, auto&) { a.statement.chip.data[1] ^= 1; }},
      {"Market_WrongOrder", [](auto& a, auto&) { a.statement.run.order.data[1] ^= 1; }},
      {"Market_WrongAttempt", [](auto& a, auto&) { a.statement.run.attempt ^= 1; }},
      {"Market_BadSignature", [](auto& a, auto&) { a.statement.acceptance.data[1] ^= 1; }},
  };
  const Books before = shop.books();
  for (const Case& each : cases) {
    auto attestation = session.attestation;
    auto receipt = good;
    each.spoil(attestation, receipt);
    const Status settled = impostor.settle(open.terms, attestation, receipt);
    EXPECT_EQ(words(settled), "refused: " + each.revert);
  }
  EXPECT_EQ(changes(before, shop.books()), Changes());
  EXPECT_EQ(words(impostor.settle(open.terms, session.attestation, good)), "ok");
  town.start_provider();
}

}  // namespace
}  // namespace sp::hostile
