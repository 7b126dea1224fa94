// The model of the contracts against the contracts: the same random calls to both, and after each
// the same verdict, the same events and the same state.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "chain/rpc_json.hpp"
#include "chain/testing/anvil.hpp"
#include "sim/contracts/calls.hpp"
#include "spctl/contracts_code.hpp"

namespace sp::sim {
namespace {

using chain::AbiType;
using chain::AbiValue;
using chain::testing::Anvil;

constexpr Number kMinimum = 10 * kWhole;
constexpr std::uint64_t kAnvilChain = 31337;
constexpr std::uint64_t kSeeds = 4;
constexpr int kCallsPerSeed = 140;
constexpr std::size_t kNewestSeen = 6;  // of the orders, compared after each call
constexpr std::size_t kReasonsMin = 35;
constexpr const char* kStart = "1800000000";

// Names of the contracts' errors by selector, as the compiler wrote them down.
std::map<Bytes, std::string> error_names() {
  std::map<Bytes, std::string> names;
  for (const std::string contract : {"Market", "Registry", "TestToken"}) {
    std::ifstream file(Path(SP_TEST_SOURCE_DIR) / "contracts/out" / (contract + ".sol") /
                       (contract + ".json"));
    const Json artifact = Json::parse(file);
    for (const Json& entry : artifact["abi"]) {
      if (entry["type"] != "error") continue;
      std::string types;
      for (const Json& input : entry["inputs"]) {
        types += (types.empty() ? "" : ",") + input["type"].get<std::string>();
      }
      const std::string name = entry["name"];
      names[to_bytes(chain::abi_selector(name + "(" + types + ")").view())] = name;
    }
  }
  return names;
}

class Differential : public ::testing::Test {
 protected:
  void SetUp() override {
    anvil_ = Anvil::start({"--timestamp", kStart});
    if (!anvil_) GTEST_SKIP() << "anvil (npm @foundry-rs/anvil) isn't installed";
    endpoint_ = chain::http_endpoint(anvil_->url(), clock_);
    chain_.emplace(*endpoint_);
  }

  // New contracts, and a model of them.
  void deploy(Bug bug) {
    chain::TxSender sender(*chain_, deployer_, clock_);
    addresses_.token = deploy_one(sender, spctl::kTestTokenCode, "()", {});
    addresses_.registry =
        deploy_one(sender, spctl::kRegistryCode, "(address,uint128)",
                   {AbiValue::address(addresses_.token), AbiValue::amount(Amount(kMinimum))});
    addresses_.market = deploy_one(sender, spctl::kMarketCode, "(address)",
                                   {AbiValue::address(addresses_.registry)});
    model_.emplace(addresses_, kAnvilChain, kMinimum, bug);
    state_ = {};
    nonces_.clear();
    time_ = chain_->block().value().time;
  }

  static Address deploy_one(chain::TxSender& sender, std::string_view code, std::string_view types,
                            const AbiValues& arguments) {
    Bytes data = from_hex(code).value();
    append(data, chain::abi_encode(AbiType::parse(types).value(), arguments).value());
    return *sender.execute({std::nullopt, std::move(data), {}}).value().contract;
  }

  // The first difference that a seed shows; empty where there is none.
  std::string run_seed(std::uint64_t seed, Bug bug) {
    deploy(bug);
    const market::MarketClient market(*chain_, model_->domain());
    const market::TokenClient token(*chain_, addresses_.token);
    CallMaker maker(seed, addresses_, market, token);
    for (const crypto::EthKey& key : maker.accounts()) {
      const auto rich = endpoint_->call(
          "anvil_setBalance", Json::array({key.address().hex0x(), "0x56bc75e2d63100000"}));
      EXPECT_TRUE(rich.ok()) << rich.error().message;
    }
    std::string difference;
    for (const RandomCall& call : maker.opening()) {
      if (difference.empty()) difference = step(call, time_ + 1, maker);
    }
    for (int i = 0; i < kCallsPerSeed && difference.empty(); ++i) {
      const RandomCall call = maker.next(time_, state_);
      difference = step(call, maker.next_time(time_, state_), maker);
    }
    return difference;
  }

  // ---- one call to both ----

  std::string step(const RandomCall& made, std::int64_t time, const CallMaker& maker) {
    const chain::TxReceipt receipt = send(made, time);
    const std::string refusal = receipt.success ? "" : refusal_of(receipt.tx_hash);
    const CallOutcome outcome =
        model_->execute(state_, made.from->address(), time_, *made.call.to, made.call.data);
    const std::string both =
        made.what + ": the contract says '" + refusal + "', the model '" + outcome.why + "'";
    if (receipt.success == outcome.reverted) return both;
    // Where a contract gives no reason, as for a token without code, the model has words.
    if (refusal != (name_exists(outcome.why) ? outcome.why : "")) return both;
    ++(receipt.success ? done_[made.what] : refused_[outcome.why]);
    if (!same_events(receipt, outcome)) return made.what + ": other events";
    const std::string view = differing_view(maker);
    return view.empty() ? "" : "after " + made.what + ": " + view;
  }

  static bool modelled(const Digest32& topic) {
    const Digest32 known[] = {market::order_created_topic(),
                              market::order_settled_topic(),
                              market::order_cancelled_topic(),
                              market::part_offered_topic(),
                              market::compute_offered_topic(),
                              order_closed_topic(),
                              part_claimed_topic(),
                              session_acquitted_topic()};
    return std::find(std::begin(known), std::end(known), topic) != std::end(known);
  }

  // The model logs what daemons and checkers read, all of it from the market.
  [[nodiscard]] bool same_events(const chain::TxReceipt& receipt,
                                 const CallOutcome& outcome) const {
    using Events = std::vector<std::tuple<Address, std::vector<Digest32>, Bytes>>;
    Events ours, theirs;
    for (const Emitted& log : outcome.logs) ours.emplace_back(log.address, log.topics, log.data);
    for (const chain::Log& log : receipt.logs) {
      if (log.address == addresses_.market && modelled(log.topics[0])) {
        theirs.emplace_back(log.address, log.topics, log.data);
      }
    }
    return ours == theirs;
  }

  chain::TxReceipt send(const RandomCall& made, std::int64_t time) {
    chain::Transaction transaction;
    transaction.chain_id = kAnvilChain;
    transaction.nonce = nonces_[made.from->address()]++;
    transaction.fees = {Amount(50'000'000'000), Amount(1)};
    transaction.gas_limit = 5'000'000;
    transaction.to = made.call.to;
    transaction.data = made.call.data;
    const auto raw = chain::sign(transaction, *made.from);
    time_ = time;
    const auto set = endpoint_->call("evm_setNextBlockTimestamp",
                                     Json::array({static_cast<std::uint64_t>(time_)}));
    EXPECT_TRUE(set.ok()) << set.error().message;
    const auto sent = chain_->send_raw(raw.raw);
    EXPECT_TRUE(sent.ok()) << sent.error().message;
    for (;;) {
      const auto receipt = chain_->receipt(raw.hash).value();
      if (receipt) return *receipt;
      clock_.sleep_for(std::chrono::milliseconds(1));
    }
  }

  // The name of the error that a transaction ended with; empty where it gave none.
  std::string refusal_of(const chain::TxHash& hash) {
    const auto data = endpoint_->call("ots_getTransactionError", Json::array({hash.hex0x()}));
    EXPECT_TRUE(data.ok()) << data.error().message;
    const Bytes bytes = chain::data_bytes(*data, "revert data").value();
    if (bytes.size() < 4) return {};
    const auto found = names_.find(to_bytes(ByteView(bytes).first(4)));
    return found == names_.end() ? to_hex(bytes) : found->second;
  }

  [[nodiscard]] bool name_exists(const std::string& name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](const auto& entry) { return entry.second == name; });
  }

  // ---- state ----

  struct View {
    Address contract;
    Bytes data;
    std::string name;
  };

  static void see(std::vector<View>& views, const Address& contract, const std::string& signature,
                  const AbiValues& arguments) {
    views.push_back({contract, chain::abi_call(signature, arguments).value(), signature});
  }

  // The first view of a contract that the model answers otherwise; empty where there is none.
  std::string differing_view(const CallMaker& maker) {
    std::vector<View> views;
    const AbiValue token = AbiValue::address(addresses_.token);
    for (const Address& one : {addresses_.market, addresses_.registry}) {
      see(views, addresses_.token, "balanceOf(address)", {AbiValue::address(one)});
    }
    for (const crypto::EthKey& key : maker.accounts()) {
      const AbiValue account = AbiValue::address(key.address());
      see(views, addresses_.token, "balanceOf(address)", {account});
      see(views, addresses_.market, "balanceOf(address,address)", {account, token});
      see(views, addresses_.registry, "depositOf(address,address,address)",
          {account, AbiValue::address(addresses_.market), token});
      see(views, addresses_.registry, "providerOf(address)", {account});
    }
    const auto newest = [](const auto& list) {
      return list.end() - static_cast<std::ptrdiff_t>(std::min(list.size(), kNewestSeen));
    };
    for (auto id = newest(maker.orders()); id != maker.orders().end(); ++id) {
      see(views, addresses_.market, "order(bytes32)", {AbiValue::word(id->view())});
    }
    for (const api::OfferId& id : maker.offers()) {
      see(views, addresses_.market, "offer(bytes32)", {AbiValue::word(id.view())});
    }
    std::string difference;
    for (std::size_t at = 0; at < views.size() && difference.empty(); at += chain::kRpcBatchMax) {
      const std::size_t end = std::min(views.size(), at + chain::kRpcBatchMax);
      difference = differing_of(std::span(views).subspan(at, end - at));
    }
    return difference;
  }

  std::string differing_of(std::span<const View> views) {
    std::vector<chain::Chain::Read> reads;
    for (const View& view : views) reads.push_back({view.contract, view.data});
    const auto answers = chain_->call_many(reads);
    for (std::size_t i = 0; i < views.size(); ++i) {
      ContractState copy = state_;
      const auto ours = model_->execute(copy, {}, time_, views[i].contract, views[i].data);
      if (!answers[i]) return views[i].name + ": " + answers[i].error().message;
      if (*answers[i] == ours.output) continue;
      return views[i].name + ": the contract has " + to_hex(*answers[i]) + ", the model " +
             to_hex(ours.output);
    }
    return {};
  }

  SystemClock clock_;
  const crypto::EthKey deployer_ = Anvil::key(0);
  std::unique_ptr<Anvil> anvil_;
  std::unique_ptr<chain::RpcEndpoint> endpoint_;
  std::optional<chain::Chain> chain_;
  ContractAddresses addresses_;
  std::optional<Contracts> model_;
  ContractState state_;
  std::int64_t time_ = 0;
  std::map<Address, std::uint64_t> nonces_;
  std::map<Bytes, std::string> names_ = error_names();
  std::map<std::string, int> done_, refused_;
};

TEST_F(Differential, TheModelDoesWhatTheContractsDo) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    ASSERT_EQ(run_seed(seed, Bug::none), "") << "seed " << seed;
  }
  // It must have seen each of them succeed to mean anything, and most reasons of refusal.
  for (const char* what :
       {"create", "settle", "acquit", "cancel", "claim", "close", "withdraw", "transfer", "deposit",
        "withdraw deposit", "offer compute", "offer part", "enable", "register", "set action",
        "propose receiver", "accept receiver"}) {
    EXPECT_GT(done_[what], 0) << what << " never succeeded";
  }
  EXPECT_GE(refused_.size(), kReasonsMin);
}

TEST_F(Differential, AModelThatPaysOneUnitLessIsFound) {
  EXPECT_NE(run_seed(1, Bug::market_underpays), "");
}

TEST_F(Differential, AModelThatClosesNothingIsFound) {
  EXPECT_NE(run_seed(1, Bug::market_never_closes), "");
}

}  // namespace
}  // namespace sp::sim
