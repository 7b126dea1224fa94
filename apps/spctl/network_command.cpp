// network: makes a network.json of the cards that operators hand out.
#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "common/card.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/deployment.hpp"
#include "spctl/ids.hpp"

namespace sp::spctl {
namespace {

using apps::Card;

struct NetworkOptions {
  std::string rpc;
  std::uint64_t chain_id = 0;
  std::string market;
  std::string token;
  std::string token_symbol = "TEE";
  unsigned token_decimals = 18;
  std::uint64_t start_block = 0;
  std::uint32_t confirmations = 1;
  std::string store;
  std::string broker;
  std::vector<std::string> providers;
  std::vector<std::string> ca_files;
};

Result<Card> load_card(const Files& files, const std::string& file, const std::string& role) {
  SP_ASSIGN(Card card, Card::load(files, file));
  if (card.role == role) return card;
  return failure(Errc::usage, file + " can't be used", "it is the card of a " + card.role,
                 "Give it with --" + card.role);
}

// Loaders of every listed provider are believed: the network's policy names them all.
void accept_loaders(attest::AppraisalPolicy& policy, const attest::AppraisalPolicy& more) {
  const auto add = [](auto& list, const auto& others) {
    for (const auto& value : others) {
      if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
    }
  };
  add(policy.kinds, more.kinds);
  add(policy.measurements, more.measurements);
  add(policy.tcb_statuses, more.tcb_statuses);
  add(policy.dev_keys, more.dev_keys);
}

// What the cards say, in the network and in the certificates that may vouch for its services.
struct Assembly {
  apps::Network network;
  std::string certificates;

  void trust(const std::string& pem) {
    if (certificates.find(pem) == std::string::npos) certificates += pem;
  }
};

Status add_cards(const Files& files, const NetworkOptions& options, Assembly& assembly) {
  SP_ASSIGN(const Card store, load_card(files, options.store, "store"));
  SP_ASSIGN(const Card broker, load_card(files, options.broker, "broker"));
  assembly.network.store = {store.url, store.address};
  assembly.network.broker = {broker.url, broker.address};
  if (broker.tee) assembly.network.broker_tee = *broker.tee;
  assembly.trust(store.certificate);
  assembly.trust(broker.certificate);
  for (const std::string& file : options.providers) {
    SP_ASSIGN(const Card provider, load_card(files, file, "provider"));
    assembly.network.services[provider.address] = provider.url;
    if (provider.tee) accept_loaders(assembly.network.loader_tee, *provider.tee);
    assembly.trust(provider.certificate);
  }
  for (const std::string& file : options.ca_files) {
    SP_ASSIGN(const Bytes pem, files.read(file, apps::kCaFileSizeMax));
    assembly.trust(std::string(as_text(pem)));
  }
  return {};
}

Result<Assembly> assemble(const Files& files, const NetworkOptions& options) {
  Assembly assembly;
  apps::Network& network = assembly.network;
  network.rpc = options.rpc;
  network.market.chain_id = options.chain_id;
  SP_ASSIGN(network.market.contract, typed_id<Address>(options.market, "--market"));
  SP_ASSIGN(network.token, typed_id<Address>(options.token, "--token"));
  network.token_symbol = options.token_symbol;
  network.token_decimals = options.token_decimals;
  network.start_block = options.start_block;
  network.confirmations = options.confirmations;
  SP_TRY(add_cards(files, options, assembly));
  return assembly;
}

Result<int> create(Context& context, const NetworkOptions& options) {
  SP_ASSIGN(Assembly assembly, assemble(context.files(), options));
  if (options.confirmations == 1 && options.chain_id != kLocalChainId) {
    context.console().note(
        "One confirmation suffices in this network: on a public chain, which may take blocks back, "
        "give --confirmations.");
  }
  const Path file = context.home().network();
  SP_TRY(context.files().make_folder(file.parent_path()));
  if (!assembly.certificates.empty()) {
    assembly.network.ca_file = file.parent_path() / apps::kCaFile;
    SP_TRY(keep(context.files(), CrashSite::client_network_ca, assembly.network.ca_file,
                as_bytes(assembly.certificates), FileMode::everyone));
  }
  SP_TRY(assembly.network.save(context.files(), file));
  context.console().line(
      "The network is in " + file.string() +
      (assembly.certificates.empty()
           ? "."
           : ", whom it trusts in " + assembly.network.ca_file.string() + ": hand out both."));
  context.console().result({{"network", file.string()},
                            {"caFile", assembly.network.ca_file.string()},
                            {"providers", assembly.network.services.size()}});
  return 0;
}

}  // namespace

void add_network_command(Cli& cli) {
  apps::Command group = cli.add(cli.app(), "network", "The network that this home uses",
                                "  spctl network create --help");
  group.require_command();
  auto options = std::make_shared<NetworkOptions>();
  apps::Command command = cli.add(
      group, "create", "Make network.json of the cards that `spnode init` wrote",
      "  spctl network create --rpc https://rpc.example --chain-id 137 --market 0x... --token "
      "0x... "
      "\\\n    --start-block 71000000 --store store.json --broker broker.json --provider one.json");
  command.add_option("--rpc", options->rpc, "URL of a chain's JSON-RPC endpoint").required();
  command.add_option("--chain-id", options->chain_id, "The chain's id").required();
  command.add_option("--market", options->market, "The market's address").required();
  command.add_option("--token", options->token, "The token that prices are in").required();
  command.add_option("--token-symbol", options->token_symbol, "Its name").shows_default();
  command.add_option("--token-decimals", options->token_decimals, "Places behind the point")
      .range(0, 38)
      .shows_default();
  command.add_option("--start-block", options->start_block, "Block before the market's first");
  command.add_option("--confirmations", options->confirmations, "Blocks until an order counts")
      .range(1, 10'000)
      .shows_default();
  command.add_option("--store", options->store, "The store's card").required();
  command.add_option("--broker", options->broker, "The broker's card").required();
  command.add_option("--provider", options->providers, "A provider's card; any number");
  command.add_option(
      "--ca-file", options->ca_files,
      "Others who may vouch for https servers, besides the cards' and the system's; PEM");
  cli.on(command, [options](Context& context) { return create(context, *options); });
}

}  // namespace sp::spctl
