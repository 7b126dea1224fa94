// Settings files of the daemons, network.json and cards: the first byte says which, and whether the
// rest is a file or damage to one that is good. What is read is written as something that reads
// the same.
#include "base/testing/fuzz_json.hpp"
#include "base/testing/memory_files.hpp"
#include "common/broker_settings.hpp"
#include "common/card.hpp"
#include "common/network.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"

namespace sp::apps {
namespace {

using sp::testing::FuzzInput;
using sp::testing::MemoryFiles;

const Path kFile = "it.json";
const std::string kAccount = "0x" + std::string(40, '1');

constexpr std::uint8_t kDamage = 0x80;  // of the first byte: the rest is damage

void put(MemoryFiles& files, ByteView bytes) {
  SP_CHECK(files.write_atomic(kFile, bytes, FileMode::everyone).ok());
}

template <class Settings>
bool check_settings(MemoryFiles& files) {
  const auto settings = Settings::load(files, kFile);
  if (!settings) return false;
  const std::string text = settings->to_json();
  put(files, as_bytes(text));
  SP_CHECK(Settings::load(files, kFile).value().to_json() == text);
  return true;
}

// Cards and networks, which write themselves.
template <class Saved>
bool check_saved(MemoryFiles& files) {
  const auto read = Saved::load(files, kFile);
  if (!read) return false;
  SP_CHECK(read->save(files, kFile).ok());
  const Bytes once = files.read(kFile, kSettingsSizeMax).value();
  SP_CHECK(Saved::load(files, kFile).value().save(files, kFile).ok());
  SP_CHECK(files.read(kFile, kSettingsSizeMax).value() == once);
  return true;
}

Json tee() {
  return {{"kinds", {"dev"}}, {"measurements", "any"}, {"devKeys", {std::string(96, '2')}}};
}

Json rpc() { return {{"urls", {"http://a", "https://b:1/key", "http://c"}}, {"agree", 2}}; }

Json daemon_settings() {
  return {
      {"listen", {{"address", "127.0.0.1"}, {"port", 8301}, {"certificate", "c"}, {"key", "k"}}},
      {"metrics", {{"address", "127.0.0.1"}, {"port", 9301}}},
      {"log", {{"level", "debug"}}},
      {"folder", "f"}};
}

Json store_settings() {
  Json json = daemon_settings();
  json.update({{"key", "k"},
               {"bytesMax", 1000},
               {"accounts", {{kAccount, 100}}},
               {"quotaBytes", 10},
               {"quotaBlobs", 10},
               {"anonymousWrites", true},
               {"backend",
                {{"s3",
                  {{"url", "s3://bucket/prefix"},
                   {"endpoint", "https://s3"},
                   {"region", "r"},
                   {"credentialsFile", "f"},
                   {"profile", "p"},
                   {"pathStyle", true},
                   {"caFile", "ca"}}}}}});
  return json;
}

Json broker_settings() {
  const Json one{{"rpc", rpc()}, {"chainId", 1}, {"market", kAccount}, {"startBlock", 7}};
  Json other = one;
  other["chainId"] = 2;
  other["rpc"] = "http://a";
  Json json = daemon_settings();
  json.update({{"keys", "k"},
               {"platform", "p"},
               {"markets", {one, other}},
               {"attests", tee()},
               {"collateral",
                {{"folder", "c"},
                 {"amd", {"http://x"}},
                 {"intel", {"http://y"}},
                 {"caFile", "ca"},
                 {"offline", true}}},
               {"caFile", "ca"}});
  return json;
}

Json provider_settings() {
  const Json market{{"rpc", rpc()},       {"chainId", 1},  {"market", kAccount}, {"startBlock", 7},
                    {"confirmations", 2}, {"capacity", 1}, {"queue", 2}};
  Json json = daemon_settings();
  json.update({{"actionKey", "k"},
               {"authority", kAccount},
               {"markets", Json::array({market})},
               {"loader", "l"},
               {"runc", "r"},
               {"platform", "p"},
               {"services", {{kAccount, {"http://s", "https://t"}}}},
               {"caFile", "ca"}});
  return json;
}

Json network() {
  return {{"version", 1},
          {"rpc", "http://a:1"},
          {"chainId", 1},
          {"market", kAccount},
          {"token", kAccount},
          {"tokenSymbol", "T"},
          {"tokenDecimals", 18},
          {"startBlock", 0},
          {"confirmations", 2},
          {"broker", {{"url", "http://b"}, {"address", kAccount}}},
          {"store", {{"url", "https://s"}, {"address", kAccount}}},
          {"brokerTee", tee()},
          {"loaderTee", tee()},
          {"services", {{kAccount, {"http://p", "http://q"}}}},
          {"caFile", "ca.pem"}};
}

Json card() {
  return {{"version", 1},
          {"role", "provider"},
          {"url", "http://p"},
          {"address", kAccount},
          {"action", kAccount},
          {"tee", tee()},
          {"chip", std::string(64, '1')}};
}

struct Kind {
  bool (*check)(MemoryFiles&);
  Json (*good)();
};
constexpr std::array<Kind, 5> kKinds{{{check_settings<StoreSettings>, store_settings},
                                      {check_settings<BrokerSettings>, broker_settings},
                                      {check_settings<ProviderSettings>, provider_settings},
                                      {check_saved<Network>, network},
                                      {check_saved<Card>, card}}};

void check_damaged(const Kind& kind, FuzzInput input) {
  static constexpr std::array<const char*, 8> kWords{"open", "any",   "http://a",  "s3://b/p",
                                                     "0x1",  "store", "127.0.0.1", ""};
  Json json = kind.good();
  const std::size_t changes = input.below(4);
  for (std::size_t i = 0; i < changes; ++i) sp::testing::spoil_json(input, json, kWords);
  MemoryFiles files;
  const std::string text = sp::testing::json_text(json);
  put(files, as_bytes(text));
  const bool read = kind.check(files);
  SP_CHECK(read || changes > 0);
}

}  // namespace
}  // namespace sp::apps

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::apps;
  if (size == 0) return 0;
  const sp::ByteView rest(data + 1, size - 1);
  const Kind& kind = kKinds[(data[0] % kDamage) % kKinds.size()];
  if ((data[0] & kDamage) != 0) {
    check_damaged(kind, FuzzInput(rest));
    return 0;
  }
  MemoryFiles files;
  put(files, rest);
  kind.check(files);
  return 0;
}
