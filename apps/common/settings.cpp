#include "common/settings.hpp"

#include <arpa/inet.h>

#include <nlohmann/json.hpp>
#include <set>

#include "chain/quorum.hpp"
#include "common/network.hpp"
#include "common/services.hpp"
#include "net/http.hpp"

namespace sp::apps {
namespace {

constexpr std::uint64_t kNumberMax = ~std::uint64_t{0} >> 1;

void check_url(JsonObject& object, std::string_view key, const std::string& url) {
  const auto parsed = net::Url::parse(url);
  if (!parsed) object.fail(key, "\"" + url + "\": " + parsed.error().message);
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
    rpc.urls = {read_url(object, "rpc")};
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

FollowedMarket read_followed(JsonObject& object) {
  FollowedMarket follows;
  follows.rpc = read_rpc(object);
  follows.market.chain_id = object.number("chainId", kNumberMax);
  follows.market.contract = object.fixed<Address>("market");
  follows.start_block = object.number("startBlock", kNumberMax);
  return follows;
}

Json rpc_json(const RpcSettings& rpc) {
  if (rpc.urls.size() == 1) return rpc.urls[0];
  return {{"urls", rpc.urls}, {"agree", rpc.agree}};
}

}  // namespace

std::string Listen::url() const {
  return std::string(tls() ? "https" : "http") + "://" + address + ":" + std::to_string(port);
}

bool is_ip_address(const std::string& text) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET, text.c_str(), &parsed) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

std::string no_ip_address(const std::string& text) {
  return "\"" + text + "\" isn't an IP address, such as 127.0.0.1, 0.0.0.0 or ::1";
}

Listen read_listen(JsonObject& object, const std::string& key) {
  JsonObject fields(object.any(key), key);
  Listen listen;
  listen.address = fields.text("address", kUrlMax);
  if (!is_ip_address(listen.address)) fields.fail("address", no_ip_address(listen.address));
  listen.port = static_cast<std::uint16_t>(fields.number("port", 0xffff));
  if (fields.has("certificate")) listen.certificate = fields.text("certificate", kPathMax);
  if (fields.has("key")) listen.key = fields.text("key", kPathMax);
  if (listen.certificate.empty() != listen.key.empty()) {
    fields.fail("certificate", "and key belong together: both files or none");
  }
  if (const Status read = fields.finish(); !read) object.fail(key, read.error().message);
  return listen;
}

Json listen_json(const Listen& listen) {
  Json json{{"address", listen.address}, {"port", listen.port}};
  if (listen.tls()) {
    json["certificate"] = listen.certificate.string();
    json["key"] = listen.key.string();
  }
  return json;
}

std::string read_url(JsonObject& object, std::string_view key) {
  std::string url = object.text(key, kUrlMax);
  check_url(object, key, url);
  return url;
}

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
    check_url(object, key, urls.back());
  }
  return urls;
}

std::string FollowedMarket::name() const {
  return std::to_string(market.chain_id) + "-" + market.contract.hex().substr(0, 8);
}

std::vector<FollowedMarket> read_markets(JsonObject& object,
                                         const std::function<void(JsonObject&)>& each) {
  std::vector<FollowedMarket> markets;
  const Json& list = object.any("markets");
  if (!list.is_array() || list.empty() || list.size() > kMarketsMax) {
    object.fail("markets", "must be a list of 1 to " + std::to_string(kMarketsMax) + " markets");
    return markets;
  }
  std::set<std::string> names;
  for (const Json& value : list) {
    JsonObject fields(value, "markets[" + std::to_string(markets.size()) + "]");
    markets.push_back(read_followed(fields));
    each(fields);
    if (const Status read = fields.finish(); !read) object.fail("markets", read.error().message);
    // Files are named so: two markets of one name would share theirs.
    if (!names.insert(markets.back().name()).second) {
      object.fail("markets", "hold one market twice: " + markets.back().name());
    }
  }
  return markets;
}

Json market_json(const FollowedMarket& follows) {
  return {{"rpc", rpc_json(follows.rpc)},
          {"chainId", follows.market.chain_id},
          {"market", follows.market.contract.hex0x()},
          {"startBlock", follows.start_block}};
}

std::string read_ca_file(JsonObject& object) {
  return object.has("caFile") ? object.text("caFile", kPathMax) : "";
}

Result<Json> read_settings_json(const Files& files, const Path& path) {
  const auto bytes = files.read(path, kSettingsSizeMax);
  if (!bytes) return bytes.error().in("settings");
  auto json = parse_json(as_text(*bytes), kSettingsSizeMax);
  if (!json) return json.error().in(path.string());
  return json;
}

std::string settings_text(const Json& json) { return json.dump(2) + "\n"; }

}  // namespace sp::apps
