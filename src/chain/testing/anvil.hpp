// An anvil of a test's own: a local development chain on a free port of 127.0.0.1, killed with the
// object. Belongs to the thread that made it (the chain dies with that thread).
//
//   const auto anvil = testing::Anvil::start();
//   if (!anvil) GTEST_SKIP() << "anvil isn't installed";
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/process.hpp"
#include "crypto/secp256k1.hpp"

namespace sp::chain::testing {

/// A program of npm's foundry packages: "anvil", "cast", "forge".
inline Path foundry_program(const std::string& name) {
  return Path(SP_TEST_SOURCE_DIR) / "node_modules/@foundry-rs" / (name + "-linux-amd64") / "bin" /
         name;
}

class Anvil {
 public:
  static constexpr std::size_t kAccounts = 10;

  /// Starts one and waits until it listens. Null where anvil isn't installed; a CHECK fails where
  /// it doesn't start within 20 s.
  static std::unique_ptr<Anvil> start(const std::vector<std::string>& arguments = {}) {
    const Path program = foundry_program("anvil");
    if (!std::filesystem::exists(program)) return nullptr;
    // It prints its port; a file in memory takes all it prints and never fills up as a pipe does.
    const Fd output(::memfd_create("anvil", MFD_CLOEXEC));
    SP_CHECK(output.valid());
    ProcessOptions options;
    options.argv = {program.string(), "--port", "0"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.environment = basic_environment();
    options.descriptors = {{STDOUT_FILENO, output.get()}};
    auto process = Process::start(options);
    SP_CHECK(process.ok());
    for (int tries = 0; tries < 4000; ++tries) {
      if (const std::uint16_t port = read_port(output.get()); port != 0) {
        return std::unique_ptr<Anvil>(new Anvil(std::move(*process), port));
      }
      SP_CHECK(!process->wait(std::chrono::milliseconds(5)));
    }
    SP_CHECK(false);  // it runs and doesn't listen
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void signal(int signal) { process_.kill(signal); }
  /// Sends SIGINT and waits for its end, so that it writes its state file, if it has one.
  void stop() {
    process_.kill(SIGINT);
    process_.wait(std::chrono::seconds(10));
  }

  /// The key of one of its rich accounts (from the well-known test mnemonic); `index` below 10.
  static crypto::EthKey key(std::size_t index) {
    static constexpr const char* kKeys[kAccounts] = {
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"};
    SP_CHECK(index < kAccounts);
    const auto bytes = from_hex(kKeys[index]);
    return std::move(crypto::EthKey::from_secret(*Secret32::from(*bytes)).value());
  }

 private:
  Anvil(Process process, std::uint16_t port) : process_(std::move(process)), port_(port) {}

  static std::uint16_t read_port(int fd) {
    constexpr std::string_view kMark = "Listening on 127.0.0.1:";
    std::string text(64 * 1024, '\0');
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    const std::size_t at = text.find(kMark);
    if (at == std::string::npos || text.find('\n', at) == std::string::npos) return 0;
    std::uint16_t port = 0;
    std::from_chars(text.data() + at + kMark.size(), text.data() + text.size(), port);
    return port;
  }

  Process process_;
  std::uint16_t port_ = 0;
};

}  // namespace sp::chain::testing
