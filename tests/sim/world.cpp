#include "sim/world.hpp"

#include "crypto/random.hpp"
#include "sim/goods.hpp"
#include "store/receipt.hpp"
#include "store/remote/store_service.hpp"

namespace sp::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kEpoch = 1'800'000'000;
constexpr Number kToken = 1'000'000'000'000'000'000U;
constexpr Number kMinimumDeposit = 10 * kToken;
constexpr std::int64_t kForever = 10LL * 365 * 24 * 3600;

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed value;
  value.data.fill(byte);
  return value;
}

const ContractAddresses kAddresses{filled<Address>(0x70), filled<Address>(0x71),
                                   filled<Address>(0x72)};

// How bad the world of a seed is: calm, one kind of trouble, or all of it.
FaultRates draw_rates(Dice& dice) {
  FaultRates rates;
  const std::uint64_t weather = dice.below(8);
  if (weather == 1 || weather >= 4) {
    rates.drop = dice.below(60);
    rates.duplicate = dice.below(120);
    rates.slow = dice.below(80);
    rates.partition = dice.below(15);
  }
  if (weather == 2 || weather >= 4) {
    rates.crash_every = seconds(dice.between(15, 120));
    rates.write_crash = dice.below(40);
  }
  if (weather == 3 || weather >= 4) {
    rates.rpc_lost = dice.below(15);
    rates.rpc_busy = dice.below(150);
    rates.rpc_behind = dice.below(20);
    rates.reorg = dice.below(120);
    rates.reorg_depth = dice.between(1, 12);
    rates.tx_lost = dice.chance(300) ? dice.below(300) : 0;
  }
  if (weather >= 5) rates.rogue = dice.below(200);
  return rates;
}

// For composing calls: nobody answers.
class NoEndpoint final : public chain::RpcEndpoint {
 public:
  Result<Json> call(const std::string& /*method*/, const Json& /*params*/) override {
    return Error{Errc::unavailable, "no chain"};
  }
};

// The planted broker that knows no cancel and no end.
class BlindView final : public broker::ChainView {
 public:
  explicit BlindView(broker::ChainView& view) : view_(view) {}
  Result<broker::OrderFacts> facts(const api::OrderId& order) override {
    SP_ASSIGN(broker::OrderFacts facts, view_.facts(order));
    facts.cancelled = facts.ended = false;
    return facts;
  }

 private:
  broker::ChainView& view_;
};

// A daemon's own objects go when all its tasks have gone.
class Alone {
 public:
  explicit Alone(Tasks& tasks) : tasks_(tasks) {}
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() { tasks_.await_alone(); }
  void wait_for_ever() {
    for (;;) tasks_.block(this, std::nullopt, Scheduler::AtEnd::may_end);
  }

 private:
  Tasks& tasks_;
};

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      dice_(options.seed),
      trace_(options.print),
      tasks_(dice_.split(), trace_),
      clock_(tasks_, kEpoch),
      rates_(draw_rates(dice_)),
      faults_(tasks_, dice_.split(), rates_, tasks_.now() + seconds(dice_.between(60, 300))),
      block_period_(seconds(dice_.between(2, 8))),
      broker_keys_(broker::BrokerKeys::generate(dice_)),
      authority_(crypto::EthKey::generate(dice_)),
      action_(crypto::EthKey::generate(dice_)),
      author_(crypto::EthKey::generate(dice_)),
      customer_(crypto::EthKey::generate(dice_)),
      store_key_(crypto::EthKey::generate(dice_)),
      stranger_(crypto::EthKey::generate(dice_)),
      result_key_(crypto::X25519KeyPair::generate(dice_)),
      machine_(tasks_, faults_, trace_, clock_, dice_.split()),
      provider_disk_(options.bug == Bug::provider_forgets),
      broker_disk_(false),
      store_disk_(false),
      contracts_(kAddresses, kChainId, kMinimumDeposit, options.bug),
      network_(tasks_, faults_, trace_) {
  make_terms();
  checkers_.emplace(contracts_, plans_, machine_, tasks_);
  Node::Watchers watchers;
  watchers.on_executed = [this](const SimBlock::Executed& executed, std::int64_t time,
                                const ContractState& before, const ContractState& after) {
    checkers_->check_payment(executed, time, before);
    checkers_->check_money(after);
  };
  watchers.on_head = [this] { checkers_->check_single_end(*node_); };
  node_.emplace(tasks_, clock_, contracts_, genesis(), faults_, trace_, std::move(watchers));
}

// ---- what there is at the start ----

void World::make_terms() {
  const Address broker = broker_keys_.signing.address();
  api::Compute compute;
  compute.kind = attest::EvidenceKind::dev;
  compute.max_seconds = 3600;
  compute.cpu_milli = 1000;
  compute.memory_mib = 64;
  compute.disk_mib = 64;
  compute.pids = 32;
  compute.price_per_hour = Amount(36 * kToken);
  compute.base_fee = Amount(dice_.below(2) * kToken);
  compute.max_exposure = Amount(1000 * kToken);
  compute.provider = authority_.address();
  compute.token = kAddresses.token;
  compute.attestors = {broker};
  compute.chip = machine_.chip();
  const std::uint64_t prices = dice_.next();
  const std::size_t count = dice_.between(1, 3);
  for (std::size_t i = 0; i < count; ++i) {
    OrderPlan plan;
    api::Terms& terms = plan.terms;
    terms.ordered_seconds = 60;
    terms.work_by = 600;
    terms.settle_by = 700;
    terms.settle_window = 120;
    terms.claim_window = 60;
    terms.cpu_milli = 1000;
    terms.memory_mib = 64;
    terms.disk_mib = 64;
    terms.pids = 32;
    terms.customer = customer_.address();
    terms.token = kAddresses.token;
    terms.attestor = broker;
    terms.result_key = result_key_.public_key;
    dice_.fill(terms.salt.data);
    terms.choices = {compute};
    plan.arguments.argv = {std::to_string(dice_.between(1, 70)), dice_.chance(200) ? "3" : "0"};
    plan.secret = crypto::random_secret<32>(dice_);
    const Digest32 digests[] = {api::argument_commitment(plan.secret, plan.arguments),
                                {goods().image.package.data},
                                {goods().data.package.data},
                                {}};
    for (std::uint8_t kind = 1; kind <= 4; ++kind) {
      api::Part part;
      part.kind = static_cast<api::PartKind>(kind);
      part.owner = kind == 1   ? customer_.address()
                   : kind == 4 ? authority_.address()
                               : author_.address();
      part.price_type = kind > 1 && ((prices >> kind) & 1) == 1 ? api::PriceType::per_hour
                                                                : api::PriceType::fixed;
      part.price = Amount(kind == 1 ? 0 : (prices >> (8 * kind)) % 5 * kToken);
      part.token = kAddresses.token;
      part.store = store_key_.address();
      part.digest = digests[kind - 1];
      if (kind != 4) part.brokers = {broker};
      terms.parts.push_back(part);
    }
    plan.id = terms.order_id(contracts_.domain());
    plan.start = milliseconds(dice_.below(60'000));
    if (dice_.chance(300)) plan.cancel_at = plan.start + milliseconds(dice_.below(200'000));
    plans_.push_back(std::move(plan));
  }
}

ContractState World::genesis() const {
  NoEndpoint endpoint;
  chain::Chain chain(endpoint);
  const market::MarketClient market(chain, contracts_.domain());
  const market::TokenClient token(chain, kAddresses.token);
  ContractState state;
  const auto send = [&](const crypto::EthKey& from, const chain::TxSender::Call& call) {
    const auto outcome =
        contracts_.execute(state, from.address(), clock_.unix_seconds(), *call.to, call.data);
    if (outcome.reverted) check_failed(outcome.why.c_str(), __FILE__, __LINE__);
  };
  for (const crypto::EthKey* key : {&authority_, &author_, &customer_}) {
    send(*key, token.faucet(Amount(1000 * kToken)));
    send(*key, token.approve(kAddresses.registry, Amount(500 * kToken)));
    send(*key, token.approve(kAddresses.market, Amount(500 * kToken)));
  }
  for (const crypto::EthKey* key : {&authority_, &author_}) {
    const crypto::EthKey& action = key == &authority_ ? action_ : author_;
    send(*key, market::MarketClient::register_provider(kAddresses.registry, action.address(),
                                                       key->address()));
    send(*key, market.deposit(kAddresses.registry, kAddresses.token, Amount(100 * kToken)));
  }
  const api::Terms& terms = plans_[0].terms;
  send(authority_, market.offer_compute(terms.choices[0]));
  for (std::size_t i = 1; i < terms.parts.size(); ++i) {
    send(i == 3 ? authority_ : author_, market.offer_part(terms.parts[i]));
  }
  return state;
}

attest::AppraisalPolicy World::accepted() const {
  attest::AppraisalPolicy policy;
  policy.kinds = {attest::EvidenceKind::dev};
  policy.measurements = {machine_.honest()};
  if (options_.bug == Bug::broker_trusts_rogues) policy.measurements.push_back(machine_.rogue());
  policy.tcb_statuses = {attest::TcbStatus::up_to_date};
  policy.dev_keys = {machine_.anchor()};
  return policy;
}

broker::ReleasePolicy World::policy(bool own_upload) const {
  broker::ReleasePolicy policy;
  policy.tee = accepted();
  policy.chains = {{contracts_.domain(), 1}};
  policy.solutions.values = {{goods().image.package.data}};
  policy.orders.any = policy.accounts.any = policy.recipients.any = true;
  policy.offers.any = !own_upload;
  policy.own_upload = own_upload;
  policy.max_orders = std::nullopt;
  policy.claim_window = 60;
  policy.until = kEpoch + 365L * 24 * 3600;
  return policy;
}

// The owners' packages and keys lie where they belong before anything happens.
void World::stock() {
  SimFiles store_files(store_disk_, tasks_, 0, faults_);
  store::DirectoryStore blobs(store_files, "/store/blobs");
  for (const auto& [id, bytes] : goods().blobs) SP_CHECK(blobs.put(id, bytes).ok());
  SimFiles broker_files(broker_disk_, tasks_, 0, faults_);
  broker::Vault vault(broker_files, "/broker", broker_keys_.vault.clone(), dice_);
  for (const Goods::Sealed* sealed : {&goods().image, &goods().data}) {
    broker::Deposited deposited{author_.address(),
                                {sealed->package.data},
                                policy(false).to_json(),
                                {sealed->key.clone(), {}}};
    const std::int64_t now = clock_.unix_seconds();
    SP_CHECK(vault.put(deposited, now + kForever, now).ok());
  }
}

// ---- daemons ----

// As a service manager does: what ends is started again.
void World::keep_running(const std::string& name, Disk& disk, std::function<void(ProcessId)> body) {
  tasks_.start_in(0, [this, name, &disk, body = std::move(body)] {
    for (;;) {
      const ProcessId process = tasks_.make_process(name);
      daemons_[name] = process;
      tasks_.start_in(process, [&body, process] { body(process); });
      tasks_.await_end(process);
      tasks_.kill(process);
      disk.crash(tasks_.now());
      ++crashes_;
      tasks_.sleep(milliseconds(faults_.over() ? 1'000 : faults_.dice().between(500, 20'000)));
    }
  });
}

void World::run_broker(ProcessId process) {
  SimFiles files(broker_disk_, tasks_, process, faults_);
  SimEndpoint endpoint(*node_, tasks_, faults_);
  chain::Chain chain(endpoint);
  market::MarketClient market(chain, contracts_.domain());
  broker::MarketView view(market, files, {0, "/broker/checkpoint"});
  if (!view.load()) return;
  BlindView blind(view);
  const bool is_blind = options_.bug == Bug::broker_ignores_cancel;
  broker::ChainView& seen = is_blind ? static_cast<broker::ChainView&>(blind) : view;
  broker::Vault vault(files, "/broker", broker_keys_.vault.clone(), dice_);
  const auto prover = machine_.prover(machine_.honest());
  broker::Broker service(broker_keys_, seen, vault, *prover, clock_, dice_,
                         broker::Broker::Options{accepted()});
  Alone alone(tasks_);
  network_.serve("broker", process,
                 [&](const net::HttpRequest& request) { return serve_broker(service, request); });
  alone.wait_for_ever();
}

net::HttpResponse World::serve_broker(broker::Broker& broker, const net::HttpRequest& request) {
  const Nanoseconds since = tasks_.now();
  net::HttpResponse response = broker::handle_broker_request(broker, request);
  if (request.path != "/v1/release" || response.status != 200) return response;
  const auto answer = api::ReleaseAnswer::decode(response.body);
  if (answer && !answer->refusal) {
    // An endpoint that stands still shows the chain of a while ago.
    const Nanoseconds behind = seconds(rates_.rpc_behind > 0 ? 45 : 0);
    checkers_->check_release(*node_, *api::ReleaseRequest::decode(request.body), since, behind);
  }
  return response;
}

void World::run_store(ProcessId process) {
  SimFiles files(store_disk_, tasks_, process, faults_);
  store::DirectoryStore blobs(files, "/store/blobs");
  store::StoreService::Options options;
  options.anonymous_writes = true;
  store::StoreService service(blobs, store_key_, clock_, nullptr, nullptr, options);
  Alone alone(tasks_);
  network_.serve("store", process,
                 [&](const net::HttpRequest& request) { return service.handle(request); });
  alone.wait_for_ever();
}

void World::run_provider(ProcessId process) {
  SimFiles files(provider_disk_, tasks_, process, faults_);
  SimEndpoint endpoint(*node_, tasks_, faults_);
  chain::Chain chain(endpoint);
  market::MarketClient market(chain, contracts_.domain());
  chain::TxSender sender(chain, action_, clock_);
  SimTeeHost host(machine_);
  SimCaller http(network_, "provider");
  const provider::Services services{{broker_keys_.signing.address(), "http://broker"},
                                    {store_key_.address(), "http://store"}};
  provider::CallForwarder forwarder(http, services);
  provider::ControllerOptions options;
  options.authority = authority_.address();
  options.capacity = 2;
  options.folder = "/provider";
  options.confirmations = rates_.reorg > 0 ? rates_.reorg_depth + 1 : 1;
  options.poll_period = milliseconds(4'000);
  provider::Controller controller({market, sender, action_, host, forwarder, files, clock_},
                                  options);
  if (!controller.start()) return;
  Alone(tasks_).wait_for_ever();
}

// Kills one process after the other until the calm.
void World::reap() {
  if (rates_.crash_every.count() == 0) return;
  for (;;) {
    tasks_.sleep(rates_.crash_every / 2 +
                 milliseconds(faults_.dice().below(
                     static_cast<std::uint64_t>(rates_.crash_every / milliseconds(1)))));
    if (faults_.over()) return;
    std::vector<ProcessId> victims;
    for (const auto& [name, process] : daemons_) victims.push_back(process);
    for (const auto& [id, process] : machine_.loaders()) victims.push_back(process);
    tasks_.kill(victims[faults_.dice().below(victims.size())]);
  }
}

// A stranger sends every settlement of the chain once more.
void World::meddle() {
  SimEndpoint endpoint(*node_, tasks_, faults_);
  chain::Chain chain(endpoint);
  chain::TxSender sender(chain, stranger_, clock_);
  std::set<chain::TxHash> seen;
  for (;;) {
    tasks_.sleep(seconds(faults_.dice().between(3, 30)));
    std::optional<Bytes> data;
    for (const SimBlock& block : node_->blocks()) {
      for (const SimBlock::Executed& executed : block.executed) {
        const auto& logs = executed.outcome.logs;
        if (logs.empty() || logs.back().topics[0] != market::order_settled_topic()) continue;
        if (!data && seen.insert(executed.tx.hash).second) data = executed.tx.data;
      }
    }
    if (data) {
      static_cast<void>(sender.execute({kAddresses.market, *data, {}}, seconds(30)).ok());
    }
  }
}

// Half a minute after the last fault: what can still run has nothing to excuse it.
void World::note_promises() {
  tasks_.sleep(faults_.calm() - tasks_.now() + seconds(30));
  SimFiles files(provider_disk_, tasks_, 0, faults_);
  const provider::Ledger ledger(files, "/provider/orders");
  for (OrderPlan& plan : plans_) {
    const auto& orders = node_->state().orders;
    const auto order = orders.find(plan.id);
    const auto entry = ledger.load(plan.id);
    const bool failed = entry && entry->state == provider::EntryState::failed;
    if (order == orders.end() || failed || rates_.tx_lost > 0 || plan.cancel_at) continue;
    const std::int64_t left = order->second.created_at + plan.terms.work_by - node_->head().time;
    plan.must_settle = left > 200 + 15 * (block_period_ / seconds(1));
  }
}

// ---- a run ----

bool World::all_ended() const {
  return std::all_of(plans_.begin(), plans_.end(),
                     [](const OrderPlan& plan) { return plan.ended; });
}

RunReport World::run() {
  const Nanoseconds begin = tasks_.now();
  tasks_.start_in(0, [this] {
    stock();
    tasks_.start([this] { node_->mine(block_period_); });
    keep_running("broker", broker_disk_, [this](ProcessId process) { run_broker(process); });
    keep_running("store", store_disk_, [this](ProcessId process) { run_store(process); });
    keep_running("provider", provider_disk_, [this](ProcessId process) { run_provider(process); });
    tasks_.start([this] { reap(); });
    tasks_.start([this] { note_promises(); });
    if (dice_.chance(300)) tasks_.start([this] { meddle(); });
    for (std::size_t i = 0; i < plans_.size(); ++i) tasks_.start([this, i] { live_order(i); });
  });
  // All windows of the latest order, and time for the customer to see them.
  const Nanoseconds latest = faults_.calm() + seconds(700 + 120 + 60 + 300);
  tasks_.run(
      [&] { return all_ended() || tasks_.now() > latest || !checkers_->violations().empty(); });
  if (checkers_->violations().empty()) checkers_->check_ends(node_->state());
  RunReport report;
  report.violations = checkers_->violations();
  report.trace = trace_.hash();
  report.events = trace_.events();
  report.switches = tasks_.switches();
  report.simulated = tasks_.now() - begin;
  report.orders = plans_.size();
  for (const auto& [id, order] : node_->state().orders) {
    if (order.status == market::OrderStatus::settled) ++report.settled;
    if (order.status == market::OrderStatus::closed) ++report.closed;
  }
  report.crashes = crashes_;
  report.releases = checkers_->releases();
  tasks_.end_all();
  return report;
}

RunReport run_seed(const RunOptions& options) {
  World world(options);
  return world.run();
}

}  // namespace sp::sim
