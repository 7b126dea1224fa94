// What a customer does with an order, and the author of its parts.
#include "sim/world.hpp"

namespace sp::sim {

using std::chrono::seconds;

// Everything that one order's people need to reach the others.
struct World::Desk {
  explicit Desk(World& world)
      : endpoint(*world.node_, world.tasks_, world.faults_),
        chain(endpoint),
        market(chain, world.contracts_.domain()),
        customer(chain, world.customer_, world.clock_),
        author(chain, world.author_, world.clock_) {}
  SimEndpoint endpoint;
  chain::Chain chain;
  market::MarketClient market;
  chain::TxSender customer, author;
};

Status World::deposit_arguments(const OrderPlan& plan) {
  SimCaller http(network_, "customer");
  broker::BrokerClient client(http, "http://broker", clock_, dice_);
  SP_ASSIGN(const api::BrokerIdentityAnswer identity,
            client.identify(accepted_broker(), dice_, clock_.unix_seconds()));
  const api::PartSecret secret{plan.secret.clone(), SecretBytes(plan.arguments.encode())};
  return client.deposit(identity, customer_, plan.terms.parts[0].digest, policy(true).to_json(),
                        secret, dice_);
}

void World::claim_parts(const OrderPlan& plan, Desk& desk) {
  SimCaller http(network_, "author");
  broker::BrokerClient client(http, "http://broker", clock_, dice_);
  const auto kept = client.requests(plan.id);
  if (!kept) return;
  for (const broker::KeptRequest& one : *kept) {
    const auto call = desk.market.claim(plan.terms, one.attestation, one.request);
    static_cast<void>(desk.author.execute(call, seconds(20)).ok());
  }
}

// One look at the order, and what follows from it.
void World::step_order(OrderPlan& plan, Desk& desk) {
  const auto phase = desk.market.phase(plan.terms);
  if (!phase) return;
  std::optional<chain::TxSender::Call> call;
  switch (*phase) {
    case market::Phase::none:
      call = desk.market.create(plan.terms, {});
      break;
    case market::Phase::working:
      if (plan.cancel_at && tasks_.now() >= *plan.cancel_at) call = desk.market.cancel(plan.terms);
      break;
    case market::Phase::claiming:
      claim_parts(plan, desk);
      break;
    case market::Phase::closable:
      call = desk.market.close(plan.terms);
      break;
    case market::Phase::settling:
    case market::Phase::acquitting:
    case market::Phase::settled:
    case market::Phase::closed:
      break;
  }
  if (call) static_cast<void>(desk.customer.execute(*call, seconds(40)).ok());
}

void World::live_order(std::size_t index) {
  OrderPlan& plan = plans_[index];
  tasks_.sleep(plan.start);
  if (plan.cancel_at) *plan.cancel_at += tasks_.now() - plan.start;
  while (!deposit_arguments(plan)) tasks_.sleep(seconds(2));
  Desk desk(*this);
  int ended = 0;  // looks since the end, each a block
  while (!plan.ended) {
    const auto& orders = node_->state().orders;
    const auto order = orders.find(plan.id);
    const auto status = order == orders.end() ? market::OrderStatus::none : order->second.status;
    const bool over =
        status == market::OrderStatus::settled || status == market::OrderStatus::closed;
    if (!over) step_order(plan, desk);
    ended = over ? ended + 1 : 0;
    const auto deepest = static_cast<int>(rates_.reorg > 0 ? rates_.reorg_depth + 2 : 1);
    plan.ended = ended > deepest || (over && faults_.over());
    tasks_.sleep(block_period_ + seconds(1));
  }
}

}  // namespace sp::sim
