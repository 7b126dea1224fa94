#include "town.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/testing/must.hpp"
#include "broker/remote.hpp"
#include "broker/service.hpp"
#include "common/broker_settings.hpp"
#include "common/dev_policy.hpp"
#include "common/store_settings.hpp"
#include "crypto/hash.hpp"
#include "image.hpp"
#include "spctl/deployment.hpp"
#include "spctl/order_plan.hpp"
#include "store/remote/http_store.hpp"
#include "store/tree.hpp"

namespace sp::bench {
namespace {

constexpr std::chrono::seconds kStartLimit{30};
constexpr std::chrono::milliseconds kPoll{200};  // of a provider: the chain is one for all of them
constexpr const char* kGasLimit = "3000000000";  // of a block: gas isn't what is measured
constexpr std::size_t kSetUpThreads = 4;
constexpr unsigned kStoreTries = 6;

std::uint16_t free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  SP_CHECK(::bind(socket.get(), any, size) == 0 && ::getsockname(socket.get(), any, &size) == 0);
  return ntohs(address.sin_port);
}

// Splits `count` pieces of work among a few threads; the first error ends the program.
void in_parallel(std::size_t count, std::size_t threads,
                 const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::vector<Later<Status>> all;
  for (std::size_t t = 0; t < threads; ++t) {
    all.emplace_back([&]() -> Status {
      for (std::size_t i = next++; i < count; i = next++) work(i);
      return {};
    });
  }
  for (auto& one : all) must(one.get());
}

Digest32 mapping_slot(ByteView key, ByteView slot) {
  Bytes word(32 - key.size());
  append(word, key);
  append(word, slot);
  return crypto::keccak256(word);
}

}  // namespace

struct Provider {
  Provider(Town& town, const crypto::EthKey& action_key, const provider::ControllerOptions& options,
           std::unique_ptr<ThreadHost> own_host, Files& files, const Clock& clock, Random& random)
      : action(action_key),
        host(std::move(own_host)),
        endpoint(chain::http_endpoint(town.network().rpc, clock)),
        chain(*endpoint),
        market(chain, town.network().market),
        sender(chain, action, clock, files, {.outbox = options.folder / "outbox"}),
        services{{town.network().broker.address, town.network().broker.url},
                 {town.network().store.address, town.network().store.url}},
        forwarder(client, services, town.writing(action, random)),
        controller({market, sender, action, *host, forwarder, files, clock}, options) {
    must(market.registry());
    must(controller.start());
  }
  const crypto::EthKey& action;
  std::unique_ptr<ThreadHost> host;
  std::unique_ptr<chain::RpcEndpoint> endpoint;
  chain::Chain chain;
  market::MarketClient market;
  chain::TxSender sender;
  net::HttpClient client;
  provider::Services services;
  provider::CallForwarder forwarder;
  provider::Controller controller;
};

Usage usage_of(pid_t pid) {
  Usage usage;
  const std::string proc = "/proc/" + std::to_string(pid);
  std::ifstream stat(proc + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 2)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  usage.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream status(proc + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      std::istringstream(line.substr(6)) >> usage.rss_max;
      usage.rss_max *= 1024;
    }
  }
  return usage;
}

Town::Town(const TownOptions& options, const Clock& clock, Random& random, Moments& moments)
    : options_(options), clock_(clock), random_(random), moments_(moments) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sp-load-XXXXXX").string();
  SP_CHECK(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  const auto platform = prove::DevPlatform::generate(random_);
  platform_ = to_bytes(platform.encode().reveal());
  loader_.data.fill(0x10);  // stands for sploader's measurement: no such program is started
  told_.token_symbol = "TEE";
  told_.loader_tee = apps::dev_policy(loader_, platform.anchor());
  start_anvil();
  start_store();
  start_broker();
  session_ = std::make_unique<spctl::Session>(told_, clock_);
  must(session_->market.registry());
  make_offers();
  sell_image();
  start_providers();
}

Town::~Town() {
  providers_.clear();
  for (auto& [name, process] : processes_) process.kill(name == "anvil" ? SIGKILL : SIGTERM);
  for (auto& [name, process] : processes_) process.wait(std::chrono::seconds(10));
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Town::start_anvil() {
  const std::string port = std::to_string(free_port());
  told_.rpc = "http://127.0.0.1:" + port;
  ProcessOptions start;
  start.argv = {options_.anvil.string(),
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--chain-id",
                "31337",
                "--accounts",
                "1",
                "--quiet",
                "--gas-limit",
                kGasLimit,
                "--code-size-limit",
                "100000"};
  if (options_.block_time > 0) {
    start.argv.insert(start.argv.end(), {"--block-time", std::to_string(options_.block_time)});
  }
  start.environment = basic_environment();
  start.folder = folder_;
  processes_.emplace("anvil", must(Process::start(start)));
  const auto endpoint = chain::http_endpoint(told_.rpc, clock_);
  chain::Chain chain(*endpoint);
  const auto deadline = clock_.monotonic() + kStartLimit;
  while (!chain.chain_id()) {
    if (clock_.monotonic() > deadline) throw std::runtime_error("anvil doesn't answer");
    clock_.sleep_for(std::chrono::milliseconds(20));
  }
  const auto contracts = must(spctl::deploy_contracts(chain, clock_, random_));
  told_.market = {spctl::kLocalChainId, contracts.market};
  told_.token = contracts.token;
  told_.start_block = contracts.block;
}

void Town::start_daemon(const std::string& name, const std::string& settings,
                        const std::string& url) {
  must(files_.write_atomic(folder_ / (name + ".json"), as_bytes(settings), FileMode::owner_only));
  const Fd log(::open((folder_ / (name + ".log")).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ProcessOptions start;
  start.argv = {options_.spnode.string(), name, "--config", name + ".json"};
  start.environment = basic_environment();
  start.folder = folder_;
  start.descriptors = {{STDERR_FILENO, log.get()}};
  processes_.emplace(name, must(Process::start(start)));
  const auto deadline = clock_.monotonic() + kStartLimit;
  for (;;) {
    const auto health = http_.call("GET", url + "/health");
    if (health && health->status == 200) return;
    if (clock_.monotonic() > deadline) throw std::runtime_error(name + " doesn't answer");
    clock_.sleep_for(std::chrono::milliseconds(20));
  }
}

void Town::start_store() {
  const auto key = crypto::EthKey::generate(random_);
  must(files_.write_atomic(folder_ / "store.key", key.secret().reveal(), FileMode::owner_only));
  apps::StoreSettings settings;
  settings.listen.port = free_port();
  settings.folder = "blobs";
  settings.key = "store.key";
  settings.accounts.open = true;
  told_.store = {settings.listen.url(), key.address()};
  start_daemon("store", settings.to_json(), told_.store.url);
}

void Town::start_broker() {
  const auto keys = broker::BrokerKeys::generate(random_);
  must(files_.write_atomic(folder_ / "broker.keys", keys.encode().reveal(), FileMode::owner_only));
  const auto platform = prove::DevPlatform::generate(random_);
  must(files_.write_atomic(folder_ / "platform", platform.encode().reveal(), FileMode::owner_only));
  apps::BrokerSettings settings;
  settings.listen.port = free_port();
  settings.folder = "vault";
  settings.keys = "broker.keys";
  settings.platform = "platform";
  settings.markets = {{{{told_.rpc}, 1}, told_.market, told_.start_block}};
  settings.attests = told_.loader_tee;
  told_.broker = {settings.listen.url(), keys.signing.address()};
  told_.broker_tee =
      apps::dev_policy(must(prove::measure_program(files_, options_.spnode)), platform.anchor());
  start_daemon("broker", settings.to_json(), told_.broker.url);
}

store::StoreAccess Town::writing(const crypto::EthKey& key, Random& random) const {
  store::StoreAccess access;
  access.signer = &key;
  access.store = told_.store.address;
  access.clock = &clock_;
  access.random = &random;
  access.backoff.attempts = kStoreTries;
  return access;
}

// TestToken is OpenZeppelin's ERC20: balances are its slot 0, allowances its slot 1.
void Town::fund(const std::vector<Address>& accounts) {
  const std::string much = "0x" + std::string(40, '0') + "ffffffffffffffffffffffff";
  std::vector<std::string> methods;
  Json params = Json::array();
  const auto flush = [&] {
    if (methods.empty()) return;
    for (const auto& done : session_->endpoint->call_many(methods, params)) must(done);
    methods.clear();
    params = Json::array();
  };
  const auto add = [&](const char* method, Json call) {
    methods.emplace_back(method);
    params.push_back(std::move(call));
    if (methods.size() == chain::kRpcBatchMax) flush();
  };
  Bytes balances(32), allowances(32);
  allowances.back() = 1;
  const std::string token = told_.token.hex0x();
  for (const Address& account : accounts) {
    const Digest32 allowed =
        mapping_slot(told_.market.contract.view(), mapping_slot(account.view(), allowances).view());
    add("anvil_setBalance", Json::array({account.hex0x(), "0x3635c9adc5dea00000"}));
    add("anvil_setStorageAt",
        Json::array({token, mapping_slot(account.view(), balances).hex0x(), much}));
    add("anvil_setStorageAt", Json::array({token, allowed.hex0x(), much}));
  }
  flush();
}

void Town::make_offers() {
  std::vector<Address> accounts;
  for (std::size_t i = 0; i < options_.providers; ++i) {
    authorities_.push_back(crypto::EthKey::generate(random_));
    actions_.push_back(crypto::EthKey::generate(random_));
    accounts.push_back(authorities_[i].address());
    accounts.push_back(actions_[i].address());
  }
  fund(accounts);
  computes_.resize(options_.providers);
  const auto chip = must(prove::DevPlatform::decode(platform_)).chip();
  in_parallel(options_.providers, kSetUpThreads, [&](std::size_t i) {
    const crypto::EthKey& authority = authorities_[i];
    must(spctl::ensure_provider(*session_, authority, actions_[i].address(), clock_));
    const auto offers = spctl::local_offers(told_, authority.address(), chip);
    computes_[i] = offers.compute;
    must(spctl::ensure_offers(*session_, authority, offers, clock_));
    if (i == 0) storage_ = offers.storage;
  });
}

void Town::sell_image() {
  broker::BrokerClient client(http_, told_.broker.url);
  const std::int64_t now = must(session_->chain.block()).time;
  broker_ = must(client.identify(told_.broker_tee, random_, now));
  const auto seller = crypto::EthKey::generate(random_);
  fund({seller.address()});
  make_image(folder_ / "image");
  const auto tree = must(store::read_tree({{"", folder_ / "image"}}, store::OddEntries::refuse));
  store::HttpStore blobs(http_, told_.store.url, writing(seller, random_));
  const auto key = crypto::random_secret<32>(random_);
  const auto sealed = must(store::seal_package(*tree, key, blobs, random_, {}));
  solution_ = spctl::own_part(api::PartKind::solution, {sealed.id.data}, seller.address(), told_);
  solution_.price = Amount(1'000'000'000'000);
  solution_.price_type = api::PriceType::fixed;
  must(spctl::ensure_provider(*session_, seller, seller.address(), clock_));
  chain::TxSender sender(session_->chain, seller, clock_);
  must(sender.execute(session_->market.offer_part(solution_)));
  broker::ReleasePolicy policy;
  policy.tee = told_.loader_tee;
  policy.chains = {{told_.market, 1}};
  policy.solutions.any = policy.orders.any = policy.accounts.any = policy.recipients.any = true;
  policy.offers.values = {solution_.offer_id()};
  policy.max_orders.reset();
  policy.until = now + 24 * 3600;
  must(client.deposit(broker_, seller, solution_.digest, policy.to_json(),
                      {key.clone(), SecretBytes()}, random_));
}

void Town::start_providers() {
  const auto newest = must(session_->chain.block()).number;
  for (std::size_t i = 0; i < options_.providers; ++i) {
    provider::ControllerOptions options;
    options.authority = authorities_[i].address();
    options.capacity = options_.capacity;
    options.queue = options_.orders + 1;
    options.folder = folder_ / ("provider-" + std::to_string(i));
    options.start_block = newest;
    options.poll_period = kPoll;
    must(files_.make_folder(options.folder));
    auto host = std::make_unique<ThreadHost>(platform_, loader_, options.folder / "tees", clock_,
                                             random_, moments_);
    providers_.push_back(std::make_unique<Provider>(*this, actions_[i], options, std::move(host),
                                                    files_, clock_, random_));
  }
}

const api::Compute& Town::compute(std::size_t i) const { return computes_[i % computes_.size()]; }

pid_t Town::pid_of(const std::string& name) const { return processes_.at(name).pid(); }

std::map<std::string, Usage> Town::usage() const {
  std::map<std::string, Usage> all{{"bench", usage_of(::getpid())}};
  for (const auto& [name, process] : processes_) all[name] = usage_of(process.pid());
  return all;
}

}  // namespace sp::bench
