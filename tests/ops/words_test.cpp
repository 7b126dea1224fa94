// What a daemon says that can't start: what happened, with which file or field, and what to do.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/process.hpp"
#include "base/testing/temporary_folder.hpp"
#include "common/folder_lock.hpp"
#include "common/store_settings.hpp"

namespace sp::apps {
namespace {

using ::testing::HasSubstr;

class WordsTest : public ::testing::Test {
 protected:
  WordsTest() {
    const Bytes key(32, 7);
    EXPECT_TRUE(files_.write_atomic(folder_ / "key", key, FileMode::owner_only).ok());
    std::ofstream(folder_ / "file") << "nonsense";
    EXPECT_TRUE(files_.write_atomic(folder_ / "short", as_bytes("nonsense"), FileMode::owner_only));
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  Json good() const {
    StoreSettings settings;
    settings.folder = folder_ / "blobs";
    settings.key = folder_ / "key";
    return Json::parse(settings.to_json());
  }
  // The end of a store with these settings and what it said; spoilt by `change`.
  void expect_words(const std::function<void(Json&)>& change, int exit_code,
                    const std::vector<std::string>& words) {
    Json json = good();
    change(json);
    write(json.dump());
    expect_end(exit_code, words);
  }
  void write(const std::string& text) const { std::ofstream(path("store.json")) << text; }
  void expect_end(int exit_code, const std::vector<std::string>& words) const {
    const Fd said(::open(path("said").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ProcessOptions options;
    options.argv = {SP_SPNODE, "store", "--config", path("store.json")};
    options.descriptors = {{STDERR_FILENO, said.get()}};
    auto process = Process::start(options);
    ASSERT_TRUE(process.ok());
    const auto end = process->wait(std::chrono::seconds(20));
    ASSERT_TRUE(end.has_value()) << "it runs";
    EXPECT_EQ(end->exit_code, exit_code);
    std::ifstream file(path("said"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const std::string& word : words) EXPECT_THAT(text, HasSubstr(word));
    EXPECT_THAT(text, HasSubstr("`spnode check store --config " + path("store.json") + "` tells"));
  }

  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
};

TEST_F(WordsTest, OfAListenerThatCantBe) {
  const Fd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const to = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(taken.get(), to, size), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  ASSERT_EQ(::getsockname(taken.get(), to, &size), 0);
  const int port = ntohs(address.sin_port);
  expect_words([&](Json& json) { json["listen"]["port"] = port; }, 1,
               {"listen on 127.0.0.1 port " + std::to_string(port), "Address already in use",
                "another program listens there", "choose another port"});
  expect_words([](Json& json) { json["listen"]["address"] = "192.0.2.77"; }, 1,
               {"listen on 192.0.2.77", "this machine has no such address", "0.0.0.0 for all"});
  expect_words([](Json& json) { json["listen"]["address"] = "example.org"; }, 2,
               {"\"example.org\" isn't an IP address, such as 127.0.0.1"});
  expect_words([](Json& json) { json["listen"]["port"] = 70'000; }, 2,
               {"listen.port must be a whole number from 0 to 65535"});
}

TEST_F(WordsTest, OfSettingsThatCantBeRead) {
  expect_end(1, {"settings: ", path("store.json"), "No such file or directory"});
  write("{\"listen\": ");
  expect_end(2, {path("store.json"), "not JSON at byte 12"});
  write(std::string(3'000'000, ' '));
  expect_end(1, {path("store.json"), "has 3000000 bytes, at most 1048576 are read"});
  expect_words([](Json& json) { json["bogus"] = 1; }, 2, {"the unknown key \"bogus\""});
  expect_words([](Json& json) { json.erase("key"); }, 2, {"store.json.key is missing"});
}

TEST_F(WordsTest, OfFilesThatTheSettingsName) {
  expect_words([&](Json& json) { json["key"] = path("none"); }, 1,
               {"key: ", path("none"), "No such file or directory"});
  expect_words([&](Json& json) { json["key"] = path("short"); }, 2,
               {path("short") + " doesn't hold 32 bytes", "`spnode init` makes"});
  std::filesystem::permissions(path("key"), std::filesystem::perms(0640));
  expect_words([](Json&) {}, 1,
               {"key: others may read or write " + path("key"), "chmod 600 " + path("key")});
  std::filesystem::permissions(path("key"), std::filesystem::perms(0600));
  const auto tls = [&](const char* certificate) {
    return [this, certificate](Json& json) {
      json["listen"]["certificate"] = path(certificate);
      json["listen"]["key"] = path("file");
    };
  };
  expect_words(tls("none"), 2, {"certificate file " + path("none") + ": No such file"});
  expect_words(tls("file"), 2, {path("file") + " isn't a certificate in PEM"});
  expect_words([&](Json& json) { json["folder"] = path("file"); }, 1,
               {path("file"), "is not a folder"});
}

TEST_F(WordsTest, OfAFolderThatAnotherWorksIn) {
  const SystemClock clock;
  {
    const auto lock = FolderLock::take(files_, clock, folder_ / "blobs");
    ASSERT_TRUE(lock.ok());
    expect_words([](Json&) {}, 1,
                 {"another process works in " + path("blobs"), "name another folder"});
    EXPECT_EQ(FolderLock::take(files_, clock, folder_ / "blobs").error().code, Errc::conflict);
  }
  EXPECT_TRUE(FolderLock::take(files_, clock, folder_ / "blobs").ok());
}

}  // namespace
}  // namespace sp::apps
