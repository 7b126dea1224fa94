// Of which chain a quorum is: what its members' settings got wrong is told apart from a member that
// is away.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "chain/quorum.hpp"
#include "chain/testing/fake_node.hpp"

namespace sp::chain {
namespace {

using std::chrono::milliseconds;
using testing::FakeNode;

const Json kOtherId = "0x1";
const Json kThird = "0x2";
const Error kDown{Errc::unavailable, "down"};
const Error kNo{Errc::refused, "eth_chainId: no (-32000)"};

// What the members say of their chain's id.
class QuorumChainId : public ::testing::Test {
 protected:
  void make(std::size_t k, const std::vector<Result<Json>>& said) {
    quorum_.reset();
    nodes_.clear();
    std::vector<std::unique_ptr<RpcEndpoint>> members;
    for (const Result<Json>& answer : said) {
      nodes_.push_back(std::make_unique<FakeNode>(1));
      nodes_.back()->lie([answer](const std::string&, const Json&) { return answer; });
      members.push_back(nodes_.back()->endpoint());
    }
    const QuorumTimes times{milliseconds(20'000), milliseconds(5'000), milliseconds(20'000)};
    quorum_ = quorum_endpoint(std::move(members), k, times);
  }
  Result<std::uint64_t> id() { return Chain(*quorum_).chain_id(); }
  Errc error(std::size_t k, const std::vector<Result<Json>>& said) {
    make(k, said);
    const auto found = id();
    EXPECT_FALSE(found.ok());
    return found ? Errc::cancelled : found.error().code;
  }

  const Json right_ = "0x7a69";
  std::vector<std::unique_ptr<FakeNode>> nodes_;
  std::unique_ptr<QuorumEndpoint> quorum_;
};

TEST_F(QuorumChainId, WhoLiesKeepsNobodyFromStarting) {
  make(2, {right_, right_, kOtherId});
  EXPECT_EQ(id().value(), 31337U);
}

TEST_F(QuorumChainId, IsTheSettingsErrorWhereNoOtherAnswerMakesThemAgree) {
  make(2, {right_, kOtherId, kThird});
  EXPECT_EQ(id().error(), (Error{Errc::usage,
                                 "the endpoints are of different chains: 0x7a69 and "
                                 "0x1 and 0x2"}));
  EXPECT_EQ(error(2, {right_, kOtherId}), Errc::usage);
  EXPECT_EQ(error(3, {right_, right_, kOtherId, kOtherId}), Errc::usage);
  EXPECT_EQ(error(4, {right_, right_, kOtherId, kOtherId, kDown}), Errc::usage);
}

// A daemon would end with an error of the settings, with all its markets.
TEST_F(QuorumChainId, WaitsForAMemberThatIsAwayAndCouldMakeThemAgree) {
  EXPECT_EQ(error(2, {right_, kDown, kOtherId}), Errc::unavailable);
  EXPECT_EQ(error(2, {right_, kNo, kOtherId}), Errc::unavailable);
  EXPECT_EQ(error(3, {right_, right_, kOtherId, kOtherId, kDown}), Errc::unavailable);
  EXPECT_EQ(error(2, {kDown, kDown, kOtherId}), Errc::unavailable);
  make(2, {right_, kDown, kOtherId});
  EXPECT_FALSE(id().ok());
  nodes_[1]->lie({});  // is back
  EXPECT_EQ(id().value(), 31337U);
}

}  // namespace
}  // namespace sp::chain
