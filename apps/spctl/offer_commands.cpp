// offers: what providers and owners sell.
#include <nlohmann/json.hpp>

#include "spctl/account_turn.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/ids.hpp"
#include "spctl/offer_create.hpp"
#include "spctl/offers.hpp"

namespace sp::spctl {
namespace {

struct OfferOptions {
  std::string id;
  std::string key = kDefaultKey;
};

Json part_json(const ListedPart& offer) {
  return {{"offer", offer.id.hex0x()},
          {"kind", api::part_kind_name(offer.part.kind)},
          {"owner", offer.part.owner.hex0x()},
          {"package", offer.part.digest.hex()},
          {"price", offer.part.price.text()},
          {"perHour", offer.part.price_type == api::PriceType::per_hour},
          {"enabled", offer.record.enabled},
          {"orders", offer.record.orders},
          {"maxOrders", offer.part.max_orders}};
}

Json compute_json(const ListedCompute& offer) {
  return {{"offer", offer.id.hex0x()},
          {"kind", "compute"},
          {"tee", attest::kind_name(offer.compute.kind)},
          {"provider", offer.compute.provider.hex0x()},
          {"chip", offer.compute.chip.hex()},
          {"pricePerHour", offer.compute.price_per_hour.text()},
          {"baseFee", offer.compute.base_fee.text()},
          {"cpuMilli", offer.compute.cpu_milli},
          {"memoryMiB", offer.compute.memory_mib},
          {"diskMiB", offer.compute.disk_mib},
          {"maxSeconds", offer.compute.max_seconds},
          {"enabled", offer.record.enabled}};
}

// "1 TEE/h + 0.01 TEE" of a device, "5 TEE" or "5 TEE/h" of anything else.
std::string price_text(const apps::Network& network, const Json& offer) {
  const auto read = [&](const char* key) {
    const auto amount = Amount::from_text(offer[key].get<std::string>());
    return amount ? money(network, *amount) : std::string("?");
  };
  if (offer["kind"] == "compute") return read("pricePerHour") + "/h + " + read("baseFee");
  return read("price") + (offer["perHour"] ? "/h" : "");
}

Result<Json> all_offers(Session& session) {
  Json all = Json::array();
  SP_ASSIGN(const auto computes, list_compute_offers(session));
  for (const ListedCompute& offer : computes) all.push_back(compute_json(offer));
  SP_ASSIGN(const auto parts, list_part_offers(session));
  for (const ListedPart& offer : parts) all.push_back(part_json(offer));
  return all;
}

Result<int> list_offers(Context& context) {
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(Json all, all_offers(*session));
  std::vector<std::vector<std::string>> rows{{"OFFER", "KIND", "OWNER", "PRICE", "ENABLED"}};
  for (const Json& offer : all) {
    const std::string owner = offer.contains("owner") ? offer["owner"] : offer["provider"];
    rows.push_back({offer["offer"], offer["kind"], owner, price_text(session->network, offer),
                    offer["enabled"] ? "yes" : "no"});
  }
  context.console().text(table(rows));
  context.console().result({{"offers", std::move(all)}});
  return 0;
}

Result<int> get_offer(Context& context, const std::string& id) {
  SP_ASSIGN(const api::OfferId wanted, typed_id<api::OfferId>(id, "offer"));
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const Json all, all_offers(*session));
  for (const Json& offer : all) {
    if (offer["offer"] != wanted.hex0x()) continue;
    context.console().line(offer.dump(2));
    context.console().result(offer);
    return 0;
  }
  return failure(Errc::not_found, "no offer " + id, "the market doesn't know it",
                 "List offers with 'spctl offers list'.");
}

Result<int> enable_offer(Context& context, const OfferOptions& options, bool enabled) {
  SP_ASSIGN(const api::OfferId id, typed_id<api::OfferId>(options.id, "offer"));
  SP_ASSIGN(const auto session, context.session());
  SP_ASSIGN(const crypto::EthKey key, context.keys().load(options.key));
  SP_ASSIGN(const auto turn, take_account_turn(context, key.address()));
  chain::TxSender sender(session->chain, key, context.clock());
  SP_TRY(execute(sender, session->market.set_enabled(id, enabled), "changing the offer"));
  context.console().line(enabled ? "The offer can be ordered." : "The offer can't be ordered now.");
  context.console().result({{"offer", id.hex0x()}, {"enabled", enabled}});
  return 0;
}

}  // namespace

void add_offer_commands(Cli& cli) {
  apps::Command offers =
      cli.add(cli.app(), "offers", "Offers of the market", "  spctl offers list");
  offers.require_command();
  auto options = std::make_shared<OfferOptions>();
  add_offer_create_commands(cli, offers);
  apps::Command command = cli.add(offers, "list", "All offers", "  spctl offers list --json");
  cli.on(command, [](Context& context) { return list_offers(context); });
  command = cli.add(offers, "get", "One offer", "  spctl offers get 0x...");
  command.add_option("OFFER", options->id, "Offer id").required();
  cli.on(command, [options](Context& context) { return get_offer(context, options->id); });
  for (const bool enabled : {true, false}) {
    const std::string name = enabled ? "enable" : "disable";
    command = cli.add(offers, name, enabled ? "Let it be ordered" : "Let it not be ordered",
                      "  spctl offers " + name + " 0x...");
    command.add_option("OFFER", options->id, "Offer id").required();
    command.add_option("--key", options->key, "The owner's key").shows_default();
    cli.on(command, [options, enabled](Context& context) {
      return enable_offer(context, *options, enabled);
    });
  }
}

}  // namespace sp::spctl
