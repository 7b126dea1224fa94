// providers: registering, deposits, and who is there.
#include <nlohmann/json.hpp>
#include <set>

#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/ids.hpp"
#include "spctl/offers.hpp"
#include "spctl/registry.hpp"

namespace sp::spctl {
namespace {

struct ProviderOptions {
  std::string key = kDefaultKey;
  std::string action_key;
  std::string deposit;
  std::string amount;
  std::string account;
};

Status add_deposit(Context& context, Session& session, const crypto::EthKey& key, Amount amount) {
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session.chain, key, context.clock());
  SP_ASSIGN(const Address registry, session.market.registry());
  const Address& token = session.network.token;
  SP_TRY(execute(sender, session.token.approve(registry, amount), "approving the deposit"));
  SP_TRY(execute(sender, session.market.deposit(registry, token, amount), "depositing"));
  return {};
}

// What is still missing of the wanted deposit; without a wish, of the least that makes a provider
// orderable.
Result<Amount> missing_deposit(Session& session, const Address& authority,
                               const std::string& wish) {
  Amount wanted;
  if (wish.empty()) {
    SP_ASSIGN(wanted, minimum_deposit(session.market));
  } else {
    SP_ASSIGN(wanted, parse_money(session.network, wish));
  }
  SP_ASSIGN(const auto held, session.market.deposit_of(authority, session.network.token));
  return held.first >= wanted ? Amount() : *wanted.minus(held.first);
}

Result<int> register_provider(Context& context, const ProviderOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  Address action = key.address();
  if (options.action_key.starts_with("0x")) {
    SP_ASSIGN(action, typed_id<Address>(options.action_key, "account"));
  } else if (!options.action_key.empty()) {
    SP_ASSIGN(const KeyInfo info, context.keys().info(options.action_key));
    action = info.address;
  }
  SP_ASSIGN(const market::ProviderRecord record, session->market.provider(key.address()));
  if (record.action.is_zero()) {
    SP_ASSIGN(const Address registry, session->market.registry());
    SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
    chain::TxSender sender(session->chain, key, context.clock());
    SP_TRY(execute(sender, market::MarketClient::register_provider(registry, action, key.address()),
                   "registering"));
  }
  SP_ASSIGN(const Amount missing, missing_deposit(*session, key.address(), options.deposit));
  if (missing.units() != 0) SP_TRY(add_deposit(context, *session, key, missing));
  context.console().line("Provider " + key.address().hex0x() + " can make offers.");
  context.console().result({{"provider", key.address().hex0x()}, {"deposited", missing.text()}});
  return 0;
}

Result<int> deposit(Context& context, const ProviderOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_TRY(add_deposit(context, *session, key, amount));
  context.console().line("Deposited " + money(session->network, amount) + ".");
  context.console().result({{"deposited", amount.text()}});
  return 0;
}

Result<int> withdraw(Context& context, const ProviderOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Address registry, session->market.registry());
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->market.withdraw_deposit(registry, session->network.token, amount),
                 "taking back the deposit"));
  context.console().line("Took back " + money(session->network, amount) + ".");
  context.console().result({{"withdrawn", amount.text()}});
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
  SP_ASSIGN(const auto parts, list_part_offers(*session));
  std::set<Address> authorities;
  for (const ListedCompute& offer : offers) authorities.insert(offer.compute.provider);
  for (const ListedPart& offer : parts) authorities.insert(offer.part.owner);
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

Result<int> get_provider(Context& context, const ProviderOptions& options) {
  SP_ASSIGN(const Address authority, typed_id<Address>(options.account, "account"));
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Json json, provider_json(*session, authority));
  context.console().line(json.dump(2));
  context.console().result(json);
  return 0;
}

}  // namespace

void add_provider_commands(Cli& cli) {
  apps::Command providers =
      cli.add(cli.app(), "providers", "Providers: who offers devices, solutions, data or storage",
              "  spctl providers list");
  providers.require_command();
  auto options = std::make_shared<ProviderOptions>();
  const auto add = [&](const char* name, const char* description, const char* example,
                       Result<int> (*act)(Context&, const ProviderOptions&)) {
    apps::Command command =
        cli.add(providers, name, description, std::string("  spctl providers ") + example);
    cli.on(command, [options, act](Context& context) { return act(context, *options); });
    return command;
  };
  apps::Command command = add("register", "Register a key as a provider, and deposit",
                              "register --key owner --deposit 100", register_provider);
  command.add_option("--key", options->key, "Authority account's key").shows_default();
  command.add_option("--action-key", options->action_key,
                     "Key whose account accepts sessions and sends settlements, or the account "
                     "(0x...) that `spnode init provider` printed [the same]");
  command.add_option("--deposit", options->deposit,
                     "Deposit to reach, in tokens [the least that is asked for]");
  for (const bool adding : {true, false}) {
    command = adding
                  ? add("deposit", "Add to a provider's deposit", "deposit 50 --key owner", deposit)
                  : add("withdraw", "Take back what is free of a provider's deposit",
                        "withdraw 50 --key owner", withdraw);
    command.add_option("AMOUNT", options->amount, "In tokens").required();
    command.add_option("--key", options->key, "Authority account's key").shows_default();
  }
  command = cli.add(providers, "list", "All providers with offers", "  spctl providers list");
  cli.on(command, [](Context& context) { return list_providers(context); });
  add("get", "One provider", "get 0x...", get_provider)
      .add_option("PROVIDER", options->account, "Authority account")
      .required();
}

}  // namespace sp::spctl
