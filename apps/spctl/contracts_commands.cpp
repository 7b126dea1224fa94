// contracts: a market on a public network: deploying it, and seeing that it is this one.
#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/contract_deploy.hpp"
#include "spctl/ids.hpp"

namespace sp::spctl {
namespace {

constexpr unsigned kEtherDecimals = 18;
constexpr unsigned kTestTokenDecimals = 18;

struct ContractOptions {
  std::string rpc;
  std::string ca_file;
  std::string key = kDefaultKey;
  std::string token;
  bool test_token = false;
  std::string minimum_deposit = "100";
  bool yes = false;
  std::string market;
};

// An endpoint named on the command line, and typed calls of it.
struct NamedChain {
  NamedChain(const ContractOptions& options, const Clock& clock)
      : endpoint(chain::http_endpoint(options.rpc, clock, {}, options.ca_file)), chain(*endpoint) {}
  std::unique_ptr<chain::RpcEndpoint> endpoint;
  chain::Chain chain;
};

Json found_json(const std::string& rpc, std::uint64_t chain_id, const MarketContracts& found) {
  return {{"rpc", rpc},
          {"chainId", chain_id},
          {"market", found.market.hex0x()},
          {"registry", found.registry.hex0x()},
          {"token", found.token.hex0x()}};
}

Result<DeployOptions> wanted(chain::Chain& chain, const ContractOptions& options) {
  DeployOptions wanted;
  wanted.test_token = options.test_token;
  unsigned decimals = kTestTokenDecimals;
  if (options.token.empty() != options.test_token) {
    return failure(Errc::usage, "the token of security deposits is missing",
                   "a market needs exactly one", "Give --token ADDRESS or --test-token");
  }
  if (!options.test_token) {
    SP_ASSIGN(wanted.token, typed_id<Address>(options.token, "--token"));
    auto places = market::TokenClient(chain, wanted.token).decimals();
    if (!places) return places.error().in("asking the token " + options.token);
    decimals = *places;
  }
  auto amount = Amount::from_tokens(options.minimum_deposit, decimals);
  if (!amount) return Error{Errc::usage, amount.error().in("--minimum-deposit").message};
  wanted.minimum_deposit = *amount;
  return wanted;
}

// The one that was begun and isn't finished, or a new plan; second: whether it was begun.
Result<std::pair<Deployment, bool>> begun_or_planned(Context& context, chain::Chain& chain,
                                                     const Path& file, const Address& deployer,
                                                     const DeployOptions& wanted) {
  auto begun = Deployment::load(context.files(), file);
  if (!begun && begun.error().code != Errc::not_found) return begun.error().in(file.string());
  if (!begun) {
    SP_ASSIGN(Deployment planned, plan_deployment(chain, deployer, wanted));
    return std::pair(std::move(planned), false);
  }
  if (begun->options == wanted) return std::pair(std::move(*begun), true);
  return failure(Errc::conflict, "another deployment of this account isn't finished",
                 "it has another token or deposit: " + file.string(),
                 "Finish it with the same options, or remove that file");
}

// Whether the person at the terminal says yes.
Result<bool> agreed(Context& context, const ContractOptions& options) {
  if (options.yes) return true;
  if (::isatty(STDIN_FILENO) != 1) {
    return failure(Errc::usage, "nothing is deployed", "nobody is there to be asked",
                   "Give --yes to agree to these costs");
  }
  context.console().note("Go on? Type yes:");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes";
}

Status tell_plan(Context& context, chain::Chain& chain, const Deployment& deployment, bool begun) {
  SP_ASSIGN(const Amount cost, deployment.cost_max());
  SP_ASSIGN(const Amount balance, chain.balance(deployment.deployer));
  std::uint64_t gas = 0;
  for (const DeployStep& step : deployment.steps) gas += step.gas_limit;
  Console& console = context.console();
  console.note((begun ? "Going on with the deployment on chain " : "Deploying on chain ") +
               std::to_string(deployment.chain_id) + " from " + deployment.deployer.hex0x() + ":");
  for (const DeployStep& step : deployment.steps) {
    console.note("  " + step.contract + " at " + step.address.hex0x() + ", nonce " +
                 std::to_string(step.nonce));
  }
  console.note("It takes at most " + std::to_string(gas) + " gas, " + cost.tokens(kEtherDecimals) +
               " of the chain's coin at today's fees; the account has " +
               balance.tokens(kEtherDecimals) + ".");
  if (begun || balance >= cost) return {};
  return failure(Errc::refused, "the account can't pay for the deployment",
                 "it has " + balance.tokens(kEtherDecimals) + " of " + cost.tokens(kEtherDecimals),
                 "Send coin to " + deployment.deployer.hex0x());
}

Result<int> deploy(Context& context, const ContractOptions& options) {
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  NamedChain named(options, context.clock());
  SP_ASSIGN(const std::uint64_t chain_id, named.chain.chain_id());
  SP_ASSIGN(const DeployOptions what, wanted(named.chain, options));
  const Path folder = context.home().root() / "contracts";
  const Path file = folder / (std::to_string(chain_id) + "-" + key.address().hex0x() + ".json");
  SP_TRY(context.files().make_folder(folder));
  // From the nonces of the plan to the last transaction.
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  SP_ASSIGN(auto plan, begun_or_planned(context, named.chain, file, key.address(), what));
  auto& [deployment, begun] = plan;
  SP_TRY(tell_plan(context, named.chain, deployment, begun));
  SP_ASSIGN(const bool yes, agreed(context, options));
  if (!yes) return Error{Errc::cancelled, "nothing was deployed, as you wish"};
  SP_ASSIGN(const auto done,
            run_deployment(named.chain, key, context.clock(), context.files(), file, deployment));
  SP_ASSIGN(const MarketContracts found,
            verify_market(named.chain, deployment.address_of("Market")));
  for (const DeployedContract& contract : done) {
    context.console().line(contract.contract + " " + contract.address.hex0x() + "  transaction " +
                           contract.tx.hex0x() + ", " + std::to_string(contract.gas_used) + " gas");
  }
  context.console().line("chain id " + std::to_string(chain_id) + ", start block " +
                         std::to_string(deployment.start_block) +
                         "; each contract's code is what was built");
  Json json = found_json(options.rpc, chain_id, found);
  json["startBlock"] = deployment.start_block;
  context.console().result(json);
  // Told before it is put away: stopped in between, it is told again and deploys nothing.
  SP_TRY(deployment.save(context.files(), folder / (std::to_string(chain_id) + "-market-" +
                                                    found.market.hex0x() + ".json")));
  SP_TRY(discard(context.files(), CrashSite::client_deployed, file));
  return 0;
}

Result<int> verify(Context& context, const ContractOptions& options) {
  SP_ASSIGN(const Address market, typed_id<Address>(options.market, "--market"));
  NamedChain named(options, context.clock());
  SP_ASSIGN(const std::uint64_t chain_id, named.chain.chain_id());
  SP_ASSIGN(const MarketContracts found, verify_market(named.chain, market));
  Console& console = context.console();
  console.line("market   " + found.market.hex0x() + "  is this version's");
  console.line("registry " + found.registry.hex0x() + "  is this version's");
  console.line("token    " + found.token.hex0x() +
               (found.test_token ? "  is the test token: anyone takes as much as he likes"
                                 : "  is somebody else's: judge it yourself"));
  console.line("least deposit of a provider: " + found.minimum_deposit.text() +
               " of the token's smallest unit");
  Json json = found_json(options.rpc, chain_id, found);
  json["testToken"] = found.test_token;
  json["minimumDeposit"] = found.minimum_deposit.text();
  console.result(json);
  return 0;
}

void add_rpc(apps::Command command, ContractOptions& options) {
  command.add_option("--rpc", options.rpc, "URL of a chain's JSON-RPC endpoint").required();
  command.add_option("--ca-file", options.ca_file,
                     "Who may vouch for an https endpoint besides the system's, in PEM");
}

}  // namespace

void add_contracts_commands(Cli& cli) {
  apps::Command group = cli.add(cli.app(), "contracts", "A market's contracts on a network",
                                "  spctl contracts deploy --help");
  group.require_command();
  auto options = std::make_shared<ContractOptions>();
  apps::Command command = cli.add(
      group, "deploy", "Deploy a market; stopped half-way, run it again to go on",
      "  spctl contracts deploy --rpc https://rpc.example --key deployer --token 0x...\n"
      "  spctl contracts deploy --rpc https://rpc.example --key deployer --test-token --yes");
  add_rpc(command, *options);
  command.add_option("--key", options->key, "Key of the account that pays").shows_default();
  command.add_option("--token", options->token, "The token of security deposits");
  command.add_flag("--test-token", options->test_token,
                   "Deploy a token whose faucet gives to anyone");
  command
      .add_option("--minimum-deposit", options->minimum_deposit,
                  "What a provider deposits at least, in whole tokens")
      .shows_default();
  command.add_flag("--yes", options->yes, "Don't ask");
  cli.on(command, [options](Context& context) { return deploy(context, *options); });
  command = cli.add(group, "verify", "Check a market's code, and its registry's, byte for byte",
                    "  spctl contracts verify --rpc https://rpc.example --market 0x...");
  add_rpc(command, *options);
  command.add_option("--market", options->market, "The market's address").required();
  cli.on(command, [options](Context& context) { return verify(context, *options); });
}

}  // namespace sp::spctl
