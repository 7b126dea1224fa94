#include "common/broker_settings.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

Result<CollateralSettings> read_collateral(const Json& json) {
  JsonObject object(json, "collateral");
  CollateralSettings settings;
  settings.folder = object.text("folder", kPathMax);
  settings.amd = read_urls(object, "amd");
  settings.intel = read_urls(object, "intel");
  settings.ca_file = read_ca_file(object);
  if (object.has("offline")) settings.offline = object.boolean("offline");
  SP_TRY(object.finish());
  return settings;
}

Json collateral_json(const CollateralSettings& settings) {
  Json json{{"folder", settings.folder.string()}, {"offline", settings.offline}};
  if (!settings.amd.empty()) json["amd"] = settings.amd;
  if (!settings.intel.empty()) json["intel"] = settings.intel;
  if (!settings.ca_file.empty()) json["caFile"] = settings.ca_file;
  return json;
}

}  // namespace

Result<BrokerSettings> BrokerSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_settings_json(files, path));
  JsonObject object(json, path.filename().string());
  BrokerSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.keys = object.text("keys", kPathMax);
  settings.platform = object.text("platform", kPathMax);
  settings.markets = read_markets(object);
  SP_ASSIGN(settings.attests, attest::AppraisalPolicy::from_json(object.any("attests"), "attests"));
  if (object.has("collateral")) {
    SP_ASSIGN(settings.collateral, read_collateral(object.any("collateral")));
  }
  settings.ca_file = read_ca_file(object);
  settings.operation = read_operation(object);
  SP_TRY(object.finish());
  return settings;
}

std::string BrokerSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},
            {"folder", folder.string()},
            {"keys", keys.string()},
            {"platform", platform.string()},
            {"attests", attests.to_json()}};
  if (collateral) json["collateral"] = collateral_json(*collateral);
  if (!ca_file.empty()) json["caFile"] = ca_file;
  json["markets"] = Json::array();
  for (const FollowedMarket& market : markets) json["markets"].push_back(market_json(market));
  add_operation(json, operation);
  return settings_text(json);
}

}  // namespace sp::apps
