#include "common/provider_settings.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

constexpr std::uint32_t kConfirmationsMax = 10'000;

// A number of at least one: zero confirmations would be a block that isn't there, and a provider
// without capacity takes orders that it never runs.
std::uint32_t positive(JsonObject& object, std::string_view key, std::uint32_t max) {
  const auto number = static_cast<std::uint32_t>(object.number(key, max));
  if (number == 0) object.fail(key, "must be at least 1");
  return number;
}

std::vector<ServedMarket> read_served(JsonObject& object) {
  std::vector<ServedMarket> served;
  const auto followed = read_markets(object, [&](JsonObject& fields) {
    ServedMarket market;
    market.confirmations = positive(fields, "confirmations", kConfirmationsMax);
    market.capacity = positive(fields, "capacity", kCapacityMax);
    market.queue = positive(fields, "queue", kQueueMax);
    served.push_back(market);
  });
  for (std::size_t i = 0; i < served.size(); ++i) served[i].follows = followed[i];
  return served;
}

}  // namespace

Result<ProviderSettings> ProviderSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_settings_json(files, path));
  JsonObject object(json, path.filename().string());
  ProviderSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.action_key = object.text("actionKey", kPathMax);
  settings.authority = object.fixed<Address>("authority");
  settings.markets = read_served(object);
  settings.loader = object.text("loader", kPathMax);
  settings.runc = object.text("runc", kPathMax);
  settings.platform = object.text("platform", kPathMax);
  SP_ASSIGN(settings.services,
            services_from_json(object.any("services"), "services", settings.mirrors));
  settings.ca_file = read_ca_file(object);
  if (object.has("stopGraceSeconds")) {
    settings.stop_grace_seconds =
        static_cast<std::uint32_t>(object.number("stopGraceSeconds", kStopGraceMax));
  }
  settings.operation = read_operation(object);
  SP_TRY(object.finish());
  return settings;
}

std::string ProviderSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},    {"folder", folder.string()},
            {"actionKey", action_key.string()}, {"authority", authority.hex0x()},
            {"loader", loader.string()},        {"runc", runc.string()},
            {"platform", platform.string()},    {"services", services_to_json(services, mirrors)}};
  if (!ca_file.empty()) json["caFile"] = ca_file;
  if (stop_grace_seconds != 0) json["stopGraceSeconds"] = stop_grace_seconds;
  json["markets"] = Json::array();
  for (const ServedMarket& market : markets) {
    Json fields = market_json(market.follows);
    fields["confirmations"] = market.confirmations;
    fields["capacity"] = market.capacity;
    fields["queue"] = market.queue;
    json["markets"].push_back(std::move(fields));
  }
  add_operation(json, operation);
  return settings_text(json);
}

}  // namespace sp::apps
