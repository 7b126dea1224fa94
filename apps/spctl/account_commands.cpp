// keys, tokens, providers: accounts and their money.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/deployment.hpp"
#include "spctl/offers.hpp"

namespace sp::spctl {
namespace {

struct AccountOptions {
  std::string key = kDefaultKey;
  std::string name;
  std::string to;
  std::string amount = "1000";
  std::string account;
  std::string action_key;
};

Json key_json(const KeyInfo& key) { return {{"name", key.name}, {"address", key.address.hex0x()}}; }

Result<int> create_key(Context& context, const AccountOptions& options) {
  SP_TRY(context.keys().create(options.name));
  SP_ASSIGN(const KeyInfo key, context.keys().info(options.name));
  context.console().line(key.address.hex0x());
  context.console().result(key_json(key));
  return 0;
}

Result<int> list_keys(Context& context) {
  SP_ASSIGN(const auto keys, context.keys().list());
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"NAME", "ADDRESS"}};
  for (const KeyInfo& key : keys) {
    rows.push_back({key.name, key.address.hex0x()});
    all.push_back(key_json(key));
  }
  context.console().text(table(rows));
  context.console().result({{"keys", std::move(all)}});
  return 0;
}

Result<int> show_key(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const KeyInfo key, context.keys().info(options.name));
  SP_ASSIGN(const crypto::X25519KeyPair result, context.keys().load_result_key(options.name));
  Json json = key_json(key);
  json["resultKey"] = result.public_key.hex();
  context.console().line(json.dump(2));
  context.console().result(json);
  return 0;
}

Result<int> balance(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const KeyInfo key, context.keys().info(options.key));
  SP_ASSIGN(const Amount wallet, session->token.balance(key.address));
  SP_ASSIGN(const Amount earned, session->market.balance(key.address, session->network.token));
  context.console().line("wallet       " + money(session->network, wallet));
  context.console().line("to withdraw  " + money(session->network, earned));
  context.console().result(
      {{"account", key.address.hex0x()}, {"wallet", wallet.text()}, {"toWithdraw", earned.text()}});
  return 0;
}

Result<int> transfer(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Address to, Address::from_hex(options.to));
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->token.transfer(to, amount), "transferring"));
  context.console().line("Sent " + money(session->network, amount) + " to " + to.hex0x());
  context.console().result({{"to", to.hex0x()}, {"amount", amount.text()}});
  return 0;
}

Result<int> faucet(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  if (session->network.market.chain_id == kLocalChainId) {
    SP_TRY(give_ether(session->chain, key.address()));
  }
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->token.faucet(amount), "asking the faucet"));
  context.console().line("Got " + money(session->network, amount) + " of play money");
  context.console().result({{"account", key.address().hex0x()}, {"amount", amount.text()}});
  return 0;
}

Result<int> withdraw(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Amount earned, session->market.balance(key.address(), session->network.token));
  if (earned.units() != 0) {
    chain::TxSender sender(session->chain, key, context.clock());
    SP_TRY(execute(sender, session->market.withdraw(session->network.token, key.address()),
                   "withdrawing"));
  }
  context.console().line("Withdrew " + money(session->network, earned));
  context.console().result({{"account", key.address().hex0x()}, {"amount", earned.text()}});
  return 0;
}

Result<int> register_provider(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const KeyInfo action, context.keys().info(options.action_key));
  SP_TRY(ensure_provider(*session, key, action.address, context.clock()));
  context.console().line("Provider " + key.address().hex0x() + " can be ordered");
  context.console().result({{"provider", key.address().hex0x()}});
  return 0;
}

Result<Json> provider_json(Session& session, const Address& authority) {
  SP_ASSIGN(const market::ProviderRecord record, session.market.provider(authority));
  SP_ASSIGN(const bool active, session.market.is_active(authority));
  SP_ASSIGN(const auto deposit, session.market.deposit_of(authority, session.network.token));
  return Json{{"provider", authority.hex0x()},       {"action", record.action.hex0x()},
              {"receiver", record.receiver.hex0x()}, {"active", active},
              {"deposit", deposit.first.text()},     {"locked", deposit.second.text()}};
}

Result<int> list_providers(Context& context) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const auto offers, list_compute_offers(*session));
  std::set<Address> authorities;
  for (const ListedCompute& offer : offers) authorities.insert(offer.compute.provider);
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"PROVIDER", "ACTIVE", "DEPOSIT", "LOCKED"}};
  for (const Address& authority : authorities) {
    SP_ASSIGN(Json json, provider_json(*session, authority));
    rows.push_back(
        {authority.hex0x(), json["active"] ? "yes" : "no", json["deposit"], json["locked"]});
    all.push_back(std::move(json));
  }
  context.console().text(table(rows));
  context.console().result({{"providers", std::move(all)}});
  return 0;
}

Result<int> get_provider(Context& context, const AccountOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Address authority, Address::from_hex(options.account));
  SP_ASSIGN(const Json json, provider_json(*session, authority));
  context.console().line(json.dump(2));
  context.console().result(json);
  return 0;
}

CLI::App* add_group(Cli& cli, const std::string& name, const std::string& description,
                    const std::string& examples) {
  CLI::App* group = cli.add(cli.app(), name, description, examples);
  group->require_subcommand(1);
  return group;
}

}  // namespace

void add_key_commands(Cli& cli) {
  CLI::App* keys = add_group(cli, "keys", "Your keys", "  spctl keys list");
  auto options = std::make_shared<AccountOptions>();
  CLI::App* command = cli.add(*keys, "create", "Make a key", "  spctl keys create data-owner");
  command->add_option("NAME", options->name, "Name of the key")->required();
  cli.on(command, [options](Context& context) { return create_key(context, *options); });
  command = cli.add(*keys, "list", "All keys", "  spctl keys list --json");
  cli.on(command, [](Context& context) { return list_keys(context); });
  command = cli.add(*keys, "show", "One key's public side", "  spctl keys show me");
  command->add_option("NAME", options->name, "Name of the key")->required();
  cli.on(command, [options](Context& context) { return show_key(context, *options); });
}

void add_token_commands(Cli& cli) {
  CLI::App* tokens = add_group(cli, "tokens", "Money", "  spctl tokens balance");
  auto options = std::make_shared<AccountOptions>();
  const auto add = [&](const std::string& name, const std::string& description,
                       Result<int> (*act)(Context&, const AccountOptions&)) {
    CLI::App* command = cli.add(*tokens, name, description, "  spctl tokens " + name + " --key me");
    command->add_option("--key", options->key, "Whose")->capture_default_str();
    cli.on(command, [options, act](Context& context) { return act(context, *options); });
    return command;
  };
  add("balance", "What a key has, and what it can withdraw", balance);
  add("withdraw", "Take what was earned or refunded", withdraw);
  add("faucet", "Play money of a local chain", faucet)
      ->add_option("AMOUNT", options->amount, "In tokens")
      ->capture_default_str();
  CLI::App* command = add("transfer", "Send tokens", transfer);
  command->add_option("TO", options->to, "Account")->required();
  command->add_option("AMOUNT", options->amount, "In tokens")->required();
}

void add_provider_commands(Cli& cli) {
  CLI::App* providers = add_group(cli, "providers", "Providers", "  spctl providers list");
  auto options = std::make_shared<AccountOptions>();
  CLI::App* command = cli.add(*providers, "register", "Register a key as a provider, and deposit",
                              "  spctl providers register --key owner --action-key owner-action");
  command->add_option("--key", options->key, "Authority account's key")->required();
  command->add_option("--action-key", options->action_key, "Action account's key")->required();
  cli.on(command, [options](Context& context) { return register_provider(context, *options); });
  command = cli.add(*providers, "list", "Providers with compute offers", "  spctl providers list");
  cli.on(command, [](Context& context) { return list_providers(context); });
  command = cli.add(*providers, "get", "One provider", "  spctl providers get 0x...");
  command->add_option("PROVIDER", options->account, "Authority account")->required();
  cli.on(command, [options](Context& context) { return get_provider(context, *options); });
}

}  // namespace sp::spctl
