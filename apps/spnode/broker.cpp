#include "broker/remote.hpp"
#include "common/daemon.hpp"
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

}  // namespace

Status run_broker(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  crypto::SystemRandom random;
  SP_ASSIGN(const BrokerSettings settings, BrokerSettings::load(files, path));
  SP_ASSIGN(const broker::BrokerKeys keys, load_broker_keys(files, settings.keys));
  SP_ASSIGN(prove::DevPlatform platform, load_platform(files, settings.platform));
  SP_ASSIGN(const attest::Measurement own, prove::measure_program(files, prove::kOwnProgram));
  prove::DevProver prover(std::move(platform), own);
  SP_TRY(files.make_folder(settings.folder));

  const auto endpoint = chain::http_endpoint(settings.follows.rpc, clock);
  chain::Chain chain(*endpoint);
  market::MarketClient market(chain, settings.follows.market);
  // Asked for once, before there are threads: the client keeps it without a lock.
  SP_TRY(market.registry());
  broker::MarketView view(market, files,
                          {settings.follows.start_block, settings.folder / "checkpoint"});
  SP_TRY(view.load());
  broker::Vault vault(files, settings.folder, keys.vault.clone(), random);
  broker::Broker service(keys, view, vault, prover, clock, random,
                         {settings.attests, attest::Anchors::vendors()});
  return serve_until_stopped(
      "broker", settings.listen, broker::kBrokerBodyMax,
      [&](const auto& request) { return broker::handle_broker_request(service, request); });
}

}  // namespace sp::apps
