#include "chain/quorum.hpp"

#include <gtest/gtest.h>

#include <thread>

#include <atomic>
#include <nlohmann/json.hpp>

#include "chain/rpc_json.hpp"
#include "chain/testing/fake_node.hpp"
#include "chain/transaction.hpp"

namespace sp::chain {
namespace {

using std::chrono::milliseconds;
using testing::FakeNode;

constexpr std::size_t kBlocks = 30;
// On a busy machine a sound node may take long: where none hangs, all are waited for.
constexpr QuorumTimes kPatient{milliseconds(20'000), milliseconds(5'000), milliseconds(20'000)};
const Bytes kRaw = from_hex("02aabb").value();

// Three nodes (or more) of one chain; who lies is told by the tests.
class QuorumTest : public ::testing::Test {
 protected:
  QuorumTest() { make(3, 2, kPatient); }
  ~QuorumTest() override { let_go(); }

  void make(std::size_t n, std::size_t k, QuorumTimes times) {
    let_go();
    quorum_.reset();
    nodes_.clear();
    std::vector<std::unique_ptr<RpcEndpoint>> members;
    for (std::size_t i = 0; i < n; ++i) {
      nodes_.push_back(std::make_unique<FakeNode>(kBlocks));
      members.push_back(nodes_.back()->endpoint());
    }
    quorum_ = quorum_endpoint(std::move(members), k, times);
  }
  void let_go() {
    for (const auto& node : nodes_) node->hang(false);
  }
  Chain chain() { return Chain(*quorum_); }
  FakeNode& node(std::size_t index) { return *nodes_.at(index); }
  // A node's first such question: it may come after others have answered.
  Json first_asked(std::size_t index, const std::string& method) {
    while (node(index).asked(method).empty()) std::this_thread::sleep_for(milliseconds(5));
    return node(index).asked(method)[0];
  }
  // The node answers one method with this and tells the truth otherwise.
  void lie(std::size_t index, const std::string& method, const Result<Json>& answer) {
    node(index).lie([=](const std::string& asked, const Json&) {
      return asked == method ? std::optional(answer) : std::nullopt;
    });
  }
  void lie_about_head(std::size_t index, const Json& block) {
    node(index).lie([=](const std::string& method, const Json& params) {
      const bool head = method == "eth_getBlockByNumber" && params[0] == "latest";
      return head ? std::optional(Result<Json>(block)) : std::nullopt;
    });
  }

  // What the quorum says of its head, as text.
  std::string head() {
    const auto block = chain().block();
    return block ? std::to_string(block->number) + " " + block->hash.hex0x()
                 : "error: " + std::string(errc_name(block.error().code));
  }
  static std::string block_text(std::uint64_t number, const std::string& fork) {
    return std::to_string(number) + " " + FakeNode::hash(number, fork);
  }
  std::string state() {
    const auto found = chain().call(FakeNode::contract(), {});
    return found ? to_hex0x(*found) : "error: " + std::string(errc_name(found.error().code));
  }

  std::vector<std::unique_ptr<FakeNode>> nodes_;
  std::unique_ptr<QuorumEndpoint> quorum_;
};

TEST_F(QuorumTest, OneLiarAboutStateIsOutvoted) {
  for (std::size_t liar = 0; liar < 3; ++liar) {
    make(3, 2, kPatient);
    for (const Result<Json>& said :
         {Result<Json>(Json("0x01")), Result<Json>(Json()), Result<Json>(Json::array()),
          Result<Json>(Error{Errc::refused, "eth_call: reverted, data 0xdeadbeef"})}) {
      lie(liar, "eth_call", said);
      EXPECT_EQ(state(), FakeNode::hash(kBlocks - 1, "main")) << liar;
    }
  }
}

TEST_F(QuorumTest, ReadsArePinnedToTheAgreedBlock) {
  node(2).grow(1, "main");  // ahead of the others
  EXPECT_EQ(state(), FakeNode::hash(kBlocks - 1, "main"));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(first_asked(i, "eth_call")[1], "0x1d");
  ASSERT_TRUE(chain().balance(FakeNode::contract()).error().code == Errc::too_large);
  EXPECT_EQ(first_asked(0, "eth_getBalance")[1], "0x1d");
  const auto at = chain().call(FakeNode::contract(), {}, {3});
  ASSERT_TRUE(at.ok());
  EXPECT_EQ(to_hex0x(*at), FakeNode::hash(3, "main"));
}

TEST_F(QuorumTest, TwoLiarsOrOneLiarAndOneDownAreNoAnswer) {
  lie(0, "eth_call", Json("0x01"));
  lie(1, "eth_call", Json("0x02"));
  node(2).fail({Errc::unavailable, "HTTP status 429"});
  // The head is agreed on by the two liars, who tell the truth about it.
  const auto found = chain().call(FakeNode::contract(), {});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error(), (Error{Errc::unavailable,
                                  "eth_call: 2 of 3 endpoints must agree; 1: 0x01; 1: 0x02; "
                                  "1: no answer (HTTP status 429)"}));
}

TEST_F(QuorumTest, OneThatFailsIsMissedByNobody) {
  for (const Errc code : {Errc::unavailable, Errc::timed_out, Errc::malformed, Errc::refused,
                          Errc::too_large, Errc::io}) {
    make(3, 2, kPatient);
    node(1).fail({code, "limit exceeded (-32005)"});
    EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
    EXPECT_EQ(state(), FakeNode::hash(kBlocks - 1, "main"));
    EXPECT_EQ(chain().logs({FakeNode::contract(), {}, 0, kBlocks - 1})->size(), kBlocks);
    EXPECT_EQ(chain().chain_id().value(), 31337U);
    EXPECT_EQ(chain().nonce(FakeNode::contract(), true).value(), 5U);
    EXPECT_TRUE(chain().send_raw(kRaw).ok());
  }
}

TEST_F(QuorumTest, TwoDownAreUnavailable) {
  node(0).fail({Errc::unavailable, "down"});
  node(2).fail({Errc::timed_out, "down"});
  EXPECT_EQ(chain().chain_id().error().code, Errc::unavailable);
  EXPECT_EQ(chain().block().error().code, Errc::unavailable);
  EXPECT_EQ(chain().block({5}).error().code, Errc::unavailable);
  EXPECT_EQ(chain().call(FakeNode::contract(), {}, {5}).error().code, Errc::unavailable);
  EXPECT_EQ(chain().logs({FakeNode::contract(), {}, 0, 0}).error().code, Errc::unavailable);
  EXPECT_EQ(chain().nonce(FakeNode::contract(), true).error().code, Errc::unavailable);
  const TxHash hash = TxHash::from_hex(FakeNode::hash(3, "main")).value();
  EXPECT_EQ(chain().receipt(hash).error().code, Errc::unavailable);
  node(2).lie({});  // back again
  EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
}

TEST_F(QuorumTest, OneLiarAboutLogsIsOutvoted) {
  const LogFilter filter{FakeNode::contract(), {}, 10, 12};
  const auto true_logs = [] {
    return Json::array(
        {FakeNode::log(10, "main"), FakeNode::log(11, "main"), FakeNode::log(12, "main")});
  };
  std::vector<Json> lies(6, true_logs());
  lies[0].erase(1);                           // drops
  lies[1].push_back(FakeNode::log(12, "x"));  // adds
  lies[2][1]["data"] = "0x01";                // alters
  lies[3][0]["blockHash"] = FakeNode::hash(10, "x");
  lies[4][2]["removed"] = true;
  lies[5] = Json::array();
  for (std::size_t liar = 0; liar < 3; ++liar) {
    for (const Json& said : lies) {
      make(3, 2, kPatient);
      lie(liar, "eth_getLogs", said);
      const auto logs = chain().logs(filter);
      ASSERT_TRUE(logs.ok()) << logs.error().message;
      ASSERT_EQ(logs->size(), 3U);
      EXPECT_EQ((*logs)[1].block_hash.hex0x(), FakeNode::hash(11, "main"));
      EXPECT_TRUE((*logs)[1].data.empty());
    }
  }
  lie(0, "eth_getLogs", lies[0]);
  lie(1, "eth_getLogs", lies[1]);
  lie(2, "eth_getLogs", true_logs());
  EXPECT_EQ(chain().logs(filter).error().code, Errc::unavailable);
}

TEST_F(QuorumTest, LogsEndAtTheAgreedBlock) {
  node(0).grow(3, "main");
  const auto beyond = chain().logs({FakeNode::contract(), {}, 0, kBlocks});
  EXPECT_EQ(beyond.error(),
            (Error{Errc::unavailable, "logs up to block 30, the endpoints agree on block 29"}));
  EXPECT_TRUE(node(0).asked("eth_getLogs").empty());
  Json filter{{"fromBlock", "0x0"}, {"toBlock", "latest"}};
  const auto all = quorum_->call("eth_getLogs", Json::array({filter}));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->size(), kBlocks);
  EXPECT_EQ(first_asked(1, "eth_getLogs")[0]["toBlock"], "0x1d");
}

TEST_F(QuorumTest, OneLiarAboutReceiptsIsOutvoted) {
  const TxHash hash = TxHash::from_hex(FakeNode::hash(5, "main")).value();
  const TxHash unknown = TxHash::from_hex(FakeNode::hash(5, "other")).value();
  Json failed = FakeNode::receipt(5, "main");
  failed["status"] = "0x0";
  Json moved = FakeNode::receipt(5, "main");
  moved["blockHash"] = FakeNode::hash(5, "x");
  Json bare = FakeNode::receipt(5, "main");
  bare["logs"] = Json::array();
  for (std::size_t liar = 0; liar < 3; ++liar) {
    for (const Json& said : {failed, moved, bare, Json()}) {
      lie(liar, "eth_getTransactionReceipt", said);
      const auto receipt = chain().receipt(hash);
      ASSERT_TRUE(receipt.ok() && *receipt);
      EXPECT_TRUE((*receipt)->success);
      EXPECT_EQ((*receipt)->logs.size(), 1U);
    }
    lie(liar, "eth_getTransactionReceipt", FakeNode::receipt(5, "other"));
    const auto none = chain().receipt(unknown);
    ASSERT_TRUE(none.ok());
    EXPECT_FALSE(none->has_value());
    node(liar).lie({});
  }
}

TEST_F(QuorumTest, EndpointsOfDifferentMakesAgree) {
  // Other fields, letters and order; a pending transaction's receipt with fields or none at all.
  node(0).lie([](const std::string& method, const Json&) -> std::optional<Result<Json>> {
    if (method == "eth_getBlockByNumber") {
      Json block = FakeNode::block(kBlocks - 1, "main");
      block["size"] = "0x220";
      return block;
    }
    if (method == "eth_getLogs") {
      Json later = FakeNode::log(3, "main");
      later["address"] = "0x" + std::string(40, 'C');
      later["removed"] = false;
      return Json::array({later, FakeNode::log(2, "main")});
    }
    if (method == "eth_getTransactionReceipt") return Json{{"blockHash", Json()}};
    return std::nullopt;
  });
  node(2).fail({Errc::unavailable, "down"});
  EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
  EXPECT_EQ(chain().logs({FakeNode::contract(), {}, 2, 3})->size(), 2U);
  const TxHash pending = TxHash::from_hex(FakeNode::hash(5, "pending")).value();
  EXPECT_FALSE(chain().receipt(pending)->has_value());
}

TEST_F(QuorumTest, RevertsAgreeByTheirData) {
  const auto reverts = [&](std::size_t index, const std::string& words) {
    lie(index, "eth_call", Error{Errc::refused, words});
  };
  reverts(0, "eth_call: execution reverted (3), data 0xdeadbeef");
  reverts(1, "eth_call: VM error, data 0xdeadbeef");
  reverts(2, "eth_call: execution reverted (3), data 0x00");
  const auto found = chain().call(FakeNode::contract(), {});
  EXPECT_EQ(found.error(),
            (Error{Errc::refused, "eth_call: execution reverted (3), data 0xdeadbeef"}));
  reverts(1, "eth_call: VM error, data 0xdeadbeee");
  EXPECT_EQ(chain().call(FakeNode::contract(), {}).error().code, Errc::unavailable);
}

TEST_F(QuorumTest, OneLiarAboutTheHeadMovesNothing) {
  Json other_time = FakeNode::block(kBlocks - 1, "main");
  other_time["timestamp"] = "0xffffffff";
  Json huge = FakeNode::block(5, "main");
  huge["number"] = "0xffffffffffffffff";
  for (std::size_t liar = 0; liar < 3; ++liar) {
    for (const Json& said : {FakeNode::block(1'000'000'000, "main"), FakeNode::block(0, "main"),
                             FakeNode::block(kBlocks - 1, "x"), FakeNode::block(kBlocks, "x"),
                             other_time, huge, Json(), Json("0x1d")}) {
      make(3, 2, kPatient);
      lie_about_head(liar, said);
      EXPECT_EQ(head(), block_text(kBlocks - 1, "main")) << said;
      EXPECT_EQ(chain().block()->time, 1'000 + 29);
    }
  }
}

TEST_F(QuorumTest, TheHeadIsABlockThatTwoHave) {
  node(0).grow(1, "main");
  node(1).grow(3, "main");
  EXPECT_EQ(head(), block_text(kBlocks, "main"));
  // One claims the same number with another block: the next lower head is agreed on.
  make(3, 2, kPatient);
  node(0).grow(1, "main");
  node(1).grow(1, "x");
  EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
}

TEST_F(QuorumTest, TheHeadNeverGoesBack) {
  EXPECT_EQ(head(), block_text(29, "main"));
  node(0).fail({Errc::unavailable, "down"});
  lie_about_head(1, FakeNode::block(25, "main"));
  EXPECT_EQ(head(), block_text(29, "main"));  // it still has that block
  // Far apart with nobody to say who is right: not even the remembered block is called the newest.
  lie_about_head(1, FakeNode::block(3, "main"));
  EXPECT_EQ(head(), "error: unavailable");
  lie_about_head(1, FakeNode::block(3'000, "main"));
  EXPECT_EQ(head(), "error: unavailable");
  node(1).lie({});
  node(1).reorganise(20, 0, "main");  // really behind
  EXPECT_EQ(head(), "error: unavailable");
  EXPECT_EQ(state(), "error: unavailable");
  node(0).lie({});
  EXPECT_EQ(head(), block_text(29, "main"));
}

TEST_F(QuorumTest, HeadsFarApartAreNotAgreed) {
  EXPECT_EQ(head(), block_text(29, "main"));
  node(0).grow(kQuorumLagMax + 1, "a");
  node(1).grow(kQuorumLagMax + 1, "b");
  // Two are far ahead on different forks: the agreed block is too old to be called the newest.
  EXPECT_EQ(head(), "error: unavailable");
  node(2).grow(kQuorumLagMax + 1, "a");
  EXPECT_EQ(head(), block_text(29 + kQuorumLagMax + 1, "a"));
}

TEST_F(QuorumTest, AReorganisationCountsWhenTwoHaveIt) {
  for (std::size_t depth = 1; depth <= 12; ++depth) {
    make(3, 2, kPatient);
    const LogFilter filter{FakeNode::contract(), {}, 0, kBlocks - 1};
    const auto log_hash = [&] { return chain().logs(filter)->back().block_hash.hex0x(); };
    EXPECT_EQ(head(), block_text(29, "main"));
    for (std::size_t i = 0; i < 3; ++i) {
      node(i).reorganise(depth, depth + 1, "fork");
      EXPECT_EQ(head(), i == 0 ? block_text(29, "main") : block_text(30, "fork"))
          << depth << " seen by " << i + 1;
      EXPECT_EQ(log_hash(), FakeNode::hash(29, i == 0 ? "main" : "fork"));
      EXPECT_EQ(state(), i == 0 ? FakeNode::hash(29, "main") : FakeNode::hash(30, "fork"));
    }
  }
}

TEST_F(QuorumTest, AReorganisationToAShorterChainWaitsForItsGrowth) {
  for (std::size_t depth = 1; depth <= 12; ++depth) {
    make(3, 2, kPatient);
    EXPECT_EQ(head(), block_text(29, "main"));
    for (std::size_t i = 0; i < 3; ++i) {
      node(i).reorganise(depth, depth - 1, "fork");
      EXPECT_EQ(head(), i == 0 ? block_text(29, "main") : "error: unavailable") << depth;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      node(i).grow(1, "fork");
      EXPECT_EQ(head(), i == 0 ? "error: unavailable" : block_text(29, "fork")) << depth;
    }
  }
}

TEST_F(QuorumTest, OneThatHangsIsWaitedForOnce) {
  make(3, 2, {milliseconds(20'000), milliseconds(3'000), milliseconds(200)});
  node(1).hang(true);
  EXPECT_EQ(state(), FakeNode::hash(kBlocks - 1, "main"));  // the grace, once
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2'500));
  // For itself it is a witness that doesn't answer, the second time at once.
  EXPECT_EQ(quorum_->member(1).call("eth_chainId", Json::array()).error().code, Errc::unavailable);
  node(1).hang(false);
  node(1).grow(1, "main");
  node(0).grow(1, "main");
  // Its answers to the calls that hung come when its threads get to them.
  for (int tries = 0; head() != block_text(kBlocks, "main") && tries < 200; ++tries) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(head(), block_text(kBlocks, "main"));
}

TEST_F(QuorumTest, TwoThatHangEndWithTheDeadline) {
  make(3, 2, {milliseconds(100), milliseconds(20), milliseconds(50)});
  node(0).hang(true);
  node(1).hang(true);
  EXPECT_EQ(quorum_->member(0).call("eth_chainId", Json::array()).error().code, Errc::timed_out);
  const auto found = chain().call(FakeNode::contract(), {}, {3});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message,
            "eth_call: 2 of 3 endpoints must agree; 1: no answer (no answer "
            "in time); 1: no answer (no answer in time); 1: " +
                FakeNode::hash(3, "main"));
}

TEST_F(QuorumTest, AMemberThatHangsHoldsABoundedNumberOfCalls) {
  FakeNode hanging(1);
  hanging.hang(true);
  QuorumMember member(hanging.endpoint(), milliseconds(1'000));
  std::atomic<std::size_t> refused = 0;
  std::atomic<std::size_t> others = 0;
  const std::size_t many = kQuorumThreadsMax + kQuorumQueueMax + 100;
  for (std::size_t i = 0; i < many; ++i) {
    member.ask("eth_chainId", Json::array(), milliseconds(1'000), [&](const Result<Json>& answer) {
      const bool full = !answer && answer.error().code == Errc::unavailable;
      ++(full ? refused : others);
    });
  }
  EXPECT_GE(refused.load(), 100U);
  hanging.hang(false);
  while (refused + others < many) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_GE(others.load(), kQuorumQueueMax);
}

TEST_F(QuorumTest, SendsGoToAllAndOneIsEnough) {
  const auto known = Error{Errc::refused, "eth_sendRawTransaction: already known (-32000)"};
  const auto low = Error{Errc::refused, "eth_sendRawTransaction: nonce too low (-32000)"};
  const Error down{Errc::unavailable, "down"};
  for (const Error& others : {known, low, down}) {
    for (std::size_t taker = 0; taker < 3; ++taker) {
      make(3, 2, kPatient);
      for (std::size_t i = 0; i < 3; ++i) {
        if (i != taker) lie(i, "eth_sendRawTransaction", others);
      }
      EXPECT_TRUE(chain().send_raw(kRaw).ok());
      // Also to the one that is no longer waited for.
      for (std::size_t i = 0; i < 3; ++i) {
        while (node(i).asked("eth_sendRawTransaction").empty()) {
          std::this_thread::sleep_for(milliseconds(1));
        }
      }
    }
  }
}

TEST_F(QuorumTest, SendsThatNobodyTakesFail) {
  const std::string method = "eth_sendRawTransaction";
  const Error low{Errc::refused, method + ": nonce too low (-32000)"};
  const Error poor{Errc::refused, method + ": insufficient funds (-32000)"};
  lie(0, method, poor);
  lie(1, method, low);
  lie(2, method, low);
  EXPECT_EQ(chain().send_raw(kRaw).error(), low);
  lie(0, method, Json(FakeNode::hash(1, "x")));  // takes another than was sent
  EXPECT_EQ(chain().send_raw(kRaw).error(), low);
  lie(1, method, Error{Errc::unavailable, "down"});
  EXPECT_EQ(chain().send_raw(kRaw).error().code, Errc::unavailable);
}

TEST_F(QuorumTest, OneLiarAboutNumbersMovesThemNoFurtherThanOthersSay) {
  lie(0, "eth_getTransactionCount", Json("0x6"));  // has heard of one more
  for (const char* said : {"0xffffffffffffffff", "0x0"}) {
    lie(2, "eth_getTransactionCount", Json(said));
    const std::uint64_t nonce = chain().nonce(FakeNode::contract(), true).value();
    EXPECT_TRUE(nonce == 5 || nonce == 6) << nonce;
  }
  for (const Result<Json>& said :
       {Result<Json>(Json("0x1")), Result<Json>(Json("0xffffffff")),
        Result<Json>(Error{Errc::refused, "eth_estimateGas: reverts, data 0x01"})}) {
    lie(2, "eth_estimateGas", said);
    EXPECT_EQ(chain().estimate_gas(FakeNode::contract(), {}, {}).value(), 21'000U);
  }
  lie(1, "eth_estimateGas", Error{Errc::refused, "eth_estimateGas: reverts, data 0x01"});
  EXPECT_EQ(chain().estimate_gas(FakeNode::contract(), {}, {}).error(),
            (Error{Errc::refused, "eth_estimateGas: reverts, data 0x01"}));
  node(1).lie({});
  const auto outlook = chain().outlook(FakeNode::contract(), {}, {}, {});
  ASSERT_TRUE(outlook.ok());
  EXPECT_EQ(outlook->fees.max_fee_per_gas, Amount(15));
}

TEST_F(QuorumTest, ThreeOfFiveOutvoteTwoThatLieAlike) {
  make(5, 3, kPatient);
  for (const std::size_t liar : {std::size_t{1}, std::size_t{3}}) {
    node(liar).lie([](const std::string& method, const Json& params) {
      const bool head = method == "eth_getBlockByNumber" && params[0] == "latest";
      if (head) return std::optional(Result<Json>(FakeNode::block(kBlocks + 5, "x")));
      return method == "eth_call" ? std::optional(Result<Json>(Json("0x01"))) : std::nullopt;
    });
  }
  EXPECT_EQ(head(), block_text(kBlocks - 1, "main"));
  EXPECT_EQ(state(), FakeNode::hash(kBlocks - 1, "main"));
}

TEST_F(QuorumTest, MoreThanHalfMustAgree) {
  const auto made_of = [](std::size_t n, std::size_t k) {
    std::vector<std::unique_ptr<RpcEndpoint>> members(n);
    quorum_endpoint(std::move(members), k);
  };
  EXPECT_DEATH(made_of(3, 1), "2 \\* k > members.size");
  EXPECT_DEATH(made_of(4, 2), "2 \\* k > members.size");
  EXPECT_DEATH(made_of(3, 4), "k <= members.size");
  EXPECT_DEATH(made_of(1, 1), "members.size\\(\\) >= 2");
  EXPECT_DEATH(made_of(kQuorumMembersMax + 1, kQuorumMembersMax), "kQuorumMembersMax");
}

TEST_F(QuorumTest, AnswersNothingElse) {
  const auto error_of = [&](const char* method, const Json& params) {
    const auto answer = quorum_->call(method, params);
    return answer ? Errc::usage : answer.error().code;
  };
  EXPECT_EQ(error_of("eth_gasPrice", Json::array()), Errc::unsupported);
  EXPECT_EQ(error_of("anvil_setBalance", Json::array({"0x", "0x"})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_call", Json::array({Json::object()})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_call", Json::array({Json::object(), "pending"})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_call", Json::object()), Errc::unsupported);
  EXPECT_EQ(error_of("eth_getBlockByNumber", Json::array({"0x1", true})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_getBlockByNumber", Json::array({"finalized", false})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_getLogs", Json::array({Json::object()})), Errc::unsupported);
  EXPECT_EQ(error_of("eth_sendRawTransaction", Json::array({"0x0"})), Errc::malformed);
}

}  // namespace
}  // namespace sp::chain
