#include "sim/world.hpp"

namespace sp::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Of an upload or a receipt, as in `spnode provider`.
constexpr unsigned kStoreAttempts = 6;

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
    rates.tx_stuck = dice.chance(300) ? dice.below(300) : 0;
  }
  if (weather >= 5) rates.rogue = dice.below(200);
  return rates;
}

// The machine's vendor, in one seed of four; without one its evidence is of kind dev. Of dice of
// its own, so that what else happens in a seed doesn't depend on it.
std::optional<VendorDays> draw_vendor(std::uint64_t seed, std::int64_t begin, std::int64_t calm) {
  Dice dice(~seed);
  if (!dice.chance(250)) return std::nullopt;
  return VendorDays::draw(dice, begin, calm);
}

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

}  // namespace

World::World(const RunOptions& options)
    : options_(options),
      dice_(options.seed),
      trace_(options.print),
      tasks_(dice_.split(), trace_),
      clock_(tasks_, kEpoch),
      rates_(options.upset || options.crowd ? FaultRates{} : draw_rates(dice_)),
      faults_(tasks_, dice_.split(), rates_, tasks_.now() + seconds(dice_.between(60, 300))),
      block_period_(seconds(dice_.between(2, 8))),
      vendor_(
          options.upset || options.crowd
              ? std::nullopt
              : draw_vendor(options.seed, clock_.unix_seconds(),
                            clock_.unix_seconds() + (faults_.calm() - tasks_.now()) / seconds(1))),
      broker_keys_(broker::BrokerKeys::generate(dice_)),
      authority_(crypto::EthKey::generate(dice_)),
      action_(crypto::EthKey::generate(dice_)),
      author_(crypto::EthKey::generate(dice_)),
      customer_(crypto::EthKey::generate(dice_)),
      store_key_(crypto::EthKey::generate(dice_)),
      stranger_(crypto::EthKey::generate(dice_)),
      result_key_(crypto::X25519KeyPair::generate(dice_)),
      machine_(tasks_, faults_, trace_, clock_, dice_.split(), vendor_.has_value()),
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
  watchers.on_head = [this] { look_at_head(); };
  watchers.on_sent = [this](const SimTx& tx, bool in_pool) {
    if (tx.sender == action_.address()) reach(in_pool ? OrderStage::in_pool : OrderStage::settling);
  };
  machine_.host_cancels = options.bug == Bug::market_takes_cancels;
  machine_.on_workload = [this] { reach(OrderStage::running); };
  node_.emplace(tasks_, clock_, contracts_, genesis(), faults_, trace_, std::move(watchers));
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
      faults_.note(tasks_.now());
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
  const auto prover = machine_.dev_prover();
  VendorService upstream(tasks_, faults_, clock_, trace_, vendor_.value_or(VendorDays()));
  collateral::CachedSource::Options cache;
  cache.folder = "/broker/collateral";
  cache.next_update = collateral::next_update_of;
  const auto cached = collateral::CachedSource::open(cache, files, clock_, upstream);
  if (!cached) return;
  WatchedSource source(tasks_, **cached, options_.bug == Bug::broker_trusts_stale);
  broker::Broker::Options options{accepted(), {}, nullptr};
  if (vendor_) options.anchors = attest::testing::AmdVendor::anchors();
  if (vendor_) options.collateral = &source;
  broker::Broker service(broker_keys_, seen, vault, *prover, clock_, dice_, options);
  Alone alone(tasks_);
  network_.serve("broker", process, [&](const net::HttpRequest& request) {
    return serve_broker(service, source, request);
  });
  alone.wait_for_ever();
}

net::HttpResponse World::serve_broker(broker::Broker& broker, WatchedSource& source,
                                      const net::HttpRequest& request) {
  // An endpoint that stands still shows the chain of a while ago.
  const Nanoseconds from = tasks_.now() - seconds(rates_.rpc_behind > 0 ? 45 : 0);
  if (request.path == "/v1/nonce") reach(OrderStage::taken);
  if (request.path == "/v1/attest") reach(OrderStage::attesting);
  if (request.path == "/v1/release") reach(OrderStage::releasing);
  net::HttpResponse response = broker::handle_broker_request(broker, request);
  const std::optional<ListFacts> list = source.take();
  const bool releases = request.path == "/v1/release";
  if (vendor_ && (releases || request.path == "/v1/attest")) {
    checkers_->check_collateral(*node_, list, from, response);
  }
  if (!releases || response.status != 200) return response;
  const auto answer = api::ReleaseAnswer::decode(response.body);
  if (answer && !answer->refusal) {
    checkers_->check_release(*node_, *api::ReleaseRequest::decode(request.body), from);
  }
  return response;
}

void World::run_provider(ProcessId process) {
  SimFiles files(provider_disk_, tasks_, process, faults_);
  SimEndpoint endpoint(*node_, tasks_, faults_);
  chain::Chain chain(endpoint);
  market::MarketClient market(chain, contracts_.domain());
  provider::ControllerOptions options;
  options.authority = authority_.address();
  options.capacity = options_.crowd ? 1 : 2;
  options.queue = options_.crowd ? 1 : options.queue;
  options.folder = "/provider";
  options.confirmations = rates_.reorg > 0 ? rates_.reorg_depth + 1 : 1;
  options.poll_period = milliseconds(4'000);
  chain::TxSender::Options outbox;
  outbox.outbox = "/provider/outbox";
  outbox.confirmations = options.confirmations;
  chain::TxSender sender(chain, action_, clock_, files, outbox);
  SimTeeHost host(machine_);
  SimCaller http(network_, "provider");
  const bool lost = options_.bug == Bug::provider_reaches_no_store;
  const provider::Services services{
      {broker_keys_.signing.address(), "http://broker"},
      {store_key_.address(), lost ? "http://nobody" : "http://store"}};
  provider::CallForwarder forwarder(
      http, services, {&action_, std::nullopt, &clock_, &dice_, {.attempts = kStoreAttempts}});
  provider::Controller controller({market, sender, action_, host, forwarder, files, clock_},
                                  options);
  // What an earlier life sent comes first, as in `spnode provider`.
  if (!sender.tend() || !controller.start()) return;
  Alone alone(tasks_);
  while (options_.crowd) {
    delayed_ = controller.counts().delayed;
    tasks_.sleep(seconds(1));
  }
  alone.wait_for_ever();
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
    faults_.note(tasks_.now());
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
    if (order == orders.end() || failed || plan.cancel_at) continue;
    const std::int64_t left = order->second.created_at + plan.terms.work_by - node_->head().time;
    // What the broker keeps of its vendor is asked for again when that time is over.
    const std::int64_t stale =
        vendor_ && vendor_->trouble ? std::chrono::seconds(collateral::kLifetimeMin).count() : 0;
    plan.must_settle = left > stale + 200 + 15 * (block_period_ / seconds(1));
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
    const std::uint64_t quiet_from = options_.upset ? kQuietFrom : ~std::uint64_t{0};
    tasks_.start([this, quiet_from] { node_->mine(block_period_, quiet_from); });
    keep_running("broker", broker_disk_, [this](ProcessId process) { run_broker(process); });
    keep_running("store", store_disk_, [this](ProcessId process) { run_store(process); });
    keep_running("provider", provider_disk_, [this](ProcessId process) { run_provider(process); });
    tasks_.start([this] { reap(); });
    tasks_.start([this] { note_promises(); });
    if (!options_.upset && dice_.chance(300)) tasks_.start([this] { meddle(); });
    if (!options_.upset && dice_.chance(300)) tasks_.start([this] { want_deleted(); });
    for (std::size_t i = 0; i < plans_.size(); ++i) tasks_.start([this, i] { live_order(i); });
  });
  // All windows of the latest order, and time for the customer to see them.
  const Nanoseconds latest = faults_.calm() + seconds(700 + 120 + 60 + 300);
  tasks_.run(
      [&] { return all_ended() || tasks_.now() > latest || !checkers_->violations().empty(); });
  if (checkers_->violations().empty()) {
    checkers_->check_ends(node_->state());
    check_results();
  }
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
  report.after_upset = after_upset_;
  report.delayed = delayed_;
  report.undone = undone_;
  report.replaced = node_->replaced();
  report.unhindered = checkers_->unhindered();
  report.stale = checkers_->stale();
  tasks_.end_all();
  return report;
}

RunReport run_seed(const RunOptions& options) {
  World world(options);
  return world.run();
}

}  // namespace sp::sim
