#include "spctl/local_system.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "broker/service.hpp"
#include "common/dev_policy.hpp"
#include "common/folder_lock.hpp"
#include "common/secret_files.hpp"
#include "prove/dev.hpp"
#include "spctl/account_turn.hpp"
#include "spctl/chain_copy.hpp"
#include "spctl/deployment.hpp"
#include "spctl/ports.hpp"

namespace sp::spctl {
namespace {

using apps::BrokerSettings;
using apps::dev_policy;
using apps::ProviderSettings;
using apps::StoreSettings;

constexpr const char* kProviderKey = "provider";  // authority account
constexpr const char* kActionKey = "action";
constexpr std::uint64_t kStoreBytesMax = std::uint64_t{64} << 30;
constexpr std::uint32_t kCapacity = 2;
constexpr std::uint32_t kQueue = 64;
constexpr std::chrono::milliseconds kPollPause{5};
constexpr std::size_t kLogLines = 8;

// Names of files in the daemons' state folders; settings name them relative to the daemons'
// folders.
constexpr const char* kStoreKeyFile = "store.key";
constexpr const char* kBrokerKeysFile = "broker.keys";
constexpr const char* kActionKeyFile = "action.key";
constexpr const char* kPlatformFile = "platform";

Path in_state(const std::string& file) { return Path("state") / file; }

Result<prove::DevPlatform> load_platform(const Files& files, const Daemon& daemon) {
  return apps::load_secret(files, "platform of " + daemon.name(), daemon.state(kPlatformFile),
                           prove::kDevPlatformSizeMax, prove::DevPlatform::decode);
}

}  // namespace

LocalSystem::LocalSystem(Context& context)
    : context_(context),
      chain_(context.files(), context.home().daemon("chain"), "chain"),
      store_(context.files(), context.home().daemon("store"), "store"),
      broker_(context.files(), context.home().daemon("broker"), "broker"),
      provider_(context.files(), context.home().daemon("provider"), "provider") {}

std::optional<uid_t> LocalSystem::user(uid_t own) const {
  if (::geteuid() == 0) return own;
  return std::nullopt;
}

apps::Listen LocalSystem::listen(const Daemon& daemon) const {
  const auto port = ports_.find(daemon.name());
  return {"127.0.0.1", port == ports_.end() ? std::uint16_t{0} : port->second, {}, {}};
}

apps::FollowedMarket LocalSystem::followed() const {
  return {{{network_.rpc}, 1}, network_.market, network_.start_block};
}

Status LocalSystem::up(const Programs& programs) {
  if (::geteuid() != 0) {
    return failure(Errc::unauthorised, "a local system can't be started",
                   "its sandbox makes namespaces and control groups, which needs root",
                   "Run it as root: sudo spctl up");
  }
  spnode_ = programs.spnode;
  anvil_ = programs.anvil;
  const Home& home = context_.home();
  // Two at once would take different ports for the same daemons: the second finds what the first
  // made.
  SP_ASSIGN(const auto turn, apps::FolderLock::take_in_turn(context_.files(), home.root()));
  SP_ASSIGN(ports_,
            take_ports(context_.files(), home.ports(), {"chain", "store", "broker", "provider"}));
  SP_TRY(chain_.prepare(user(kChainUser)));
  SP_TRY(start_chain());
  SP_TRY(prepare_keys());
  SP_TRY(start_store());
  SP_TRY(ensure_contracts());
  SP_TRY(save_network(programs));
  SP_TRY(start_broker());
  SP_TRY(set_up_accounts());
  SP_TRY(start_provider(programs));
  SP_TRY(wait_until_answering());
  copy_chain();
  return {};
}

Status LocalSystem::prepare_keys() {
  Random& random = context_.random();
  for (const char* name : {kDefaultKey, kProviderKey, kActionKey}) {
    if (!context_.keys().has(name)) SP_TRY(context_.keys().create(name));
  }
  SP_TRY(store_.prepare(user(kStoreUser)));
  SP_TRY(broker_.prepare(user(kBrokerUser)));
  SP_TRY(provider_.prepare(std::nullopt));
  const auto store_key = crypto::EthKey::generate(random);
  SP_TRY(store_.write_state(kStoreKeyFile, store_key.secret().reveal(), user(kStoreUser)));
  const SecretBytes broker_keys = broker::BrokerKeys::generate(random).encode();
  SP_TRY(broker_.write_state(kBrokerKeysFile, broker_keys.reveal(), user(kBrokerUser)));
  // Broker and provider stand for two machines.
  const SecretBytes broker_machine = prove::DevPlatform::generate(random).encode();
  SP_TRY(broker_.write_state(kPlatformFile, broker_machine.reveal(), user(kBrokerUser)));
  const SecretBytes provider_machine = prove::DevPlatform::generate(random).encode();
  SP_TRY(provider_.write_state(kPlatformFile, provider_machine.reveal(), std::nullopt));
  SP_ASSIGN(const crypto::EthKey action, context_.keys().load(kActionKey));
  return provider_.write_state(kActionKeyFile, action.secret().reveal(), std::nullopt);
}

Status LocalSystem::start_chain() {
  network_.rpc = listen(chain_).url();
  DaemonStart start{
      anvil_,
      {"--host", "127.0.0.1", "--port", std::to_string(listen(chain_).port), "--chain-id",
       std::to_string(kLocalChainId), "--state", std::string("state/") + kChainStateFile,
       "--state-interval", "1", "--accounts", "1", "--no-request-size-limit", "--quiet"},
      user(kChainUser)};
  if (!chain_.running()) SP_TRY(ChainCopy(context_.files(), chain_).remove_torn_state());
  return ensure_running(chain_, start, false);
}

// Whether the market is on the chain; where it isn't, the chain gets back what it had at the last
// `spctl up`.
Result<bool> LocalSystem::has_contracts(chain::Chain& chain, chain::RpcEndpoint& endpoint,
                                        const Address& market) {
  SP_ASSIGN(const Bytes code, chain.code(market));
  if (!code.empty()) return true;
  const Status restored = ChainCopy(context_.files(), chain_).restore(endpoint);
  if (!restored && restored.error().code == Errc::not_found) return false;
  SP_TRY(restored);
  context_.console().note(
      "The chain has lost its state, as one does that is killed while it writes it: it goes back "
      "to the last \"spctl up\".");
  SP_ASSIGN(const Bytes code_again, chain.code(market));
  return !code_again.empty();
}

// A chain without a copy is still one that works.
void LocalSystem::copy_chain() {
  const auto endpoint = chain::http_endpoint(network_.rpc, context_.clock());
  const Status taken = ChainCopy(context_.files(), chain_).take(*endpoint);
  if (taken) return;
  context_.console().note("No copy of the chain's state was made (" + taken.error().message +
                          "): it is lost if the chain is killed while it writes it.");
}

Status LocalSystem::ensure_contracts() {
  Files& files = context_.files();
  const auto endpoint = chain::http_endpoint(network_.rpc, context_.clock());
  chain::Chain chain(*endpoint);
  SP_TRY(wait_for(chain_));
  const auto before = apps::Network::load(files, context_.home().network());
  if (before) {
    SP_ASSIGN(const bool there, has_contracts(chain, *endpoint, before->market.contract));
    if (there) {
      network_.market = before->market;
      network_.token = before->token;
      network_.start_block = before->start_block;
      return {};
    }
    context_.console().note("The chain has lost the contracts: they are deployed anew.");
  } else if (before.error().code != Errc::not_found) {
    return before.error();
  }
  SP_ASSIGN(const Contracts contracts,
            deploy_contracts(chain, context_.clock(), context_.random()));
  network_.market = {kLocalChainId, contracts.market};
  network_.token = contracts.token;
  network_.start_block = contracts.block;
  return {};
}

Status LocalSystem::save_network(const Programs& programs) {
  Files& files = context_.files();
  network_.token_symbol = "TEE";
  network_.token_decimals = 18;
  network_.confirmations = 1;
  SP_ASSIGN(const crypto::EthKey store_key, apps::load_key(files, store_.state(kStoreKeyFile)));
  network_.store = {listen(store_).url(), store_key.address()};
  SP_ASSIGN(const broker::BrokerKeys broker_keys,
            apps::load_secret(files, "keys of the broker", broker_.state(kBrokerKeysFile),
                              broker::kBrokerKeysSizeMax, broker::BrokerKeys::decode));
  network_.broker = {listen(broker_).url(), broker_keys.signing.address()};
  SP_ASSIGN(const auto node, prove::measure_program(files, programs.spnode));
  SP_ASSIGN(const auto loader, prove::measure_program(files, programs.sploader));
  SP_ASSIGN(const prove::DevPlatform broker_machine, load_platform(files, broker_));
  SP_ASSIGN(const prove::DevPlatform provider_machine, load_platform(files, provider_));
  chip_ = provider_machine.chip();
  network_.broker_tee = dev_policy(node, broker_machine.anchor());
  network_.loader_tee = dev_policy(loader, provider_machine.anchor());
  SP_ASSIGN(const KeyInfo authority, context_.keys().info(kProviderKey));
  network_.services = {{authority.address, listen(provider_).url()}};
  return network_.save(files, context_.home().network());
}

Status LocalSystem::start_store() {
  StoreSettings settings;
  settings.listen = listen(store_);
  settings.folder = in_state("blobs");
  settings.key = in_state(kStoreKeyFile);
  settings.bytes_max = kStoreBytesMax;
  settings.accounts.open = true;
  settings.accounts.quota_bytes = kStoreBytesMax;
  return spnode(store_, settings.to_json(), user(kStoreUser));
}

Status LocalSystem::start_broker() {
  BrokerSettings settings;
  settings.listen = listen(broker_);
  settings.folder = in_state("vault");
  settings.keys = in_state(kBrokerKeysFile);
  settings.platform = in_state(kPlatformFile);
  settings.markets = {followed()};
  settings.attests = network_.loader_tee;
  return spnode(broker_, settings.to_json(), user(kBrokerUser));
}

Status LocalSystem::start_provider(const Programs& programs) {
  ProviderSettings settings;
  settings.listen = listen(provider_);
  settings.folder = "state";
  settings.action_key = in_state(kActionKeyFile);
  SP_ASSIGN(const KeyInfo authority, context_.keys().info(kProviderKey));
  settings.authority = authority.address;
  settings.markets = {{followed(), network_.confirmations, kCapacity, kQueue}};
  settings.loader = programs.sploader;
  settings.runc = programs.runc;
  settings.platform = in_state(kPlatformFile);
  settings.services = {{network_.broker.address, network_.broker.url},
                       {network_.store.address, network_.store.url}};
  return spnode(provider_, settings.to_json(), std::nullopt);
}

Status LocalSystem::spnode(Daemon& daemon, const std::string& settings,
                           std::optional<uid_t> daemon_user) {
  SP_ASSIGN(const bool changed, daemon.write_settings(settings));
  const DaemonStart start{
      spnode_, {daemon.name(), "--config", daemon.settings().filename().string()}, daemon_user};
  return ensure_running(daemon, start, changed);
}

Status LocalSystem::ensure_running(Daemon& daemon, const DaemonStart& start, bool changed) {
  if (const auto pid = daemon.running()) {
    if (!changed && !daemon.runs_other_program(*pid, start.program)) return {};
    SP_TRY(daemon.stop(SIGTERM));
  }
  SP_ASSIGN(Process process, daemon.start(start));
  started_.push_back({&daemon, std::move(process)});
  return {};
}

bool LocalSystem::answers(const Daemon& daemon) {
  const bool is_chain = &daemon == &chain_;
  const std::string url = listen(daemon).url() + (is_chain ? "/" : "/health");
  const auto answer = context_.http().call("GET", url);
  // The chain has no health page; any answer will do.
  return answer && (is_chain || answer->status == 200);
}

Status LocalSystem::wait_for(const Daemon& daemon) {
  const auto started = std::find_if(started_.begin(), started_.end(),
                                    [&](const Started& one) { return one.daemon == &daemon; });
  const auto deadline = context_.clock().monotonic() + kAnswerLimit;
  while (!answers(daemon)) {
    const bool ended =
        started != started_.end() && started->process.wait(std::chrono::milliseconds(0));
    if (!ended && context_.clock().monotonic() < deadline) {
      context_.clock().sleep_for(kPollPause);
      continue;
    }
    const std::string why = ended ? "it ended" : "it doesn't answer";
    return failure(Errc::unavailable, daemon.name() + " didn't start",
                   why + ", and its log says:\n" + daemon.log_tail(kLogLines),
                   "The whole log is " + daemon.log().string());
  }
  return {};
}

Status LocalSystem::wait_until_answering() {
  for (const Started& started : started_) SP_TRY(wait_for(*started.daemon));
  for (Started& started : started_) started.process.detach();
  started_.clear();
  return {};
}

Status LocalSystem::set_up_accounts() {
  Session session(network_, context_.clock());
  SP_ASSIGN(const crypto::EthKey me, context_.keys().load(kDefaultKey));
  SP_ASSIGN(const crypto::EthKey authority, context_.keys().load(kProviderKey));
  SP_ASSIGN(const crypto::EthKey action, context_.keys().load(kActionKey));
  for (const auto* key : {&me, &authority, &action}) {
    SP_TRY(give_ether(session.chain, key->address()));
  }
  {
    SP_ASSIGN(const auto turn, take_account_turn(context_, me.address()));
    SP_TRY(give_tokens(session, me, context_.clock()));
  }
  SP_ASSIGN(const auto turn, take_account_turn(context_, authority.address()));
  SP_TRY(give_tokens(session, authority, context_.clock()));
  SP_TRY(ensure_provider(session, authority, action.address(), context_.clock()));
  return ensure_offers(session, authority, local_offers(network_, authority.address(), chip_),
                       context_.clock());
}

Status LocalSystem::down() {
  Status result;
  for (Daemon* daemon : {&provider_, &broker_, &store_, &chain_}) {
    // Anvil writes its state at the end, when it is interrupted.
    const Status stopped = daemon->stop(daemon == &chain_ ? SIGINT : SIGTERM);
    if (!stopped && result) result = stopped;
  }
  return result;
}

std::vector<DaemonStatus> LocalSystem::status() {
  std::vector<DaemonStatus> list;
  const auto ports = context_.files().size(context_.home().ports());
  if (ports) {
    if (auto all = take_ports(context_.files(), context_.home().ports(),
                              {"chain", "store", "broker", "provider"})) {
      ports_ = std::move(*all);
    }
  }
  for (Daemon* daemon : {&chain_, &store_, &broker_, &provider_}) {
    DaemonStatus status;
    status.name = daemon->name();
    status.pid = daemon->running();
    if (listen(*daemon).port != 0) status.url = listen(*daemon).url();
    status.healthy = status.pid && answers(*daemon);
    if (!status.pid) status.detail = "stopped";
    if (status.pid && !status.healthy)
      status.detail = "doesn't answer; see " + daemon->log().string();
    if (daemon == &chain_ && status.healthy) {
      const auto endpoint = chain::http_endpoint(status.url, context_.clock());
      chain::Chain chain(*endpoint);
      if (const auto block = chain.block()) {
        status.detail = "block " + std::to_string(block->number);
      }
    }
    list.push_back(std::move(status));
  }
  return list;
}

}  // namespace sp::spctl
