#include "check.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "broker/service.hpp"
#include "common/broker_settings.hpp"
#include "common/daemon.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"
#include "net/server_files.hpp"
#include "prove/dev.hpp"

namespace sp::apps {
namespace {

constexpr std::size_t kBrokerKeysMax = 4096;
constexpr mode_t kOthers = 077;

using Problems = std::vector<std::string>;

void note(Problems& problems, const std::string& what, const Status& status) {
  if (!status) problems.push_back(what + ": " + status.error().message);
}

// A secret is its owner's alone.
void check_mode(Problems& problems, const std::string& what, const Path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return;  // told by who reads it
  if ((found.st_mode & kOthers) == 0) return;
  problems.push_back(what + ": " + path.string() +
                     " may be read by others; mend it with: chmod 600 " + path.string());
}

void check_listen(Problems& problems, const std::string& what, const Listen& listen) {
  if (!listen.tls()) {
    if (!is_loopback(listen.address) && what == "listen") {
      problems.push_back("listen: " + listen.address +
                         " is reached from elsewhere, so certificate and key must be named");
    }
    return;
  }
  note(problems, what, net::check_server_files(listen.certificate.string(), listen.key.string()));
  check_mode(problems, what + ".key", listen.key);
}

void check_program(Problems& problems, const std::string& what, const Path& path) {
  if (::access(path.c_str(), X_OK) == 0) return;
  problems.push_back(what + ": " + path.string() + " isn't a program that can be run");
}

void check_key(Problems& problems, const Files& files, const std::string& what, const Path& path) {
  const auto key = load_key(files, path);
  if (!key) return problems.push_back(what + ": " + key.error().message);
  check_mode(problems, what, path);
}

void check_platform(Problems& problems, const Files& files, const Path& path) {
  auto bytes = files.read(path, prove::kDevPlatformSizeMax);
  if (!bytes) return problems.push_back("platform: " + bytes.error().message);
  const auto platform = prove::DevPlatform::decode(*bytes);
  wipe(*bytes);
  if (!platform) return problems.push_back("platform: " + platform.error().message);
  check_mode(problems, "platform", path);
}

void check_operation(Problems& problems, const Listen& listen, const Operation& operation) {
  check_listen(problems, "listen", listen);
  if (operation.metrics) check_listen(problems, "metrics", *operation.metrics);
}

Problems check_store(const Files& files, const Path& path) {
  const auto settings = StoreSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  check_key(problems, files, "key", settings->key);
  return problems;
}

Problems check_broker(const Files& files, const Path& path) {
  const auto settings = BrokerSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  auto bytes = files.read(settings->keys, kBrokerKeysMax);
  if (bytes) {
    const auto keys = broker::BrokerKeys::decode(*bytes);
    wipe(*bytes);
    if (!keys) problems.push_back("keys: " + keys.error().message);
    check_mode(problems, "keys", settings->keys);
  } else {
    problems.push_back("keys: " + bytes.error().message);
  }
  check_platform(problems, files, settings->platform);
  return problems;
}

Problems check_provider(const Files& files, const Path& path) {
  const auto settings = ProviderSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  check_key(problems, files, "actionKey", settings->action_key);
  check_platform(problems, files, settings->platform);
  check_program(problems, "loader", settings->loader);
  check_program(problems, "runc", settings->runc);
  return problems;
}

}  // namespace

std::vector<std::string> check_settings(const std::string& role, const Path& path) {
  const PosixFiles files;
  if (role == "store") return check_store(files, path);
  if (role == "broker") return check_broker(files, path);
  if (role == "provider") return check_provider(files, path);
  return {"no such role: " + role};
}

}  // namespace sp::apps
