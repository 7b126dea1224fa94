// Brokers and providers whose settings, keys or chain are wrong: they end at once, and say what is
// wrong with which file or field, and what to do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/process.hpp"
#include "base/testing/temporary_folder.hpp"
#include "net/http.hpp"

namespace sp::apps {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr std::chrono::seconds kLimit{20};
constexpr std::size_t kOutputMax = 1 << 20;

constexpr const char* kListening = R"("event":"listening")";
constexpr const char* kUnusable = R"("event":"market_unusable")";

std::string read_text(const Path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json read_json(const Path& path) { return Json::parse(read_text(path)); }

// As it stands in a log, without the quotes around it.
std::string in_json(const std::string& text) {
  const std::string quoted = Json(text).dump();
  return quoted.substr(1, quoted.size() - 2);
}

// A daemon as `spnode init` makes it, on a chain that answers what a test says.
class WrongDaemonTest : public ::testing::TestWithParam<std::string> {
 protected:
  WrongDaemonTest() {
    auto server = net::HttpServer::start({}, [this](const auto& call) { return answer(call); });
    EXPECT_TRUE(server.ok());
    chain_ = std::move(*server);
    Json network = read_json(Path(SP_TEST_SOURCE_DIR) / "docs/settings/network.example.json");
    network["rpc"] = "http://127.0.0.1:" + std::to_string(chain_->port());
    network["chainId"] = 31337;
    network.erase("caFile");
    write("network.json", network);
    Words init{"init",
               role(),
               "--folder",
               path(""),
               "--host",
               "127.0.0.1",
               "--port",
               "0",
               "--no-tls",
               "--network",
               path("network.json"),
               "--listen",
               "127.0.0.1"};
    if (role() == "provider") {
      const Words own{"--authority", "0x" + std::string(40, '7'), "--loader", SP_SPNODE};
      init.insert(init.end(), own.begin(), own.end());
    }
    const CommandOutput made = run(init);
    EXPECT_EQ(made.end.exit_code, 0) << made.text;
  }

  [[nodiscard]] const std::string& role() const { return GetParam(); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const Json& json) const {
    std::ofstream(path(name)) << json.dump();
  }
  net::HttpResponse answer(const net::HttpRequest& request) const {
    const auto call = parse_json(as_text(request.body), kOutputMax);
    if (!call || !call->is_object()) return {400, {}, {}};
    const std::string result = call->at("method") == "eth_chainId" ? chain_id_ : "0x";
    const Json reply{{"jsonrpc", "2.0"}, {"id", call->at("id")}, {"result", result}};
    return net::text_response(200, "application/json", reply.dump());
  }
  [[nodiscard]] ProcessOptions options_of(const Words& arguments) const {
    ProcessOptions options;
    options.argv = {SP_SPNODE};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.folder = folder_;
    options.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    return options;
  }
  [[nodiscard]] Words daemon() const { return {role(), "--config", path(role() + ".json")}; }
  CommandOutput run(const Words& arguments) const {
    auto output = run_command(options_of(arguments), kLimit, kOutputMax);
    EXPECT_TRUE(output.ok()) << "it runs";
    return output ? *output : CommandOutput();
  }
  void expect_end(const CommandOutput& output, int exit_code, const Words& words) const {
    EXPECT_EQ(output.end.exit_code, exit_code) << output.text;
    for (const std::string& word : words) EXPECT_THAT(output.text, HasSubstr(word));
    EXPECT_THAT(output.text, HasSubstr("`spnode check " + role() + " --config"));
  }
  void expect_words(int exit_code, const Words& words) const {
    expect_end(run(daemon()), exit_code, words);
  }
  // What is wrong with its chain. Where the chain answers too late for the daemon's start, the
  // daemon serves, and its log says it.
  void expect_unusable(const Words& words) const {
    const Fd log(::open(path("log").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ProcessOptions options = options_of(daemon());
    options.descriptors = {{STDOUT_FILENO, log.get()}, {STDERR_FILENO, log.get()}};
    auto process = Process::start(options);
    ASSERT_TRUE(process.ok());
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    std::optional<ProcessEnd> end;
    std::string text;
    const auto says = [&](const char* event) { return text.find(event) != std::string::npos; };
    do {
      end = process->wait(std::chrono::milliseconds(20));
      text = read_text(path("log"));
    } while (!end && !(says(kListening) && says(kUnusable)) &&
             std::chrono::steady_clock::now() < deadline);
    EXPECT_TRUE(says(kUnusable)) << text;
    if (end) return expect_end({*end, text}, 1, words);
    for (const std::string& word : words) EXPECT_THAT(text, HasSubstr(in_json(word)));
  }
  void expect_words_of(const std::function<void(Json&)>& change, int exit_code,
                       const Words& words) const {
    const std::string name = role() + ".json";
    const Json good = read_json(path(name));
    Json bad = good;
    change(bad);
    write(name, bad);
    expect_words(exit_code, words);
    write(name, good);
  }

  std::string chain_id_ = "0x7a69";
  sp::testing::TemporaryFolder folder_;
  std::unique_ptr<net::HttpServer> chain_;
};

TEST_P(WrongDaemonTest, OnAnotherChain) {
  chain_id_ = "0x7";
  expect_unusable({"31337-", "the endpoint is of chain 7, the settings name 31337",
                   "see \"rpc\" and \"chainId\""});
}

TEST_P(WrongDaemonTest, OnAChainWithoutTheMarket) {
  expect_unusable({"there is no market at 0x", "see \"market\" and \"rpc\" in the settings"});
}

TEST_P(WrongDaemonTest, WithSecretsThatOthersMayRead) {
  const std::string own = role() == "broker" ? "state/broker.keys" : "state/signing.key";
  for (const std::string& name : {own, std::string("state/platform")}) {
    std::filesystem::permissions(path(name), std::filesystem::perms(0604));
    expect_words(1, {"others may read or write " + name, "chmod 600 " + name});
    std::filesystem::permissions(path(name), std::filesystem::perms(0600));
  }
}

TEST_P(WrongDaemonTest, WithSecretsThatAreNone) {
  const std::string key = role() == "broker" ? "keys" : "actionKey";
  const std::string shown = role() == "broker" ? "keys" : "key";
  expect_words_of([&](Json& json) { json[key] = path("none"); }, 1,
                  {shown + ": ", path("none"), "No such file or directory"});
  std::ofstream(path("short")) << "nonsense";
  std::filesystem::permissions(path("short"), std::filesystem::perms(0600));
  expect_words_of([&](Json& json) { json[key] = path("short"); }, 2,
                  {shown + ": " + path("short")});
}

TEST_P(WrongDaemonTest, WithSettingsThatAreNone) {
  expect_words_of([](Json& json) { json["bogus"] = 1; }, 2, {"the unknown key \"bogus\""});
  expect_words_of([](Json& json) { json["markets"] = Json::array(); }, 2, {".markets"});
  expect_words_of([](Json& json) { json["markets"].push_back(json["markets"][0]); }, 2,
                  {".markets"});
  expect_words_of([](Json& json) { json["markets"][0]["rpc"] = "gopher://chain"; }, 2,
                  {"rpc \"gopher://chain\": the URL must begin with http:// or https://"});
  expect_words_of([](Json& json) { json["markets"][0].erase("market"); }, 2, {"market is missing"});
  expect_words_of([](Json& json) { json["caFile"] = "none.pem"; }, 2,
                  {"CA file none.pem: No such file or directory"});
}

TEST_P(WrongDaemonTest, WithAWordMisspelt) {
  const CommandOutput output = run({role(), "--confg", path(role() + ".json")});
  EXPECT_EQ(output.end.exit_code, 2);
  EXPECT_THAT(output.text, HasSubstr("unknown: --confg"));
  EXPECT_THAT(output.text, HasSubstr("--config is required"));
}

INSTANTIATE_TEST_SUITE_P(Roles, WrongDaemonTest, ::testing::Values("broker", "provider"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace sp::apps
