#include "check.hpp"

#include <unistd.h>

#include "broker/service.hpp"
#include "common/broker_settings.hpp"
#include "common/daemon.hpp"
#include "common/environment.hpp"
#include "common/provider_settings.hpp"
#include "common/secret_files.hpp"
#include "common/store_settings.hpp"
#include "net/server_files.hpp"
#include "prove/dev.hpp"

namespace sp::apps {
namespace {

using Problems = std::vector<std::string>;

template <class Outcome>
void note(Problems& problems, const Outcome& outcome) {
  if (!outcome) problems.push_back(outcome.error().message);
}

void check_listen(Problems& problems, const std::string& what, const Listen& listen) {
  if (!listen.tls()) {
    if (!is_loopback(listen.address) && what == "listen") {
      problems.push_back("listen: " + listen.address +
                         " is reached from elsewhere, so certificate and key must be named");
    }
    return;
  }
  const Status files = net::check_server_files(listen.certificate.string(), listen.key.string());
  if (!files) problems.push_back(what + ": " + files.error().message);
  note(problems, check_private(what + ".key", listen.key));
}

void check_program(Problems& problems, const std::string& what, const Path& path) {
  if (::access(path.c_str(), X_OK) == 0) return;
  problems.push_back(what + ": " + path.string() + " isn't a program that can be run");
}

void check_platform(Problems& problems, const Files& files, const Path& path) {
  note(problems, load_secret(files, "platform", path, prove::kDevPlatformSizeMax,
                             prove::DevPlatform::decode));
}

void check_ca_file(Problems& problems, const std::string& ca_file) {
  const Status usable = net::check_ca_file(ca_file);
  if (!usable) problems.push_back("caFile: " + usable.error().message);
}

void check_operation(Problems& problems, const Listen& listen, const Operation& operation) {
  check_listen(problems, "listen", listen);
  if (operation.metrics) check_listen(problems, "metrics", *operation.metrics);
}

// What the environment adds to the settings is this one's; the bucket isn't asked.
void check_bucket(Problems& problems, const Files& files, const BucketSettings& bucket) {
  check_ca_file(problems, bucket.ca_file);
  const auto usable =
      store::s3_settings(bucket.location, bucket.choices, environment_variable, files);
  if (!usable) problems.push_back("backend.s3: " + usable.error().message);
}

Problems check_store(const Files& files, const Path& path) {
  const auto settings = StoreSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  note(problems, load_key(files, settings->key));
  if (settings->bucket) check_bucket(problems, files, *settings->bucket);
  return problems;
}

Problems check_broker(const Files& files, const Path& path) {
  const auto settings = BrokerSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  note(problems, load_secret(files, "keys", settings->keys, broker::kBrokerKeysSizeMax,
                             broker::BrokerKeys::decode));
  check_platform(problems, files, settings->platform);
  check_ca_file(problems, settings->ca_file);
  if (settings->collateral) check_ca_file(problems, settings->collateral->ca_file);
  return problems;
}

Problems check_provider(const Files& files, const Path& path) {
  const auto settings = ProviderSettings::load(files, path);
  if (!settings) return {settings.error().message};
  Problems problems;
  check_operation(problems, settings->listen, settings->operation);
  note(problems, load_key(files, settings->action_key));
  check_platform(problems, files, settings->platform);
  check_ca_file(problems, settings->ca_file);
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
