#include "bucket.hpp"

#include <signal.h>

#include <nlohmann/json.hpp>

#include "base/crash_point.hpp"
#include "base/json.hpp"
#include "base/testing/must.hpp"
#include "spctl/ports.hpp"

namespace sp::crash {
namespace {

constexpr std::chrono::seconds kLimit{20};
constexpr std::size_t kOutputMax = 1 << 16;

}  // namespace

Bucket::Bucket(hostile::Town& town)
    : town_(town),
      folder_(town.work() / "store-in-a-bucket"),
      account_(crypto::EthKey::generate(town.random())) {
  server_.any_time = true;
  ProcessOptions init;
  init.argv = {town.program("spnode"), "init",   "store",     "--folder",
               folder_.string(),       "--host", "127.0.0.1", "--no-tls"};
  init.environment = basic_environment();
  const CommandOutput made = must(run_command(init, kLimit, kOutputMax));
  if (made.end.exit_code != 0) throw std::runtime_error(made.text);
  const auto ports = must(spctl::take_ports(town.files(), folder_ / "ports.json", {"store"}));
  url_ = "http://127.0.0.1:" + std::to_string(ports.at("store"));
  const Path settings = folder_ / "store.json";
  Json json = must(parse_json(as_text(must(town.files().read(settings, kOutputMax))), kOutputMax));
  json["listen"]["port"] = ports.at("store");
  json["backend"] = {{"s3", {{"url", "s3://bucket/store"}}}};
  must(town.files().write_atomic(settings, as_bytes(json.dump()), FileMode::owner_only));
  store_ = std::make_unique<store::HttpStore>(
      town.http(), url_, store::StoreAccess{&account_, std::nullopt, &town.clock(), nullptr, {}});
}

Bucket::~Bucket() { kill_store(); }

std::vector<std::string> Bucket::environment() const {
  return {"AWS_ENDPOINT_URL=http://127.0.0.1:" + std::to_string(server_.port()),
          "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret"};
}

void Bucket::start_store(const std::string& armed) {
  kill_store();
  ProcessOptions options;
  options.argv = {town_.program("spnode"), "store", "--config", "store.json"};
  options.folder = folder_;
  options.environment = environment();
  if (!armed.empty()) options.environment.push_back(std::string(kCrashVariable) + "=" + armed);
  process_ = must(Process::start(options));
  const auto deadline = town_.clock().monotonic() + kLimit;
  for (;;) {
    const auto health = town_.http().call("GET", url_ + "/health");
    if (health && health->status == 200) return;
    if (process_->wait(std::chrono::milliseconds(0)) || town_.clock().monotonic() > deadline) {
      throw std::runtime_error("the store in a bucket doesn't answer");
    }
    town_.clock().sleep_for(std::chrono::milliseconds(5));
  }
}

bool Bucket::store_dies(std::chrono::milliseconds limit) {
  const auto end = process_->wait(limit);
  return end && end->signal == SIGKILL;
}

void Bucket::kill_store() { process_.reset(); }

void Bucket::refuse_parts(bool refused) {
  server_.hook = nullptr;
  if (!refused) return;
  server_.hook = [](const net::HttpRequest& request) -> std::optional<net::HttpResponse> {
    if (!request.query.contains("partNumber")) return std::nullopt;
    return store::testing::FakeS3::error(403, "AccessDenied");
  };
}

}  // namespace sp::crash
