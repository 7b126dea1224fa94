#include "broker/remote.hpp"
#include "chain_access.hpp"
#include "chain_pulse.hpp"
#include "collateral/answers.hpp"
#include "collateral/cached_source.hpp"
#include "collateral/http_source.hpp"
#include "common/broker_settings.hpp"
#include "common/daemon.hpp"
#include "common/folder_health.hpp"
#include "crypto/random.hpp"
#include "daemons.hpp"
#include "prove/dev.hpp"

namespace sp::apps {
namespace {

Result<broker::BrokerKeys> load_broker_keys(const Files& files, const Path& path) {
  SP_ASSIGN(Bytes bytes, files.read(path, 4096));
  auto keys = broker::BrokerKeys::decode(bytes);
  wipe(bytes);
  return keys;
}

Result<prove::DevPlatform> load_platform(const Files& files, const Path& path) {
  SP_ASSIGN(Bytes bytes, files.read(path, prove::kDevPlatformSizeMax));
  auto platform = prove::DevPlatform::decode(bytes);
  wipe(bytes);
  return platform;
}

// The cache of what vendors publish, and the services behind it. It is one value, so that the cache
// can't outlive what it asks.
struct Collateral {
  Collateral(const collateral::HttpSource::Options& services, const Clock& clock)
      : http(services, clock) {}
  collateral::HttpSource http;
  std::unique_ptr<collateral::CachedSource> cached;
  [[nodiscard]] collateral::CollateralSource* source() const { return cached.get(); }
};

Result<std::unique_ptr<Collateral>> open_collateral(
    const std::optional<CollateralSettings>& settings, Files& files, const Clock& clock) {
  if (!settings) return std::unique_ptr<Collateral>();
  auto services = collateral::HttpSource::Options::vendors();
  if (!settings->amd.empty()) services.amd = settings->amd;
  if (!settings->intel.empty()) services.intel.clear();
  for (const std::string& base : settings->intel) services.intel.push_back({base, ""});
  services.ca_file = settings->ca_file;
  auto opened = std::make_unique<Collateral>(services, clock);
  collateral::CachedSource::Options cache;
  cache.folder = settings->folder;
  cache.offline = settings->offline;
  cache.next_update = collateral::next_update_of;
  SP_ASSIGN(opened->cached,
            collateral::CachedSource::open(std::move(cache), files, clock, opened->http));
  return opened;
}

}  // namespace

Status run_broker(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  crypto::SystemRandom random;
  SP_ASSIGN(const BrokerSettings settings, BrokerSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const broker::BrokerKeys keys, load_broker_keys(files, settings.keys));
  SP_ASSIGN(prove::DevPlatform platform, load_platform(files, settings.platform));
  SP_ASSIGN(const attest::Measurement own, prove::measure_program(files, prove::kOwnProgram));
  prove::DevProver prover(std::move(platform), own);
  SP_TRY(files.make_folder(settings.folder));

  SP_ASSIGN(const auto access, ChainAccess::open(settings.follows, settings.ca_file, clock));
  broker::MarketView view(access->market(), files,
                          {settings.follows.start_block, settings.folder / "checkpoint"},
                          access->witnesses());
  SP_TRY(view.load());
  SP_ASSIGN(const auto source, open_collateral(settings.collateral, files, clock));
  broker::Vault vault(files, settings.folder, keys.vault.clone(), random);
  broker::Broker service(keys, view, vault, prover, clock, random,
                         {.attestor_policy = settings.attests,
                          .anchors = attest::Anchors::vendors(),
                          .collateral = source ? source->source() : nullptr});
  const ChainPulse pulse(
      settings.follows.market.contract.hex0x(), [&] { return access->chain().block(); }, clock);
  DaemonFrame frame;
  frame.name = "broker";
  frame.listen = settings.listen;
  frame.operation = settings.operation;
  frame.body_max = broker::kBrokerBodyMax;
  frame.routes = {"/health",     "/metrics",     "/v1/nonce",    "/v1/attest",
                  "/v1/release", "/v1/deposits", "/v1/requests", "/v1/identity"};
  frame.handler = [&](const auto& request) {
    return broker::handle_broker_request(service, request);
  };
  frame.health = [&]() -> Status {
    SP_TRY(check_folder(files, settings.folder));
    return pulse.health();
  };
  frame.collect = [&](net::MetricsText& text) {
    text.append(service.metrics());
    write_pulses(text, "superprotocol_broker", {&pulse});
    write_disk_metrics(text, "superprotocol_broker", settings.folder);
  };
  return serve_until_stopped(frame);
}

}  // namespace sp::apps
