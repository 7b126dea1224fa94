// How settings say where the chain is reached, and where a daemon listens.
#include "common/provider_settings.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    char name[] = "/tmp/sp-settings-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }

  Result<ProviderSettings> load(const Json& rpc) {
    ProviderSettings settings;
    settings.follows.rpc.urls = {"http://127.0.0.1:1"};
    Json json = Json::parse(settings.to_json());
    json["rpc"] = rpc;
    const Path path = folder_ / "provider.json";
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    return ProviderSettings::load(files_, path);
  }
  std::string error_of(const Json& rpc) {
    const auto settings = load(rpc);
    if (settings) return "loads";
    EXPECT_EQ(settings.error().code, Errc::malformed);
    return settings.error().message;
  }

  PosixFiles files_;
  Path folder_;
};

TEST_F(SettingsTest, OneEndpointIsAText) {
  const auto settings = load("http://a:1");
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->follows.rpc, (RpcSettings{{"http://a:1"}, 1}));
  EXPECT_EQ(Json::parse(settings->to_json())["rpc"], "http://a:1");
  EXPECT_EQ(load({{"urls", {"http://a:1"}}, {"agree", 1}})->follows.rpc, settings->follows.rpc);
}

TEST_F(SettingsTest, SeveralEndpointsGoThereAndBack) {
  const Json rpc{{"urls", {"http://a", "https://b/key", "https://c"}}, {"agree", 2}};
  const auto settings = load(rpc);
  ASSERT_TRUE(settings.ok()) << settings.error().message;
  EXPECT_EQ(settings->follows.rpc, (RpcSettings{{"http://a", "https://b/key", "https://c"}, 2}));
  EXPECT_EQ(Json::parse(settings->to_json())["rpc"], rpc);
  const auto again = load(Json::parse(settings->to_json())["rpc"]);
  EXPECT_EQ(again->follows.rpc, settings->follows.rpc);
}

TEST_F(SettingsTest, WhatMakesNoQuorumIsRefused) {
  const std::string half =
      "provider.json.rpc agree must be more than half of the urls, and at most all";
  const Json three{"http://a", "http://b", "http://c"};
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 1}}), half);
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 4}}), half);
  EXPECT_EQ(error_of({{"urls", {"http://a", "http://b"}}, {"agree", 1}}), half);
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 0}}), half);
  EXPECT_EQ(error_of({{"urls", {"http://a", "http://b", "http://a"}}, {"agree", 2}}),
            "provider.json.rpc one endpoint stands twice: it has one vote");
  EXPECT_EQ(error_of({{"urls", Json::array()}, {"agree", 1}}),
            "provider.json.rpc urls must be 1 to 7");
  Json eight = Json::array();
  for (int i = 0; i < 8; ++i) eight.push_back("http://" + std::to_string(i));
  EXPECT_EQ(error_of({{"urls", eight}, {"agree", 5}}), "provider.json.rpc urls must be 1 to 7");
  EXPECT_EQ(error_of({{"urls", three}}), "provider.json.rpc rpc.agree is missing");
  EXPECT_EQ(error_of({{"agree", 2}}), "provider.json.rpc rpc.urls is missing");
  EXPECT_EQ(error_of({{"urls", three}, {"agree", 2}, {"k", 2}}),
            "provider.json.rpc rpc has the unknown key \"k\"");
  EXPECT_EQ(error_of({{"urls", {1, 2}}, {"agree", 2}}),
            "provider.json.rpc rpc.urls must hold URLs");
  EXPECT_EQ(error_of({{"urls", "http://a"}, {"agree", 1}}),
            "provider.json.rpc rpc.urls must be a list of URLs");
  EXPECT_EQ(error_of(three), "provider.json.rpc must be a text");
}

TEST_F(SettingsTest, AListenerSpeaksTlsWithBothFilesOrNone) {
  ProviderSettings settings;
  settings.follows.rpc.urls = {"http://a:1"};
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

}  // namespace
}  // namespace sp::apps
