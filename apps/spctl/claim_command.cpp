#include "spctl/claim_command.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/remote.hpp"
#include "chain/log_search.hpp"
#include "market/pricing.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/ids.hpp"
#include "spctl/order_files.hpp"

namespace sp::spctl {
namespace {

struct ClaimOptions {
  std::string order;
  std::string key = kDefaultKey;
};

struct OwedOptions {
  std::string key = kDefaultKey;
  std::uint64_t from_block = 0;
};

struct CloseOptions {
  std::string order;
  std::string key;
};

// The terms of an order that this home needn't have made. Errc::not_found.
Result<api::Terms> terms_on_chain(Session& session, const api::OrderId& id) {
  SP_ASSIGN(const chain::Block newest, session.chain.block());
  SP_ASSIGN(market::CreatedEvent created,
            session.market.find_created(id, session.network.start_block, newest.number));
  return std::move(created.terms);
}

// Whether a claim pays this owner.
bool is_claimable(const api::Terms& terms, std::size_t part, const Address& owner) {
  return market::claimable(terms, part) != Amount() && terms.parts[part].owner == owner;
}

// The requests that the brokers of the owner's parts have kept and that a claim can show: for a
// part of the owner's, by a session that isn't known to have begun nothing.
Result<std::vector<broker::KeptRequest>> claims_of(Context& context, Session& session,
                                                   const api::Terms& terms, const Address& owner) {
  const api::OrderId id = terms.order_id(session.network.market);
  std::set<Address> brokers;
  for (std::size_t part = 0; part < terms.parts.size(); ++part) {
    if (!is_claimable(terms, part, owner)) continue;
    brokers.insert(terms.parts[part].brokers.begin(), terms.parts[part].brokers.end());
  }
  std::vector<broker::KeptRequest> all;
  for (const Address& address : brokers) {
    SP_ASSIGN(const std::string url, session.url_of(address));
    SP_ASSIGN(auto kept, broker::BrokerClient(context.http(), url).requests(id));
    std::map<Address, bool> acquitted;
    for (broker::KeptRequest& entry : kept) {
      const Address& who = entry.attestation.statement.session;
      const api::KeyRequest& request = entry.request.statement;
      if (request.run.order != id || !is_claimable(terms, request.part, owner)) continue;
      if (!entry.request.verify(session.network.market, who)) continue;
      if (!acquitted.contains(who)) {
        SP_ASSIGN(acquitted[who], session.market.is_acquitted(id, who));
      }
      if (!acquitted[who]) all.push_back(std::move(entry));
    }
  }
  return all;
}

Status check_phase(Session& session, const api::Terms& terms) {
  SP_ASSIGN(const market::Phase phase, session.market.phase(terms));
  if (phase == market::Phase::claiming) return {};
  return failure(
      Errc::conflict, "there is nothing to claim now",
      "the order is in phase " + std::string(market::phase_name(phase)),
      "A claim counts for the claim window, which begins after the settle window, or as long "
      "after a settlement that leaves owners unpaid");
}

Result<Json> claim_parts(Context& context, Session& session, const api::Terms& terms,
                         const crypto::EthKey& owner) {
  SP_ASSIGN(const auto claims, claims_of(context, session, terms, owner.address()));
  SP_ASSIGN(const auto turn, take_account_turn(context, owner.address()));
  chain::TxSender sender(session.chain, owner, context.clock());
  Json claimed = Json::array();
  std::set<std::uint8_t> done;
  Status failed;
  for (const broker::KeptRequest& entry : claims) {
    const std::uint8_t part = entry.request.statement.part;
    if (done.contains(part)) continue;
    const auto sent = execute(sender, session.market.claim(terms, entry.attestation, entry.request),
                              "claiming part " + std::to_string(part));
    if (!sent) {
      // Anyone may have claimed a part for its owner already: that must not keep the others. Nor
      // must one session's attestation that no longer counts, where a later one's does.
      failed = sent.error();
      context.console().note(failed.error().message);
      continue;
    }
    done.insert(part);
    claimed.push_back({{"part", part}, {"amount", terms.parts[part].price.text()}});
    context.console().line("Part " + std::to_string(part) + ": claimed " +
                           money(session.network, terms.parts[part].price) +
                           " from the provider's deposit.");
  }
  if (claimed.empty()) SP_TRY(failed);
  return claimed;
}

Result<int> claim(Context& context, const ClaimOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const auto id, typed_id<api::OrderId>(options.order, "order"));
  SP_ASSIGN(const crypto::EthKey owner, context.keys().load(options.key));
  SP_ASSIGN(const api::Terms terms, terms_on_chain(*session, id));
  SP_TRY(check_phase(*session, terms));
  SP_ASSIGN(Json claimed, claim_parts(context, *session, terms, owner));
  if (claimed.empty()) {
    return failure(Errc::not_found, "nothing was claimed",
                   "no session had the key of a part of " + owner.address().hex0x() +
                       " with a fixed price, or none that began the workload",
                   "Nothing is owed: the provider had no use of anything of yours");
  }
  context.console().line("It is yours: 'spctl tokens withdraw --key " + options.key + "'.");
  context.console().result({{"order", id.hex0x()}, {"claimed", std::move(claimed)}});
  return 0;
}

// What a claim would pay the owner now for one order; nothing where it isn't claiming.
Result<Amount> owed_of(Context& context, Session& session, const api::Terms& terms,
                       const Address& owner) {
  Amount owed;
  std::uint32_t owned = 0;
  for (std::size_t part = 0; part < terms.parts.size(); ++part) {
    if (is_claimable(terms, part, owner)) owned |= 1U << part;
  }
  if (owned == 0) return owed;
  SP_ASSIGN(const market::OrderRecord held,
            session.market.order(terms.order_id(session.network.market)));
  const bool is_over =
      held.status == market::OrderStatus::settled || held.status == market::OrderStatus::closed;
  if (is_over) return owed;
  SP_ASSIGN(const market::Phase phase, session.market.phase(terms));
  if (phase != market::Phase::claiming) return owed;
  SP_ASSIGN(const auto claims, claims_of(context, session, terms, owner));
  std::uint32_t unpaid = owned & ~held.ended;
  for (const broker::KeptRequest& entry : claims) {
    const std::uint8_t part = entry.request.statement.part;
    if (((unpaid >> part) & 1U) == 0) continue;
    unpaid &= ~(1U << part);
    SP_ASSIGN(owed, owed.plus(terms.parts[part].price));
  }
  return owed;
}

// All orders that the market has ever had are looked through: the log doesn't know parts' owners.
Result<int> owed(Context& context, const OwedOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey owner, context.keys().load(options.key));
  SP_ASSIGN(const chain::Block newest, session->chain.block());
  Json all = Json::array();
  std::vector<std::vector<std::string>> rows{{"ORDER", "OWED"}};
  bool complete = true;
  const auto look = [&](const market::CreatedEvent& created) {
    const auto amount = owed_of(context, *session, created.terms, owner.address());
    if (!amount) {
      // Its broker may be away, which says nothing of other orders.
      complete = false;
      context.console().note(created.order.hex0x() + ": " + amount.error().message);
    } else if (*amount != Amount()) {
      rows.push_back({created.order.hex0x(), money(session->network, *amount)});
      all.push_back({{"order", created.order.hex0x()}, {"owed", amount->text()}});
    }
  };
  const auto look_at_all = [&](const std::vector<chain::Log>& logs) {
    for (const chain::Log& log : logs) {
      // What can't be read is of no order that anybody could claim by.
      if (const auto created = session->market.decode_created(log)) look(*created);
    }
    return false;
  };
  const chain::LogFilter filter{session->network.market.contract,
                                {market::order_created_topic()},
                                std::max(options.from_block, session->network.start_block),
                                newest.number};
  SP_TRY(chain::search_logs(session->chain, filter, chain::SearchOrder::oldest_first, look_at_all));
  if (all.empty()) {
    context.console().line("Nobody" + std::string(complete ? "" : " else") + " owes " +
                           owner.address().hex0x() + " anything by a claim now.");
  } else {
    context.console().text(table(rows));
    context.console().line("Claim each: 'spctl orders claim ORDER --key " + options.key + "'.");
  }
  context.console().result(
      {{"owner", owner.address().hex0x()}, {"orders", std::move(all)}, {"complete", complete}});
  return complete ? 0 : 1;
}

// With the customer's key where the home has the order's record.
Result<int> close(Context& context, const CloseOptions& options) {
  SP_ASSIGN(const auto session, context.session());
  const OrderFiles files(context.files(), context.home().orders());
  SP_ASSIGN(const api::OrderId id, files.find(options.order));
  const auto record = files.load(id);
  if (!record && record.error().code != Errc::not_found) return record.error();
  std::string key_name = options.key;
  if (key_name.empty()) key_name = record ? record->key_name : kDefaultKey;
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(key_name));
  api::Terms terms;
  if (record) {
    terms = record->terms;
  } else {
    SP_ASSIGN(terms, terms_on_chain(*session, id));
  }
  SP_ASSIGN(const market::OrderRecord before, session->market.order(id));
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->market.close(terms), "closing the order"));
  context.console().line(market::is_settled(before.status)
                             ? "Closed. The customer was refunded before; what was still locked of "
                               "the provider's deposit is free."
                         : terms.customer == key.address()
                             ? "Closed. The deposit is yours again: 'spctl tokens withdraw'."
                             : "Closed. The customer has the deposit back, and what was locked of "
                               "the provider's is free.");
  context.console().result({{"order", id.hex0x()}, {"closed", true}});
  return 0;
}

}  // namespace

void add_claim_command(Cli& cli, apps::Command orders) {
  auto options = std::make_shared<ClaimOptions>();
  apps::Command command = cli.add(
      orders, "claim",
      "As a part's owner: be paid from the deposit of a provider that had the key and is silent",
      "  spctl orders claim 0x12ab... --key owner   (the whole id)");
  command.add_option("ORDER", options->order, "Order id, all 64 digits").required();
  command.add_option("--key", options->key, "The owner's key").shows_default();
  cli.on(command, [options](Context& context) { return claim(context, *options); });
}

void add_owed_command(Cli& cli, apps::Command orders) {
  auto options = std::make_shared<OwedOptions>();
  apps::Command command =
      cli.add(orders, "owed", "As a part's owner: the orders of which 'orders claim' would pay now",
              "  spctl orders owed --key owner\n"
              "  spctl --json orders owed --key owner --from-block 71000000");
  command.add_option("--key", options->key, "The owner's key").shows_default();
  command.add_option("--from-block", options->from_block,
                     "Look at orders created from this block on [the market's first]");
  cli.on(command, [options](Context& context) { return owed(context, *options); });
}

void add_close_command(Cli& cli, apps::Command orders) {
  auto options = std::make_shared<CloseOptions>();
  apps::Command command =
      cli.add(orders, "close",
              "End an order whose windows are over, yours or another's: the customer's deposit "
              "comes back, and the provider's is free again",
              "  spctl orders close 0x12ab\n"
              "  spctl orders close 0x12ab... --key provider   (the whole id of another's order)");
  command.add_option("ORDER", options->order, "Order id; of an own order its beginning does")
      .required();
  command.add_option("--key", options->key,
                     "Who sends it [the order's key, else " + std::string(kDefaultKey) + "]");
  cli.on(command, [options](Context& context) { return close(context, *options); });
}

}  // namespace sp::spctl
