#include "common/settings.hpp"

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "chain/quorum.hpp"
#include "common/network.hpp"
#include "common/services.hpp"

namespace sp::apps {
namespace {

constexpr std::uint64_t kNumberMax = ~std::uint64_t{0} >> 1;
constexpr std::size_t kPathMax = 4096;
constexpr std::uint32_t kConfirmationsMax = 10'000;

Result<Json> read_json(const Files& files, const Path& path) {
  SP_ASSIGN(const Bytes bytes, files.read(path, kSettingsSizeMax));
  return parse_json(as_text(bytes), kSettingsSizeMax);
}

Listen read_listen(JsonObject& object) {
  JsonObject fields(object.any("listen"), "listen");
  Listen listen;
  listen.address = fields.text("address", kUrlMax);
  listen.port = static_cast<std::uint16_t>(fields.number("port", 0xffff));
  if (const Status read = fields.finish(); !read) object.fail("listen", read.error().message);
  return listen;
}

Json listen_json(const Listen& listen) {
  return {{"address", listen.address}, {"port", listen.port}};
}

constexpr std::size_t kUrlListMax = 8;
constexpr std::size_t kListedUrlMax = 2048;

std::vector<std::string> read_urls(JsonObject& object, std::string_view key) {
  std::vector<std::string> urls;
  if (!object.has(key)) return urls;
  const Json& list = object.any(key);
  if (!list.is_array() || list.size() > kUrlListMax) object.fail(key, "must be a list of URLs");
  for (const Json& url : list) {
    if (!url.is_string() || url.get_ref<const std::string&>().size() > kListedUrlMax) {
      object.fail(key, "must hold URLs");
      break;
    }
    urls.push_back(url.get<std::string>());
  }
  return urls;
}

// Why endpoints can't make a quorum; empty where they can.
std::string unfit(const RpcSettings& rpc) {
  const std::size_t count = rpc.urls.size();
  if (count == 0 || count > chain::kQuorumMembersMax) {
    return "urls must be 1 to " + std::to_string(chain::kQuorumMembersMax);
  }
  const std::set<std::string> different(rpc.urls.begin(), rpc.urls.end());
  if (different.size() != count) return "one endpoint stands twice: it has one vote";
  if (rpc.agree > count || 2 * rpc.agree <= count) {
    return "agree must be more than half of the urls, and at most all";
  }
  return "";
}

RpcSettings read_rpc(JsonObject& object) {
  RpcSettings rpc;
  const Json& value = object.any("rpc");
  if (!value.is_object()) {
    rpc.urls = {object.text("rpc", kUrlMax)};
    return rpc;
  }
  JsonObject fields(value, "rpc");
  if (!fields.has("urls")) fields.fail("urls", "is missing");
  rpc.urls = read_urls(fields, "urls");
  rpc.agree = fields.number("agree", chain::kQuorumMembersMax);
  const Status read = fields.finish();
  const std::string wrong = read ? unfit(rpc) : read.error().message;
  if (!wrong.empty()) object.fail("rpc", wrong);
  return rpc;
}

Json rpc_json(const RpcSettings& rpc) {
  if (rpc.urls.size() == 1) return rpc.urls[0];
  return {{"urls", rpc.urls}, {"agree", rpc.agree}};
}

FollowedMarket read_followed(JsonObject& object) {
  FollowedMarket follows;
  follows.rpc = read_rpc(object);
  follows.market.chain_id = object.number("chainId", kNumberMax);
  follows.market.contract = object.fixed<Address>("market");
  follows.start_block = object.number("startBlock", kNumberMax);
  return follows;
}

void add_followed(Json& json, const FollowedMarket& follows) {
  json["rpc"] = rpc_json(follows.rpc);
  json["chainId"] = follows.market.chain_id;
  json["market"] = follows.market.contract.hex0x();
  json["startBlock"] = follows.start_block;
}

std::string text_of(const Json& json) { return json.dump(2) + "\n"; }

Result<CollateralSettings> read_collateral(const Json& json) {
  JsonObject object(json, "collateral");
  CollateralSettings settings;
  settings.folder = object.text("folder", kPathMax);
  settings.amd = read_urls(object, "amd");
  settings.intel = read_urls(object, "intel");
  if (object.has("caFile")) settings.ca_file = object.text("caFile", kPathMax);
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

Result<StoreSettings> StoreSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_json(files, path));
  JsonObject object(json, path.filename().string());
  StoreSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.key = object.text("key", kPathMax);
  settings.bytes_max = object.number("bytesMax", kNumberMax);
  SP_TRY(object.finish());
  return settings;
}

std::string StoreSettings::to_json() const {
  return text_of({{"listen", listen_json(listen)},
                  {"folder", folder.string()},
                  {"key", key.string()},
                  {"bytesMax", bytes_max}});
}

Result<BrokerSettings> BrokerSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_json(files, path));
  JsonObject object(json, path.filename().string());
  BrokerSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.keys = object.text("keys", kPathMax);
  settings.platform = object.text("platform", kPathMax);
  settings.follows = read_followed(object);
  SP_ASSIGN(settings.attests, attest::AppraisalPolicy::from_json(object.any("attests"), "attests"));
  if (object.has("collateral")) {
    SP_ASSIGN(settings.collateral, read_collateral(object.any("collateral")));
  }
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
  add_followed(json, follows);
  return text_of(json);
}

Result<ProviderSettings> ProviderSettings::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Json json, read_json(files, path));
  JsonObject object(json, path.filename().string());
  ProviderSettings settings;
  settings.listen = read_listen(object);
  settings.folder = object.text("folder", kPathMax);
  settings.action_key = object.text("actionKey", kPathMax);
  settings.authority = object.fixed<Address>("authority");
  settings.follows = read_followed(object);
  settings.confirmations =
      static_cast<std::uint32_t>(object.number("confirmations", kConfirmationsMax));
  settings.loader = object.text("loader", kPathMax);
  settings.runc = object.text("runc", kPathMax);
  settings.platform = object.text("platform", kPathMax);
  settings.capacity = static_cast<std::uint32_t>(object.number("capacity", kCapacityMax));
  settings.queue = static_cast<std::uint32_t>(object.number("queue", kQueueMax));
  SP_ASSIGN(settings.services, services_from_json(object.any("services"), "services"));
  SP_TRY(object.finish());
  return settings;
}

std::string ProviderSettings::to_json() const {
  Json json{{"listen", listen_json(listen)},
            {"folder", folder.string()},
            {"actionKey", action_key.string()},
            {"authority", authority.hex0x()},
            {"confirmations", confirmations},
            {"loader", loader.string()},
            {"runc", runc.string()},
            {"platform", platform.string()},
            {"capacity", capacity},
            {"queue", queue},
            {"services", services_to_json(services)}};
  add_followed(json, follows);
  return text_of(json);
}

}  // namespace sp::apps
