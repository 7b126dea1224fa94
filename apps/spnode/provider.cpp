#include <algorithm>

#include "chain_access.hpp"
#include "chain_pulse.hpp"
#include "common/daemon.hpp"
#include "common/folder_health.hpp"
#include "common/provider_settings.hpp"
#include "daemons.hpp"
#include "provider/status.hpp"
#include "tee/sandbox.hpp"

namespace sp::apps {
namespace {

// How often the chain is looked at: a local one costs nothing, a public one has limits.
constexpr std::chrono::milliseconds kLocalPoll{10};
constexpr std::chrono::milliseconds kPublicPoll{1000};

bool is_local(const RpcSettings& rpc) {
  return std::all_of(rpc.urls.begin(), rpc.urls.end(), [](const std::string& text) {
    const auto url = net::Url::parse(text);
    return url && (url->host == "127.0.0.1" || url->host == "localhost");
  });
}

tee::SandboxOptions sandbox_options(const ProviderSettings& settings) {
  // Two providers of one machine have different accounts, so their groups never meet.
  return {settings.loader, settings.platform, settings.runc,
          "superprotocol/" + settings.authority.hex()};
}

provider::ControllerOptions controller_options(const ProviderSettings& settings) {
  provider::ControllerOptions options;
  options.authority = settings.authority;
  options.capacity = settings.capacity;
  options.queue = settings.queue;
  options.folder = settings.folder;
  options.start_block = settings.follows.start_block;
  options.confirmations = settings.confirmations;
  options.poll_period = is_local(settings.follows.rpc) ? kLocalPoll : kPublicPoll;
  return options;
}

}  // namespace

Status run_provider(const Path& path) {
  PosixFiles files;
  const SystemClock clock;
  SP_ASSIGN(const ProviderSettings settings, ProviderSettings::load(files, path));
  start_log(settings.operation);
  SP_ASSIGN(const crypto::EthKey action, load_key(files, settings.action_key));
  SP_TRY(files.make_folder(settings.folder));
  SP_ASSIGN(const auto host, tee::make_sandbox(sandbox_options(settings)));

  SP_ASSIGN(const auto access, ChainAccess::open(settings.follows, settings.ca_file, clock));
  chain::TxSender sender(access->chain(), action, clock);
  net::HttpClient::Options trusting;
  trusting.ca_file = settings.ca_file;
  net::HttpClient client(trusting);
  provider::CallForwarder forwarder(client, settings.services);
  provider::Controller controller(
      {access->market(), sender, action, *host, forwarder, files, clock},
      controller_options(settings));
  SP_TRY(controller.start());
  const ChainPulse pulse(
      settings.follows.market.contract.hex0x(), [&] { return access->chain().block(); }, clock);
  DaemonFrame frame;
  frame.name = "provider";
  frame.listen = settings.listen;
  frame.operation = settings.operation;
  frame.body_max = 1 << 16;
  frame.routes = {"/health", "/metrics", "/v1/orders"};
  frame.handler = [&](const auto& request) {
    return provider::handle_status_request(controller, request);
  };
  frame.health = [&]() -> Status {
    SP_TRY(check_folder(files, settings.folder));
    SP_TRY(pulse.health());
    return provider::controller_health(controller, clock);
  };
  frame.collect = [&](net::MetricsText& text) {
    provider::write_controller_metrics(text, {{pulse.name(), &controller}});
    write_pulses(text, "superprotocol_provider", {&pulse});
    write_disk_metrics(text, "superprotocol_provider", settings.folder);
  };
  frame.drain_max = std::chrono::seconds(settings.stop_grace_seconds);
  frame.drain = [&] { controller.drain(frame.drain_max); };
  return serve_until_stopped(frame);
}

}  // namespace sp::apps
