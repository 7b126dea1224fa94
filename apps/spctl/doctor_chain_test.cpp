// Each problem that `spctl doctor` names of a chain and its contracts, provoked by a node that
// answers as it is told.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "chain/abi.hpp"
#include "chain/rpc_json.hpp"
#include "chain/testing/fake_endpoint.hpp"
#include "spctl/contract_check.hpp"
#include "spctl/doctor_checks.hpp"

namespace sp::spctl {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kChainId = 7;
constexpr const char* kRpc = "https://chain.example";

Address account(char digit) { return Address::from_hex(std::string(40, digit)).value(); }

// A node with this version's contracts, and what a test has changed.
class DoctorChain : public ::testing::Test {
 protected:
  DoctorChain() {
    network_.rpc = kRpc;
    network_.market = {kChainId, market_};
    network_.token = token_;
    code_[market_] = market_runtime(kChainId, market_, registry_);
    code_[registry_] = registry_runtime(token_, Amount(5));
    code_[token_] = test_token_runtime(kChainId, token_);
  }

  std::vector<Finding> check() { return check_chain(chain_, network_); }
  // What is found of one of the three; fails the test where there is no such finding.
  Finding found(const std::string& what) {
    for (Finding& finding : check()) {
      if (finding.check == what) return std::move(finding);
    }
    ADD_FAILURE() << "nothing about the " << what;
    return {};
  }
  static void expect(const Finding& finding, Health health, const std::string& words) {
    EXPECT_EQ(finding.health, health) << finding.says;
    EXPECT_THAT(finding.says, HasSubstr(words));
    EXPECT_EQ(finding.advice.empty(), health == Health::ok);
  }

  const Address market_ = account('a'), registry_ = account('b'), token_ = account('c');
  apps::Network network_;
  std::uint64_t chain_id_ = kChainId;
  std::map<Address, Bytes> code_;
  std::optional<Error> error_;       // of every call
  std::optional<Address> codeless_;  // whose code the node doesn't tell

 private:
  Result<Json> answer(const std::string& method, const Json& params) {
    if (error_) return *error_;
    if (method == "eth_chainId") return Json(chain::quantity_text(chain_id_));
    if (method == "eth_call") {
      return Json(view(params[0]["to"].get<std::string>(), params[0]["data"].get<std::string>()));
    }
    EXPECT_EQ(method, "eth_getCode");
    const Address at = Address::from_hex(params[0].get<std::string>().substr(2)).value();
    if (codeless_ == at) return Error{Errc::unavailable, "no state"};
    return Json("0x" + to_hex(code_[at]));
  }
  // Ours answer their getters; others, and nobody, nothing.
  std::string view(const std::string& to, const std::string& data) {
    const auto is = [&](const Address& contract, std::string_view getter) {
      return to == contract.hex0x() && !code_[contract].empty() &&
             data == "0x" + to_hex(chain::abi_call(getter, {}).value());
    };
    const std::string word(24, '0');
    if (is(market_, "registry()")) return "0x" + word + registry_.hex();
    if (is(registry_, "securityToken()")) return "0x" + word + token_.hex();
    if (is(registry_, "minimumDeposit()")) return Amount(5).word().hex0x();
    return "0x";
  }

  chain::testing::FakeEndpoint endpoint_{
      [this](const auto& method, const auto& params) { return answer(method, params); }};
  chain::Chain chain_{endpoint_};
};

TEST_F(DoctorChain, AWholeOneIsWell) {
  const auto findings = check();
  ASSERT_EQ(findings.size(), 3U);
  expect(findings[0], Health::ok, std::string(kRpc) + ", chain 7");
  expect(findings[1], Health::ok, market_.hex0x() + " is this version's");
  expect(findings[2], Health::ok, token_.hex0x());
}

TEST_F(DoctorChain, AnEndpointThatIsAway) {
  error_ = Error{Errc::unavailable, "Connection refused"};
  const auto findings = check();
  ASSERT_EQ(findings.size(), 1U) << "nothing else can be asked";
  expect(findings[0], Health::problem, std::string(kRpc) + ": Connection refused");
}

TEST_F(DoctorChain, AnotherChain) {
  chain_id_ = 8;
  const auto findings = check();
  ASSERT_EQ(findings.size(), 1U) << "what stands at these addresses there says nothing";
  expect(findings[0], Health::problem, std::string(kRpc) + " is of chain 8, the network is on 7");
}

TEST_F(DoctorChain, NoMarket) {
  code_.erase(market_);
  expect(found("market"), Health::problem, market_.hex0x() + " isn't the market");
  expect(found("token"), Health::ok, "");
}

TEST_F(DoctorChain, AnotherVersionsMarket) {
  code_[market_].back() ^= 1;
  expect(found("market"), Health::warning,
         "isn't this version's (" + std::to_string(code_[market_].size()) + " bytes) from byte " +
             std::to_string(code_[market_].size() - 1) + " on");
}

TEST_F(DoctorChain, AMarketThatIsOfAnotherChain) {
  code_[market_] = market_runtime(kChainId + 1, market_, registry_);
  expect(found("market"), Health::warning, "the market isn't at " + market_.hex0x());
}

TEST_F(DoctorChain, AMarketOverSomebodysRegistry) {
  code_[registry_] = registry_runtime(token_, Amount(6));
  expect(found("market"), Health::warning, "the registry isn't at " + registry_.hex0x());
}

TEST_F(DoctorChain, AContractThatIsNoMarket) {
  network_.market.contract = token_;
  expect(found("market"), Health::warning, token_.hex0x() + " isn't the market");
}

TEST_F(DoctorChain, NoToken) {
  code_.erase(token_);
  expect(found("token"), Health::problem, "no contract at " + token_.hex0x());
}

TEST_F(DoctorChain, ATokenOfWhichNothingIsTold) {
  codeless_ = token_;
  expect(found("token"), Health::problem, "no state");
}

TEST(DoctorProgram, ThatIsNotInstalled) {
  const Finding missing = check_program("sploader", {});
  EXPECT_EQ(missing.health, Health::problem);
  EXPECT_EQ(missing.check, "sploader");
  EXPECT_EQ(missing.says, "not found");
  EXPECT_THAT(missing.advice, HasSubstr("Install superprotocol-node"));
  const Finding there = check_program("sploader", "/usr/lib/superprotocol/sploader");
  EXPECT_EQ(there.health, Health::ok);
  EXPECT_EQ(there.says, "/usr/lib/superprotocol/sploader");
}

}  // namespace
}  // namespace sp::spctl
