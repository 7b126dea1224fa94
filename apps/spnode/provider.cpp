#include <algorithm>

#include "base/durable.hpp"
#include "base/sync.hpp"
#include "chain_access.hpp"
#include "chain_pulse.hpp"
#include "common/daemon.hpp"
#include "common/folder_health.hpp"
#include "common/folder_lock.hpp"
#include "common/provider_settings.hpp"
#include "common/secret_files.hpp"
#include "crypto/random.hpp"
#include "daemons.hpp"
#include "net/server_files.hpp"
#include "opening.hpp"
#include "provider/status.hpp"
#include "tee/sandbox.hpp"

namespace sp::apps {
namespace {

constexpr unsigned kStoreAttempts = 6;  // of an upload or a receipt: about ten seconds

// How often the chain is looked at: a local one costs nothing, a public one has limits.
constexpr std::chrono::milliseconds kLocalPoll{10};
constexpr std::chrono::milliseconds kPublicPoll{1000};

bool is_local(const RpcSettings& rpc) {
  return std::all_of(rpc.urls.begin(), rpc.urls.end(), [](const std::string& text) {
    const auto url = net::Url::parse(text);
    return url && (url->host == "127.0.0.1" || url->host == "localhost");
  });
}

// The outbox of a chain keeps what it sent until all markets of that chain call it final.
chain::TxSender::Options outbox_options(const ProviderSettings& settings, std::uint64_t chain_id) {
  chain::TxSender::Options options;
  options.outbox = settings.folder / ("outbox-" + std::to_string(chain_id));
  for (const ServedMarket& served : settings.markets) {
    if (served.follows.market.chain_id != chain_id) continue;
    options.confirmations = std::max<std::uint64_t>(options.confirmations, served.confirmations);
  }
  return options;
}

// One market of the settings: its orders, ledger, capacity and TEEs are its own.
class ProviderMarket {
 public:
  ProviderMarket(const ServedMarket& served, bool alone, const ProviderSettings& settings,
                 const Clock& clock)
      : served_(served),
        folder_(settings.folder / ("market-" + served.follows.name())),
        authority_(settings.authority),
        access_(served.follows, alone, settings.ca_file, clock),
        pulse_(
            served.follows.name(), [this] { return access_.chain().block(); }, clock) {}

  [[nodiscard]] std::string name() const { return served_.follows.name(); }
  [[nodiscard]] std::uint64_t chain_id() const { return served_.follows.market.chain_id; }
  ChainAccess& access() { return access_; }
  [[nodiscard]] const ChainPulse& pulse() const { return pulse_; }
  [[nodiscard]] Status health(const Clock& clock) const {
    SP_TRY(pulse_.health());
    return provider::controller_health(*controller_, clock);
  }
  void drain(std::chrono::nanoseconds limit) { controller_->drain(limit); }
  [[nodiscard]] const provider::Controller* controller() const { return controller_.get(); }

  /// What needs no chain: the ledger is readable from here on.
  Status prepare(const ProviderSettings& settings, chain::TxSender& sender,
                 const crypto::EthKey& action, provider::CallForwarder& forwarder, Files& files,
                 const Clock& clock) {
    SP_TRY(files.make_folder(folder_));
    // Two providers of one machine have different accounts and two markets different names, so
    // their groups never meet.
    SP_ASSIGN(host_, tee::make_sandbox({settings.loader, settings.platform, settings.runc,
                                        "superprotocol/" + settings.authority.hex() + "/" + name(),
                                        crash_variable_for("loader")}));
    controller_ = std::make_unique<provider::Controller>(
        provider::Controller::Parts{access_.market(), sender, action, *host_, forwarder, files,
                                    clock},
        controller_options());
    return {};
  }

  /// Where the chain answers: goes on with what an earlier life sent, takes and runs orders.
  Status open(chain::TxSender& sender) {
    SP_TRY(access_.check());
    SP_TRY(as_kept(sender.tend()));
    return as_kept(controller_->start());
  }

 private:
  // What an earlier life kept and can't be read isn't the settings' fault.
  static Status as_kept(Status status) {
    if (status || status.error().code != Errc::malformed) return status;
    return Error{Errc::mismatch, status.error().message};
  }
  [[nodiscard]] provider::ControllerOptions controller_options() const {
    provider::ControllerOptions options;
    options.authority = authority_;
    options.capacity = served_.capacity;
    options.queue = served_.queue;
    options.folder = folder_;
    options.start_block = served_.follows.start_block;
    options.confirmations = served_.confirmations;
    options.poll_period = is_local(served_.follows.rpc) ? kLocalPoll : kPublicPoll;
    return options;
  }

  const ServedMarket served_;
  const Path folder_;
  const Address authority_;
  ChainAccess access_;
  ChainPulse pulse_;  // its thread uses access_
  std::unique_ptr<tee::TeeHost> host_;
  std::unique_ptr<provider::Controller> controller_;
};

// What the frame asks; all that is passed outlives it.
DaemonFrame frame_of(const ProviderSettings& settings, Files& files, const Clock& clock,
                     const std::vector<std::unique_ptr<ProviderMarket>>& markets,
                     const std::vector<const provider::Controller*>& controllers) {
  DaemonFrame frame;
  frame.name = "provider";
  frame.listen = settings.listen;
  frame.operation = settings.operation;
  frame.body_max = 1 << 16;
  frame.routes = {"/health", "/metrics", "/v1/orders"};
  frame.handler = [&](const auto& request) {
    return provider::handle_status_request(controllers, request);
  };
  frame.health = [&]() -> Status {
    SP_TRY(check_folder(files, settings.folder));
    for (const auto& market : markets) SP_TRY(market->health(clock));
    return {};
  };
  frame.collect = [&](net::MetricsText& text) {
    std::vector<std::pair<std::string, const provider::Controller*>> named;
    std::vector<const ChainPulse*> pulses;
    for (const auto& market : markets) {
      named.emplace_back(market->name(), market->controller());
      pulses.push_back(&market->pulse());
    }
    provider::write_controller_metrics(text, named);
    write_pulses(text, "superprotocol_provider", pulses);
    write_disk_metrics(text, "superprotocol_provider", settings.folder);
  };
  const std::chrono::seconds limit(settings.stop_grace_seconds);
  frame.drain_max = limit + provider::kLastWordMax;
  // All at once: none begins an order while another waits, and the limit is one for all.
  frame.drain = [&markets, limit] {
    std::vector<Thread> drains;
    for (const auto& market : markets) {
      drains.emplace_back([&market, limit] { market->drain(limit); });
    }
    for (Thread& drain : drains) drain.join();
  };
  return frame;
}

}  // namespace

Status run_provider(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  SP_ASSIGN(const ProviderSettings settings, ProviderSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const crypto::EthKey action, load_key(files, settings.action_key));
  SP_TRY(check_private("platform", settings.platform));
  SP_TRY(net::check_ca_file(settings.ca_file));
  SP_ASSIGN(const FolderLock lock, FolderLock::take(files, clock, settings.folder));
  SP_TRY(sweep_temporaries(settings.folder, SweepDepth::below));
  crypto::SystemRandom random;
  net::HttpClient::Options trusting;
  trusting.ca_file = settings.ca_file;
  trusting.slowest = net::kSlowestLine;
  net::HttpClient client(trusting);
  // A store may be busy for a moment, and an order is lost for want of a receipt.
  provider::CallForwarder forwarder(
      client, settings.services,
      {&action, std::nullopt, &clock, &random, {.attempts = kStoreAttempts}}, &settings.mirrors);

  // One account has one row of nonces a chain, so markets of one chain share a sender. It outlives
  // their threads.
  std::map<std::uint64_t, std::unique_ptr<chain::TxSender>> senders;
  std::vector<std::unique_ptr<ProviderMarket>> markets;
  std::vector<const provider::Controller*> controllers;
  std::vector<Opening::Door> doors;
  for (const ServedMarket& served : settings.markets) {
    auto market =
        std::make_unique<ProviderMarket>(served, settings.markets.size() == 1, settings, clock);
    auto& sender = senders[market->chain_id()];
    if (!sender) {
      sender = std::make_unique<chain::TxSender>(
          market->access().chain(), action, clock, files,
          outbox_options(settings, served.follows.market.chain_id));
    }
    SP_TRY(market->prepare(settings, *sender, action, forwarder, files, clock));
    controllers.push_back(market->controller());
    doors.push_back({market->name(), [market = market.get(), sender = sender.get()] {
                       return market->open(*sender);
                     }});
    markets.push_back(std::move(market));
  }
  Opening opening(std::move(doors));
  SP_TRY(opening.first_tries());
  return serve_until_stopped(frame_of(settings, files, clock, markets, controllers));
}

}  // namespace sp::apps
