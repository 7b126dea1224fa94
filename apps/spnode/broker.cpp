#include "base/durable.hpp"
#include "broker/markets_view.hpp"
#include "broker/remote.hpp"
#include "chain_access.hpp"
#include "chain_pulse.hpp"
#include "collateral/cached_services.hpp"
#include "common/broker_settings.hpp"
#include "common/daemon.hpp"
#include "common/folder_health.hpp"
#include "common/folder_lock.hpp"
#include "common/secret_files.hpp"
#include "crypto/random.hpp"
#include "daemons.hpp"
#include "net/server_files.hpp"
#include "opening.hpp"
#include "prove/dev.hpp"

namespace sp::apps {
namespace {

Result<std::unique_ptr<collateral::CachedServices>> open_collateral(
    const std::optional<CollateralSettings>& settings, Files& files, const Clock& clock) {
  if (!settings) return std::unique_ptr<collateral::CachedServices>();
  SP_TRY(net::check_ca_file(settings->ca_file));
  SP_TRY(sweep_temporaries(settings->folder, SweepDepth::folder));
  return collateral::CachedServices::open(
      {settings->folder, settings->amd, settings->intel, settings->ca_file, settings->offline},
      files, clock);
}

// The markets of the settings: the broker's view of each, which opens when its chain answers.
class BrokerMarkets {
 public:
  static Result<std::unique_ptr<BrokerMarkets>> load(const BrokerSettings& settings, Files& files,
                                                     const Clock& clock) {
    auto markets = std::make_unique<BrokerMarkets>();
    std::vector<broker::ChainView*> views;
    for (const FollowedMarket& follows : settings.markets) {
      auto access = std::make_unique<ChainAccess>(follows, settings.markets.size() == 1,
                                                  settings.ca_file, clock);
      const broker::MarketView::Options options{follows.start_block,
                                                settings.folder / ("checkpoint-" + follows.name())};
      auto view = std::make_unique<broker::MarketView>(access->market(), files, options,
                                                       access->witnesses());
      SP_TRY(view->load());
      views.push_back(view.get());
      markets->names_.push_back(follows.name());
      markets->pulses_.push_back(std::make_unique<ChainPulse>(
          follows.name(), [chain = &access->chain()] { return chain->block(); }, clock));
      markets->access_.push_back(std::move(access));
      markets->views_.push_back(std::move(view));
    }
    markets->view_.emplace(std::move(views));
    return markets;
  }

  /// Opens those whose chains answer now, the others later. Errors that won't pass.
  Status open() {
    std::vector<Opening::Door> doors;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      doors.push_back({names_[i], [this, i]() -> Status {
                         SP_TRY(access_[i]->check());
                         view_->open(i);
                         return {};
                       }});
    }
    opening_.emplace(std::move(doors));
    return opening_->first_tries();
  }
  broker::ChainView& view() { return *view_; }
  /// Whether every chain answers.
  [[nodiscard]] Status health() const {
    for (const auto& pulse : pulses_) SP_TRY(pulse->health());
    return {};
  }
  [[nodiscard]] std::vector<const ChainPulse*> pulses() const {
    std::vector<const ChainPulse*> all;
    for (const auto& pulse : pulses_) all.push_back(pulse.get());
    return all;
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<ChainAccess>> access_;
  std::vector<std::unique_ptr<broker::MarketView>> views_;
  std::optional<broker::MarketsView> view_;
  std::vector<std::unique_ptr<ChainPulse>> pulses_;  // threads that use access_
  std::optional<Opening> opening_;                   // last: its threads use all of the above
};

}  // namespace

Status run_broker(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  crypto::SystemRandom random;
  SP_ASSIGN(const BrokerSettings settings, BrokerSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const broker::BrokerKeys keys,
            load_secret(files, "keys", settings.keys, broker::kBrokerKeysSizeMax,
                        broker::BrokerKeys::decode));
  SP_ASSIGN(prove::DevPlatform platform,
            load_secret(files, "platform", settings.platform, prove::kDevPlatformSizeMax,
                        prove::DevPlatform::decode));
  SP_ASSIGN(const attest::Measurement own, prove::measure_program(files, prove::kOwnProgram));
  prove::DevProver prover(std::move(platform), own);
  SP_TRY(net::check_ca_file(settings.ca_file));
  SP_ASSIGN(const FolderLock lock, FolderLock::take(files, clock, settings.folder));
  SP_TRY(sweep_temporaries(settings.folder, SweepDepth::below));

  SP_ASSIGN(const auto markets, BrokerMarkets::load(settings, files, clock));
  SP_ASSIGN(const auto source, open_collateral(settings.collateral, files, clock));
  broker::Vault vault(files, settings.folder, keys.vault.clone(), random);
  broker::Broker service(keys, markets->view(), vault, prover, clock, random,
                         {.attestor_policy = settings.attests,
                          .anchors = attest::Anchors::vendors(),
                          .collateral = source ? &source->source() : nullptr});
  SP_TRY(markets->open());
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
    return markets->health();
  };
  frame.collect = [&](net::MetricsText& text) {
    text.append(service.metrics());
    write_pulses(text, "superprotocol_broker", markets->pulses());
    write_disk_metrics(text, "superprotocol_broker", settings.folder);
  };
  return serve_until_stopped(frame);
}

}  // namespace sp::apps
