// How settings say where the chain is reached, and where a daemon listens.
#include "base/testing/temporary_folder.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

class SettingsTest : public ::testing::Test {
 protected:
  Result<ProviderSettings> load(const Json& rpc) {
    ProviderSettings settings;
    settings.markets.resize(1);
    settings.markets[0].follows.rpc.urls = {"http://127.0.0.1:1"};
    Json json = Json::parse(settings.to_json());
    json["markets"][0]["rpc"] = rpc;
    const Path path = folder_ / "provider.json";
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    return ProviderSettings::load(files_, path);
  }
  Result<ProviderSettings> load_markets(const Json& markets) {
    Json json = Json::parse(ProviderSettings{}.to_json());
    json["markets"] = markets;
    const Path path = folder_ / "provider.json";
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    return ProviderSettings::load(files_, path);
  }
  std::string error_of(const Json& rpc) { return words(load(rpc)); }
  static std::string words(const Result<ProviderSettings>& settings) {
    if (settings) return "loads";
    EXPECT_EQ(settings.error().code, Errc::malformed);
    return settings.error().message;
  }

  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
};

TEST_F(SettingsTest, OneEndpointIsAText) {
  const auto settings = load("http://a:1");
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->markets[0].follows.rpc, (RpcSettings{{"http://a:1"}, 1}));
  EXPECT_EQ(Json::parse(settings->to_json())["markets"][0]["rpc"], "http://a:1");
  EXPECT_EQ(load({{"urls", {"http://a:1"}}, {"agree", 1}})->markets[0].follows.rpc,
            settings->markets[0].follows.rpc);
}

TEST_F(SettingsTest, SeveralEndpointsGoThereAndBack) {
  const Json rpc{{"urls", {"http://a", "https://b/key", "https://c"}}, {"agree", 2}};
  const auto settings = load(rpc);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->markets[0].follows.rpc,
            (RpcSettings{{"http://a", "https://b/key", "https://c"}, 2}));
  EXPECT_EQ(Json::parse(settings->to_json())["markets"][0]["rpc"], rpc);
  const auto again = load(Json::parse(settings->to_json())["markets"][0]["rpc"]);
  EXPECT_EQ(again->markets[0].follows.rpc, settings->markets[0].follows.rpc);
}

TEST_F(SettingsTest, WhatMakesNoQuorumIsRefused) {
  const std::string half =
      "provider.json.markets markets[0].rpc agree must be more than half of the urls, and at most "
      "all";
  const Json three{"http://a", "http://b", "http://c"};
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 1}}), half);
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 4}}), half);
  EXPECT_EQ(error_of({{"urls", {"http://a", "http://b"}}, {"agree", 1}}), half);
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 0}}), half);
  EXPECT_EQ(error_of({{"urls", {"http://a", "http://b", "http://a"}}, {"agree", 2}}),
            "provider.json.markets markets[0].rpc one endpoint stands twice: it has one vote");
  EXPECT_EQ(error_of({{"urls", Json::array()}, {"agree", 1}}),
            "provider.json.markets markets[0].rpc urls must be 1 to 7");
  Json eight = Json::array();
  for (int i = 0; i < 8; ++i) eight.push_back("http://" + std::to_string(i));
  EXPECT_EQ(error_of({{"urls", eight}, {"agree", 5}}),
            "provider.json.markets markets[0].rpc urls must be 1 to 7");
  EXPECT_EQ(error_of({{"urls", three}}),
            "provider.json.markets markets[0].rpc rpc.agree is missing");
  EXPECT_EQ(error_of({{"agree", 2}}), "provider.json.markets markets[0].rpc rpc.urls is missing");
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 2}, {"k", 2}}),
            "provider.json.markets markets[0].rpc rpc has the unknown key \"k\"");
  EXPECT_EQ(error_of({{"urls", {1, 2}}, {"agree", 2}}),
            "provider.json.markets markets[0].rpc rpc.urls must hold URLs");
  EXPECT_EQ(error_of({{"urls", "http://a"}, {"agree", 1}}),
            "provider.json.markets markets[0].rpc rpc.urls must be a list of URLs");
  EXPECT_EQ(error_of(three), "provider.json.markets markets[0].rpc must be a text");
}

TEST_F(SettingsTest, AListenerSpeaksTlsWithBothFilesOrNone) {
  ProviderSettings settings;
  settings.markets.resize(1);
  settings.markets[0].follows.rpc.urls = {"http://a:1"};
  settings.listen = {"10.0.0.1", 8303, "tls/certificate.pem", "tls/key.pem"};
  EXPECT_EQ(settings.listen.url(), "https://10.0.0.1:8303");
  const Path path = folder_ / "tls.json";
  Json json = Json::parse(settings.to_json());
  const auto reload = [&] {
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    return ProviderSettings::load(files_, path);
  };
  EXPECT_EQ(reload()->listen, settings.listen);
  json["listen"].erase("key");
  const auto half = reload();
  ASSERT_FALSE(half.ok());
  EXPECT_EQ(half.error().message,
            "tls.json.listen listen.certificate and key belong together: both files or none");
  json["listen"].erase("certificate");
  EXPECT_EQ(reload()->listen.url(), "http://10.0.0.1:8303");
}

Json market(std::uint64_t chain, const std::string& contract) {
  return {{"rpc", "http://a:1"}, {"chainId", chain}, {"market", contract}, {"startBlock", 5},
          {"confirmations", 3},  {"capacity", 2},    {"queue", 9}};
}

TEST_F(SettingsTest, SeveralMarketsHaveFieldsOfTheirOwn) {
  const std::string a(40, 'a'), b(40, 'b');
  const auto settings = load_markets({market(1, a), market(2, a), market(1, b)});
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  ASSERT_EQ(settings->markets.size(), 3U);
  EXPECT_EQ(settings->markets[1].follows.name(), "2-aaaaaaaa");
  EXPECT_EQ(settings->markets[2].follows.market.contract.hex(), b);
  EXPECT_EQ(settings->markets[2].confirmations, 3U);
  EXPECT_EQ(settings->markets[2].capacity, 2U);
  EXPECT_EQ(settings->markets[2].queue, 9U);
  EXPECT_EQ(settings->to_json(),
            load_markets(Json::parse(settings->to_json())["markets"])->to_json());
}

TEST_F(SettingsTest, MarketsThatCannotBeServedAreRefused) {
  const std::string a(40, 'a');
  const std::string count = "provider.json.markets must be a list of 1 to 16 markets";
  EXPECT_EQ(words(load_markets(Json::array())), count);
  EXPECT_EQ(words(load_markets("all")), count);
  Json many = Json::array();
  for (std::uint64_t chain = 1; chain <= kMarketsMax + 1; ++chain) many.push_back(market(chain, a));
  EXPECT_EQ(words(load_markets(many)), count);
  EXPECT_EQ(words(load_markets({market(1, a), market(1, a)})),
            "provider.json.markets hold one market twice: 1-aaaaaaaa");
  for (const char* field : {"confirmations", "capacity"}) {
    Json zero = market(1, a);
    zero[field] = 0;
    EXPECT_EQ(words(load_markets(Json::array({zero}))),
              "provider.json.markets markets[0]." + std::string(field) + " must be at least 1");
  }
  Json odd = market(1, a);
  odd["gas"] = 1;
  EXPECT_EQ(words(load_markets(Json::array({odd}))),
            "provider.json.markets markets[0] has the unknown key \"gas\"");
}

class StoreSettingsTest : public SettingsTest {
 protected:
  Result<StoreSettings> load_store(const Json& change) {
    StoreSettings settings;
    settings.folder = "blobs";
    settings.key = "key";
    Json json = Json::parse(settings.to_json());
    json.update(change);
    const Path path = folder_ / "store.json";
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    return StoreSettings::load(files_, path);
  }
  std::string why_not(const Json& change) {
    const auto settings = load_store(change);
    return settings ? "loads" : settings.error().message;
  }
};

TEST_F(StoreSettingsTest, WhoMayWrite) {
  const auto closed = load_store(Json::object());
  ASSERT_TRUE(closed.ok()) << closed.error().message;
  EXPECT_FALSE(closed->accounts.open || closed->anonymous_writes);
  EXPECT_TRUE(closed->accounts.quotas.empty());
  const auto open = load_store({{"accounts", "open"}, {"quotaBytes", 5}, {"quotaBlobs", 6}});
  EXPECT_TRUE(open->accounts.open);
  EXPECT_EQ(open->accounts.quota_bytes, 5U);
  EXPECT_EQ(open->accounts.quota_blobs, 6U);
  const std::string account = "0x" + std::string(40, '7');
  const auto listed = load_store({{"accounts", {{account, 1000}}}});
  EXPECT_EQ(listed->accounts.quotas.at(*Address::from_hex(account)), 1000U);
  EXPECT_EQ(Json::parse(listed->to_json())["accounts"], (Json{{account, 1000}}));
  EXPECT_EQ(why_not({{"accounts", "all"}}),
            "store.json.accounts must be \"open\", or an object of addresses and bytes");
  EXPECT_EQ(why_not({{"accounts", {{"0x7", 1}}}}), "store.json.accounts \"0x7\" isn't an address");
  EXPECT_EQ(why_not({{"accounts", {{account, -1}}}}),
            "store.json.accounts the quota of " + account + " must be a number of bytes");
}

TEST_F(StoreSettingsTest, ABucketInPlaceOfAFolder) {
  const Json backend{{"s3", {{"url", "s3://bucket/a"}, {"endpoint", "https://s3.example"}}}};
  const auto settings = load_store({{"backend", backend}});
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->bucket->location.prefix, "a/");
  EXPECT_EQ(settings->bucket->choices.endpoint, "https://s3.example");
  EXPECT_EQ(Json::parse(settings->to_json())["backend"]["s3"]["url"], "s3://bucket/a/");
  EXPECT_EQ(why_not({{"backend", {{"s3", {{"url", "http://x"}}}}}}),
            "backend.s3.url: not s3://BUCKET/PREFIX");
  EXPECT_EQ(why_not({{"backend", {{"s3", {{"url", "s3://b"}, {"secret", "x"}}}}}}),
            "backend.s3 has the unknown key \"secret\"");
  EXPECT_EQ(why_not({{"backend", {{"gcs", {{"url", "s3://b"}}}}}}), "backend.s3 must be an object");
}

TEST_F(StoreSettingsTest, AStoreMayHaveSeveralPlaces) {
  const std::string account = "0x" + std::string(40, '7');
  Mirrors mirrors;
  const Json json{{account, {"http://a", "https://b"}}};
  const auto services = services_from_json(json, "services", mirrors);
  ASSERT_TRUE(services.ok()) << services.error().message;
  const Address address = *Address::from_hex(account);
  EXPECT_EQ(services->at(address), "http://a");
  EXPECT_EQ(mirrors.at(address), std::vector<std::string>{"https://b"});
  EXPECT_EQ(services_to_json(*services, mirrors), json);
  EXPECT_EQ(services_from_json({{account, Json::array()}}, "s", mirrors).error().message,
            "s." + account + " must hold 1 to 8 URLs");
  EXPECT_EQ(services_from_json({{account, {1}}}, "s", mirrors).error().message,
            "s." + account + " must be a text, or texts");
}

}  // namespace
}  // namespace sp::apps
