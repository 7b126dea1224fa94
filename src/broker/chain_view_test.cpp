#include "broker/chain_view.hpp"

#include <atomic>
#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "broker/testing/broker_fixture.hpp"
#include "chain/log_search.hpp"
#include "chain/quorum.hpp"
#include "chain/testing/fake_node.hpp"

namespace sp::broker {
namespace {

using chain::AbiType;
using chain::AbiValue;
using chain::testing::FakeNode;
using std::chrono::milliseconds;

Json encoded(std::string_view type, const std::vector<AbiValue>& values) {
  const auto parsed = AbiType::parse(type);
  return to_hex0x(chain::abi_encode(parsed.value(), values).value());
}

Json word(const Address& address) { return "0x" + std::string(24, '0') + address.hex(); }

// The market as one node shows it: one order, created in block 7, and offers of all its parts.
struct FakeMarket {
  explicit FakeMarket(const OrderFacts& truth) : facts(truth) {
    node.lie([this](const std::string& method, const Json& params) {
      if (down) return std::optional(Result<Json>(Error{Errc::unavailable, "down"}));
      if (method == "eth_call") return std::optional(answer(params));
      if (method == "eth_getLogs") return std::optional(Result<Json>(created()));
      return std::optional<Result<Json>>();
    });
  }

  static bool asks(const Json& params, std::string_view signature) {
    const std::string data = params[0]["data"];
    return data.starts_with("0x" + chain::abi_selector(signature).hex());
  }

  /// Errors where it can't say, a word of nonsense where it says what can't be read.
  Result<Json> answer(const Json& params) {
    if (!asks(params, "offer(bytes32)")) {
      if (silent_of_orders && asks(params, "order(bytes32)")) return refusal();
      return read(params);
    }
    const std::string id = params[0]["data"];
    const bool told = !only_offer || id.ends_with(only_offer->hex());
    if (told) return read(params);
    return nonsense ? Result<Json>(Json("0x01")) : refusal();
  }
  static Result<Json> refusal() { return Error{Errc::refused, "not this one"}; }

  Json read(const Json& params) const {
    const auto is = [&](std::string_view signature) { return asks(params, signature); };
    // What only the newest block shows isn't in older ones.
    const bool newest = params[1] == "latest";
    if (is("registry()")) return word(filled<Address>(0xbb));
    if (is("providerOf(address)")) {
      return encoded("(address,address,address)",
                     {AbiValue::address(facts.action), AbiValue::address(filled<Address>(1)),
                      AbiValue::address(filled<Address>(2))});
    }
    if (is("offer(bytes32)")) {
      const bool disabled = disabled_offers || (newest && disabled_in_newest);
      return encoded("(address,bool,uint32)", {AbiValue::address(filled<Address>(9)),
                                               AbiValue::boolean(!disabled), AbiValue::number(0)});
    }
    EXPECT_TRUE(is("order(bytes32)")) << params[0]["data"];
    const std::uint64_t at = cancelled || (newest && cancelled_in_newest) ? 1005 : 0;
    return encoded(
        "(uint128,uint8,uint40,uint40,uint16,uint24)",
        {AbiValue::number(1), AbiValue::number(static_cast<std::uint64_t>(status.load())),
         AbiValue::number(1000), AbiValue::number(at), AbiValue::number(0), AbiValue::number(0)});
  }

  Json created() const {
    const api::OrderId id = facts.terms.order_id(facts.market);
    Json log = FakeNode::log(7, "main");
    log["address"] = facts.market.contract.hex0x();
    log["topics"] = Json::array({market::order_created_topic().hex0x(), id.hex0x(),
                                 word(facts.terms.customer), word(filled<Address>(9))});
    log["data"] = encoded("(" + market::kTermsAbi + ",bytes)",
                          {market::to_abi(facts.terms), AbiValue::bytes({})});
    return Json::array({log});
  }

  const OrderFacts facts;
  std::atomic<bool> cancelled = false;
  std::atomic<bool> cancelled_in_newest = false;  // and not yet in the agreed block
  std::atomic<bool> disabled_offers = false;
  std::atomic<bool> disabled_in_newest = false;
  std::atomic<bool> down = false;
  std::atomic<bool> silent_of_orders = false;
  std::atomic<bool> nonsense = false;
  std::optional<api::OfferId> only_offer;  // that it answers for; set while nobody asks
  std::atomic<market::OrderStatus> status = market::OrderStatus::open;
  FakeNode node{30};
};

// The broker of the fixture, with a chain seen through two of three endpoints.
class QuorumViewTest : public BrokerTest {
 protected:
  QuorumViewTest() {
    view_.facts_now.terms.choices[0].provider = filled<Address>(9);
    std::vector<std::unique_ptr<chain::RpcEndpoint>> endpoints;
    for (int i = 0; i < 3; ++i) {
      markets_.push_back(std::make_unique<FakeMarket>(view_.facts_now));
      endpoints.push_back(markets_.back()->node.endpoint());
    }
    quorum_ =
        chain::quorum_endpoint(std::move(endpoints), 2, {milliseconds(20'000), kWitness, kWitness});
    chain_.emplace(*quorum_);
    client_.emplace(*chain_, view_.facts_now.market);
    EXPECT_TRUE(client_->registry().ok());
    std::vector<market::MarketClient*> witnesses;
    for (std::size_t i = 0; i < 3; ++i) {
      witness_chains_.push_back(std::make_unique<chain::Chain>(quorum_->member(i)));
      witness_clients_.push_back(
          std::make_unique<market::MarketClient>(*witness_chains_[i], view_.facts_now.market));
      witnesses.push_back(witness_clients_[i].get());
    }
    market_view_.emplace(*client_, files_, MarketView::Options{0, folder_ / "checkpoint"},
                         witnesses);
    broker_.emplace(keys_, *market_view_, *vault_, prover_, clock_, random_,
                    Broker::Options{accepting()});
  }
  ~QuorumViewTest() override {
    for (const auto& market : markets_) market->node.hang(false);
  }

  OrderFacts seen() {
    auto facts = market_view_->facts(view_.facts_now.terms.order_id(view_.facts_now.market));
    EXPECT_TRUE(facts.ok()) << facts.error().message;
    return facts ? std::move(*facts) : OrderFacts{};
  }
  /// The code of a release's refusal; empty where the key is given.
  std::optional<Errc> release(const api::ReleaseRequest& asked) {
    const auto answer = broker_->release(asked);
    if (!answer) return answer.error().code;
    return answer->refusal ? std::optional(Errc::refused) : std::nullopt;
  }

  static constexpr milliseconds kWitness{300};
  std::vector<std::unique_ptr<FakeMarket>> markets_;
  std::unique_ptr<chain::QuorumEndpoint> quorum_;
  std::optional<chain::Chain> chain_;
  std::optional<market::MarketClient> client_;
  std::vector<std::unique_ptr<chain::Chain>> witness_chains_;
  std::vector<std::unique_ptr<market::MarketClient>> witness_clients_;
  std::optional<MarketView> market_view_;
};

TEST_F(QuorumViewTest, SoundEndpointsPermit) {
  const OrderFacts facts = seen();
  EXPECT_EQ(facts.terms.order_id(facts.market),
            view_.facts_now.terms.order_id(view_.facts_now.market));
  EXPECT_EQ(facts.confirmations, 30U - 7U);
  EXPECT_EQ(facts.created_at, 1000);
  EXPECT_EQ(facts.now, 1029);
  EXPECT_EQ(facts.action, action_.address());
  EXPECT_FALSE(facts.cancelled || facts.ended);
  EXPECT_EQ(facts.part_enabled, std::vector<bool>(4, true));
}

// Who asks a broker may make up ids for nothing.
TEST_F(QuorumViewTest, AnOrderThatIsntThereIsSearchedForInNoBlocks) {
  for (const auto& market : markets_) {
    market->status = market::OrderStatus::none;
    market->node.grow(chain::kSearchBlocksMax, "main");
  }
  EXPECT_EQ(market_view_->facts(filled<api::OrderId>(0x77)).error().code, Errc::not_found);
  for (const auto& market : markets_) {
    EXPECT_FALSE(market->node.asked("eth_call").empty());
    EXPECT_TRUE(market->node.asked("eth_getLogs").empty());
  }
}

TEST_F(QuorumViewTest, OneThatSpeaksOfACancelBlocksTheRelease) {
  const auto asked = request(proof());
  for (const auto& market : markets_) {
    market->cancelled_in_newest = true;
    EXPECT_EQ(release(asked), Errc::conflict);
    EXPECT_TRUE(seen().cancelled);
    market->cancelled_in_newest = false;
    market->cancelled = true;  // of every block
    EXPECT_EQ(release(asked), Errc::conflict);
    market->cancelled = false;
    market->status = market::OrderStatus::settled;
    EXPECT_EQ(release(asked), Errc::conflict);
    EXPECT_TRUE(seen().ended);
    market->status = market::OrderStatus::open;
  }
  EXPECT_EQ(release(asked), std::nullopt);
}

TEST_F(QuorumViewTest, OneThatHidesACancelAllowsNothing) {
  const auto asked = request(proof());
  for (const auto& hiding : markets_) {
    for (const auto& market : markets_) market->cancelled = market != hiding;
    EXPECT_EQ(release(asked), Errc::conflict);
    // The cancel is in a block that only one sound endpoint has yet.
    for (const auto& market : markets_) market->cancelled = false;
    const auto& sound = markets_[hiding == markets_[0] ? 1 : 0];
    sound->cancelled_in_newest = true;
    EXPECT_EQ(release(asked), Errc::conflict);
    sound->cancelled_in_newest = false;
  }
  EXPECT_EQ(release(asked), std::nullopt);
}

TEST_F(QuorumViewTest, OneThatSpeaksOfADisabledOfferBlocksTheRelease) {
  const auto asked = request(proof());
  for (const auto& market : markets_) {
    market->disabled_in_newest = true;
    EXPECT_EQ(seen().part_enabled, std::vector<bool>(4, false));
    EXPECT_EQ(release(asked), Errc::conflict);
    market->disabled_in_newest = false;
    market->disabled_offers = true;
    EXPECT_EQ(release(asked), Errc::conflict);
    market->disabled_offers = false;
  }
  EXPECT_EQ(release(asked), std::nullopt);
}

TEST_F(QuorumViewTest, OneThatDoesntKnowTheOrderIsNoWitness) {
  markets_[1]->status = market::OrderStatus::none;
  EXPECT_FALSE(seen().ended);
  EXPECT_EQ(release(request(proof())), std::nullopt);
}

TEST_F(QuorumViewTest, OneThatDoesntAnswerIsNoWitness) {
  const auto asked = request(proof());
  markets_[2]->down = true;
  EXPECT_EQ(release(asked), std::nullopt);
  markets_[2]->down = false;
  markets_[0]->node.hang(true);
  EXPECT_EQ(release(asked), std::nullopt);
  // The others still forbid.
  markets_[1]->cancelled_in_newest = true;
  EXPECT_EQ(release(asked), Errc::conflict);
}

// One that says an offer is disabled is heard, whatever else it can't say.
TEST_F(QuorumViewTest, OneThatAnswersInPartIsHeardForThatPart) {
  const auto asked = request(proof());
  const std::vector<api::Part>& parts = view_.facts_now.terms.parts;
  for (const auto& market : markets_) {
    market->disabled_in_newest = true;
    for (const bool nonsense : {false, true}) {
      market->nonsense = nonsense;
      for (std::size_t part = 0; part < parts.size(); ++part) {
        market->only_offer = parts[part].offer_id();
        for (const bool silent : {false, true}) {
          market->silent_of_orders = silent;
          std::vector<bool> expected(parts.size(), true);
          expected[part] = false;
          EXPECT_EQ(seen().part_enabled, expected);
          const bool asked_for = part == asked.request.statement.part;
          EXPECT_EQ(release(asked), asked_for ? std::optional(Errc::conflict) : std::nullopt);
        }
      }
    }
    // The order's cancel is heard without any offer's state.
    market->disabled_in_newest = market->silent_of_orders = false;
    market->only_offer = api::OfferId();
    EXPECT_EQ(release(asked), std::nullopt) << "what it can't say is no objection";
    market->cancelled_in_newest = true;
    EXPECT_TRUE(seen().cancelled);
    EXPECT_EQ(release(asked), Errc::conflict);
    market->cancelled_in_newest = false;
    market->only_offer.reset();
  }
  EXPECT_EQ(release(asked), std::nullopt);
}

TEST_F(QuorumViewTest, TwoDownReleaseNothing) {
  const auto asked = request(proof());
  markets_[0]->down = true;
  markets_[2]->down = true;
  EXPECT_EQ(release(asked), Errc::unavailable);
}

TEST_F(QuorumViewTest, OneEndpointIsItsOwnWitness) {
  FakeMarket market(view_.facts_now);
  const auto endpoint = market.node.endpoint();
  chain::Chain chain(*endpoint);
  market::MarketClient client(chain, view_.facts_now.market);
  MarketView view(client, files_, {0, folder_ / "one"});
  market.cancelled_in_newest = true;
  EXPECT_TRUE(view.facts(view_.facts_now.terms.order_id(view_.facts_now.market))->cancelled);
  market.disabled_in_newest = true;
  EXPECT_FALSE(view.facts(view_.facts_now.terms.order_id(view_.facts_now.market))->part_enabled[0]);
}

TEST_F(QuorumViewTest, ADamagedCheckpointIsRefusedAtTheStart) {
  seen();
  const Path file = folder_ / "checkpoint";
  const Bytes kept = files_.read(file, 1000).value();
  const auto loaded = [&](ByteView bytes) {
    EXPECT_TRUE(files_.write_atomic(file, bytes, FileMode::owner_only).ok());
    return MarketView(*client_, files_, {0, file}).load();
  };
  EXPECT_TRUE(loaded(kept).ok());
  for (std::size_t bit = 0; bit < kept.size() * 8; ++bit) {
    Bytes flipped = kept;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const Status status = loaded(flipped);
    ASSERT_FALSE(status.ok()) << bit;
    EXPECT_EQ(status.error().code, Errc::malformed);
    EXPECT_TRUE(status.error().message.starts_with("damaged checkpoint " + file.string() + ": "));
  }
  for (std::size_t size = 0; size < kept.size(); ++size) {
    if (size == 16) continue;  // as large as one of before there were checksums
    EXPECT_FALSE(loaded(ByteView(kept).first(size)).ok()) << size;
  }
}

TEST_F(QuorumViewTest, ACheckpointOfBeforeChecksumsCounts) {
  Writer writer;
  writer.u64(31).u64(5'000);
  const Path file = folder_ / "checkpoint";
  ASSERT_TRUE(files_.write_atomic(file, writer.bytes(), FileMode::owner_only).ok());
  MarketView view(*client_, files_, {0, file});
  ASSERT_TRUE(view.load().ok());
  const api::OrderId order = view_.facts_now.terms.order_id(view_.facts_now.market);
  const auto behind = view.facts(order);
  ASSERT_FALSE(behind.ok());
  EXPECT_EQ(behind.error().code, Errc::unavailable);
}

// Counts round trips: a batch is one.
class CountedEndpoint final : public chain::RpcEndpoint {
 public:
  explicit CountedEndpoint(chain::RpcEndpoint& under) : under_(under) {}
  Result<Json> call(const std::string& method, const Json& params) override {
    ++trips;
    return under_.call(method, params);
  }
  std::vector<Result<Json>> call_many(const std::vector<std::string>& methods,
                                      const Json& params) override {
    ++trips;
    return under_.call_many(methods, params);
  }
  std::atomic<int> trips = 0;

 private:
  chain::RpcEndpoint& under_;
};

TEST_F(QuorumViewTest, AQuestionTakesFewRoundTrips) {
  FakeMarket market(view_.facts_now);
  const auto endpoint = market.node.endpoint();
  CountedEndpoint counted(*endpoint);
  chain::Chain chain(counted);
  market::MarketClient client(chain, view_.facts_now.market);
  ASSERT_TRUE(client.registry().ok());
  MarketView view(client, files_, {0, folder_ / "counted"});
  const api::OrderId order = view_.facts_now.terms.order_id(view_.facts_now.market);
  counted.trips = 0;
  ASSERT_TRUE(view.facts(order).ok());
  EXPECT_EQ(counted.trips, 3);  // the block, the creation, the state
  ASSERT_TRUE(view.facts(order).ok());
  EXPECT_EQ(counted.trips, 6);  // the block; creation and state at once
  // What is remembered is the terms alone.
  market.cancelled_in_newest = true;
  EXPECT_TRUE(view.facts(order)->cancelled);
}

}  // namespace
}  // namespace sp::broker
