// tokens: balances, transfers, play money, and what was earned.
#include <nlohmann/json.hpp>

#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/deployment.hpp"
#include "spctl/ids.hpp"

namespace sp::spctl {
namespace {

constexpr unsigned kEtherDecimals = 18;

struct TokenOptions {
  std::string key = kDefaultKey;
  std::string account;  ///< whose balance; empty = the key's
  std::string to;
  std::string amount = "1000";
};

Result<int> balance(Context& context, const TokenOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  Address account;
  if (options.account.empty()) {
    SP_ASSIGN(const KeyInfo key, context.keys().info(options.key));
    account = key.address;
  } else {
    SP_ASSIGN(account, typed_id<Address>(options.account, "account"));
  }
  const apps::Network& network = session->network;
  SP_ASSIGN(const Amount wallet, session->token.balance(account));
  SP_ASSIGN(const Amount earned, session->market.balance(account, network.token));
  SP_ASSIGN(const Amount ether, session->chain.balance(account));
  context.console().line("account      " + account.hex0x());
  context.console().line("wallet       " + money(network, wallet));
  context.console().line("to withdraw  " + money(network, earned));
  context.console().line("for fees     " + ether.tokens(kEtherDecimals) + " ether");
  context.console().result({{"account", account.hex0x()},
                            {"wallet", wallet.text()},
                            {"toWithdraw", earned.text()},
                            {"ether", ether.text()}});
  return 0;
}

Result<int> transfer(Context& context, const TokenOptions& options) {
  SP_ASSIGN(const Address to, typed_id<Address>(options.to, "account"));
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->token.transfer(to, amount), "transferring"));
  context.console().line("Sent " + money(session->network, amount) + " to " + to.hex0x());
  context.console().result({{"to", to.hex0x()}, {"amount", amount.text()}});
  return 0;
}

Result<int> faucet(Context& context, const TokenOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const Amount amount, parse_money(session->network, options.amount));
  if (session->network.market.chain_id == kLocalChainId) {
    SP_TRY(give_ether(session->chain, key.address()));
  }
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->token.faucet(amount), "asking the faucet"));
  context.console().line("Got " + money(session->network, amount) + " of play money");
  context.console().result({{"account", key.address().hex0x()}, {"amount", amount.text()}});
  return 0;
}

Result<int> withdraw(Context& context, const TokenOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
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

}  // namespace

void add_token_commands(Cli& cli) {
  apps::Command tokens = cli.add(cli.app(), "tokens", "Money", "  spctl tokens balance");
  tokens.require_command();
  auto options = std::make_shared<TokenOptions>();
  const auto add = [&](const std::string& name, const std::string& description,
                       const std::string& example,
                       Result<int> (*act)(Context&, const TokenOptions&)) {
    apps::Command command = cli.add(tokens, name, description, "  spctl tokens " + example);
    command.add_option("--key", options->key, "Whose").shows_default();
    cli.on(command, [options, act](Context& context) { return act(context, *options); });
    return command;
  };
  add("balance", "What an account has, and what it can withdraw", "balance --key me", balance)
      .add_option("ACCOUNT", options->account, "Any account's address [the key's]");
  add("withdraw", "Take what was earned or refunded", "withdraw --key provider", withdraw);
  add("faucet", "Play money of a local chain", "faucet 500 --key alice", faucet)
      .add_option("AMOUNT", options->amount, "In tokens")
      .shows_default();
  apps::Command command = add("transfer", "Send tokens", "transfer 0x... 1.5 --key me", transfer);
  command.add_option("TO", options->to, "Account").required();
  command.add_option("AMOUNT", options->amount, "In tokens").required();
}

}  // namespace sp::spctl
