#include "side_chain.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/testing/must.hpp"
#include "prove/dev.hpp"
#include "spctl/deployment.hpp"

namespace sp::hostile {
namespace {

constexpr std::size_t kOutputMax = 1 << 20;
constexpr std::chrono::seconds kRunLimit{60};

// The same bytes every time, so that the deployer is the same on every chain.
class SameRandom final : public Random {
 public:
  void fill(MutableByteView out) override {
    for (std::uint8_t& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0x10;
};

}  // namespace

SideChain::SideChain(Town& town, std::uint64_t chain_id)
    : town_(town),
      anvil_(chain::testing::Anvil::start({"--chain-id", std::to_string(chain_id)})),
      home_(town.work() / ("home-" + std::to_string(chain_id))) {
  SP_CHECK(anvil_ != nullptr);
  apps::Network network = town.network();
  network.rpc = anvil_->url();
  const auto endpoint = chain::http_endpoint(network.rpc, town.clock());
  chain::Chain chain(*endpoint);
  SameRandom random;
  const spctl::Contracts contracts = must(spctl::deploy_contracts(chain, town.clock(), random));
  network.market = {chain_id, contracts.market};
  network.token = contracts.token;
  network.start_block = contracts.block;
  session_ = std::make_unique<spctl::Session>(network, town.clock());
  must(session_->market.registry());
  give(town.provider());
  must(spctl::give_ether(session_->chain, town.action().address()));
  must(spctl::ensure_provider(*session_, town.provider(), town.action().address(), town.clock()));
  const Bytes platform = must(town.files().read(town.home() / "provider" / "state" / "platform",
                                                prove::kDevPlatformSizeMax));
  const auto offers = spctl::local_offers(network, town.provider().address(),
                                          must(prove::DevPlatform::decode(platform)).chip());
  compute_ = offers.compute;
  storage_ = offers.storage;
  must(spctl::ensure_offers(*session_, town.provider(), offers, town.clock()));
  make_home();
}

void SideChain::make_home() {
  must(town_.files().make_folder(home_));
  must(network().save(town_.files(), home_ / "network.json"));
  spctl::KeyRing keys(town_.files(), town_.random(), home_ / "keys", "");
  must(keys.create(spctl::kDefaultKey));
  give(must(keys.load(spctl::kDefaultKey)));
}

Json SideChain::market(bool provider) const {
  Json json{{"rpc", network().rpc},
            {"chainId", network().market.chain_id},
            {"market", network().market.contract.hex0x()},
            {"startBlock", network().start_block}};
  if (!provider) return json;
  json["confirmations"] = 1;
  json["capacity"] = 1;
  json["queue"] = 8;
  return json;
}

void SideChain::give(const crypto::EthKey& key) {
  must(spctl::give_ether(session_->chain, key.address()));
  must(spctl::give_tokens(*session_, key, town_.clock()));
}

Result<chain::TxReceipt> SideChain::send(const crypto::EthKey& key,
                                         const chain::TxSender::Call& call) {
  return chain::TxSender(session_->chain, key, town_.clock()).execute(call);
}

int SideChain::run(const std::vector<std::string>& argv) {
  ProcessOptions options;
  options.argv = {town_.program("spctl").string(),
                  "--home",
                  home_.string(),
                  "run",
                  town_.image().string(),
                  "--out",
                  (home_ / "result").string(),
                  "--"};
  options.argv.insert(options.argv.end(), argv.begin(), argv.end());
  options.environment = basic_environment();
  std::filesystem::remove_all(home_ / "result");
  const CommandOutput ran = must(run_command(options, kRunLimit, kOutputMax));
  if (ran.end.exit_code < 0 || ran.end.exit_code > 2) return ran.end.exit_code;
  if (ran.end.exit_code != 0) ADD_FAILURE() << ran.text;
  return ran.end.exit_code;
}

}  // namespace sp::hostile
