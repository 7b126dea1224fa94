#include "sim/checkers.hpp"

#include "market/pricing.hpp"
#include "sim/contracts_values.hpp"

namespace sp::sim {
namespace {

using market::OrderStatus;

// Selector and arguments of a settlement.
const chain::AbiType& settle_type() {
  static const chain::AbiType type =
      chain::AbiType::parse("(" + market::kTermsAbi + "," + market::kAttestationAbi + ",bytes," +
                            market::kReceiptAbi + ",bytes)")
          .value();
  return type;
}

bool emitted(const SimBlock::Executed& executed, const Digest32& topic) {
  for (const Emitted& log : executed.outcome.logs) {
    if (log.topics[0] == topic) return true;
  }
  return false;
}

Number owed_exposure(const api::Terms& terms, std::uint32_t ended) {
  Number amount = 0;
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    const api::Part& part = terms.parts[i];
    const bool exposed = part.price_type == api::PriceType::fixed && part.owner != terms.customer;
    if (exposed && ((ended >> i) & 1) == 0) amount += part.price.units();
  }
  return amount;
}

}  // namespace

void Checkers::violate(const std::string& what) {
  violations_.push_back("at " + std::to_string(tasks_.now().count() / 1'000'000) + " ms: " + what);
}

const OrderPlan* Checkers::plan_of(const api::OrderId& id) const {
  for (const OrderPlan& plan : plans_) {
    if (plan.id == id) return &plan;
  }
  return nullptr;
}

void Checkers::check_money(const ContractState& state) {
  const ContractAddresses& at = contracts_.addresses();
  Number all = 0;
  for (const auto& [account, amount] : state.tokens) all += amount;
  if (all != state.minted) violate("money: tokens have appeared or vanished");
  Number owed = 0;
  for (const auto& [account, amount] : state.balances) owed += amount;
  Number locked = 0;
  for (const auto& [id, order] : state.orders) {
    if (order.status != OrderStatus::open && order.status != OrderStatus::refunded) continue;
    owed += order.deposit;
    const OrderPlan* plan = plan_of(id);
    if (plan != nullptr) locked += owed_exposure(plan->terms, order.ended);
  }
  const auto market = state.tokens.find(at.market);
  if (owed != (market == state.tokens.end() ? 0 : market->second)) {
    violate("money: the market owes " + Amount(owed).text() + " and holds another amount");
  }
  Number deposits = 0;
  Number held_locked = 0;
  for (const auto& [key, deposit] : state.deposits) {
    deposits += deposit.total;
    held_locked += deposit.locked;
  }
  const auto registry = state.tokens.find(at.registry);
  if (deposits != (registry == state.tokens.end() ? 0 : registry->second)) {
    violate("money: the registry's deposits aren't what it holds");
  }
  if (locked != held_locked) violate("money: locks aren't the exposure of the open orders");
}

void Checkers::check_payment(const SimBlock::Executed& executed, std::int64_t time,
                             const ContractState& before) {
  if (executed.outcome.reverted || !emitted(executed, market::order_settled_topic())) return;
  const auto arguments =
      chain::abi_decode(settle_type(), ByteView(executed.tx.data).subspan(4)).value();
  const auto terms = market::terms_from_abi(arguments[0]).value();
  check_settlement(terms, executed, time, before);
}

void Checkers::check_settlement(const api::Terms& terms, const SimBlock::Executed& executed,
                                std::int64_t time, const ContractState& before) {
  const auto arguments =
      chain::abi_decode(settle_type(), ByteView(executed.tx.data).subspan(4)).value();
  const auto attestation = attestation_from_abi(arguments[1]).value();
  const auto receipt = receipt_from_abi(arguments[3]).value();
  const auto& held = before.orders.at(terms.order_id(contracts_.domain()));
  check_outcome(attestation, receipt, held);
  if (receipt.result != Digest32{}) results_.insert({receipt.result.data});
  const std::int64_t until = held.cancelled_at != 0 ? held.cancelled_at : time;
  const auto expected =
      market::settlement(terms, receipt, static_cast<std::uint64_t>(until - attestation.time));
  const auto type =
      chain::AbiType::parse("(address,uint8,int32,bytes32,bytes32,uint256,uint256,uint256[])");
  const auto event = chain::abi_decode(*type, executed.outcome.logs.back().data);
  if (!event) return violate("payment: a settlement doesn't say what it pays");
  const auto& paid = *event;
  const auto parts = paid[7].as_list().value();
  bool same = expected.ok() && paid[5].as_amount().value() == expected->compute &&
              paid[6].as_amount().value() == expected->refund;
  const bool from_lock = receipt.outcome == api::Outcome::provider;
  for (std::size_t i = 0; same && i < parts.size(); ++i) {
    const Amount amount = from_lock ? expected->from_lock[i] : expected->parts[i];
    same = parts[i].as_amount().value() == amount;
  }
  if (!same) violate("payment: a settlement doesn't pay by the rules");
  if (emitted(executed, session_acquitted_topic()) != market::leaves_claims(terms, receipt)) {
    violate("payment: a settlement frees what owners could claim, or keeps what they can't");
  }
}

void Checkers::check_outcome(const api::Attestation& attestation, const api::Receipt& receipt,
                             const ContractState::Order& held) {
  using api::Outcome;
  if (receipt.outcome == Outcome::cancelled && held.cancelled_at == 0) {
    violate("outcome: cancelled, and nobody has cancelled");
  }
  const auto signed_at = machine_.unhindered(attestation.session);
  if (signed_at) ++unhindered_;
  if (receipt.outcome != Outcome::provider && receipt.outcome != Outcome::input) return;
  const OrderPlan* plan = plan_of(attestation.run.order);
  const bool cancels = plan != nullptr && plan->cancel_at && *plan->cancel_at <= signed_at;
  if (signed_at && !cancels) {
    violate("outcome: " + std::string(api::outcome_name(receipt.outcome)) +
            ", and nothing hindered the run");
  }
}

void Checkers::check_result(const store::PackageId& result, bool is_there) {
  if (is_there) return;
  violate("result: the store has promised " + result.hex().substr(0, 8) + ", and hasn't all of it");
}

void Checkers::check_single_end(const Node& node) {
  std::set<Digest32> settled;
  std::set<Digest32> closed;
  for (const SimBlock& block : node.blocks()) {
    for (const SimBlock::Executed& executed : block.executed) {
      for (const Emitted& log : executed.outcome.logs) {
        const bool settles = log.topics[0] == market::order_settled_topic();
        if (!settles && log.topics[0] != order_closed_topic()) continue;
        const Digest32& order = log.topics[1];
        const bool first = (settles ? settled : closed).insert(order).second;
        // What a settlement has left locked is closed later, and refunds nobody again.
        const bool refunds = std::any_of(log.data.begin(), log.data.end(),
                                         [](std::uint8_t byte) { return byte != 0; });
        const bool again = settles ? closed.contains(order) : settled.contains(order) && refunds;
        if (!first || again) violate("an order was ended twice");
      }
    }
  }
}

// The newest blocks that somebody may have seen who looks at the chain from then on.
std::span<const Node::Head> Checkers::heads_since(const Node& node, Nanoseconds from) {
  const std::span<const Node::Head> heads = node.heads();
  std::size_t first = heads.size() - 1;
  while (first > 0 && heads[first].since >= from) --first;
  return heads.subspan(first);
}

void Checkers::check_release(const Node& node, const api::ReleaseRequest& request,
                             Nanoseconds from) {
  ++releases_;
  const attest::OrderSession& context = request.proof.context;
  if (!machine_.proved(context.report_data())) {
    violate("key: released to a session that no allowed loader proved");
  }
  const OrderPlan* plan = plan_of(context.order);
  if (plan == nullptr) return violate("key: released for an order that nobody made");
  bool live = false;
  for (const Node::Head& head : heads_since(node, from)) {
    const auto& orders = head.state->contracts.orders;
    const auto order = orders.find(plan->id);
    live = live || (order != orders.end() && order->second.status == OrderStatus::open &&
                    order->second.cancelled_at == 0 &&
                    head.time <= order->second.created_at + plan->terms.work_by);
  }
  if (!live) violate("key: released for an order that wasn't live");
}

void Checkers::check_collateral(const Node& node, const std::optional<ListFacts>& list,
                                Nanoseconds from, const net::HttpResponse& answer) {
  const bool given = answer.status == 200;
  if (!list) {
    if (given) violate("collateral: a session was served without a revocation list");
    return;
  }
  const auto heads = heads_since(node, from);
  const bool ended = std::none_of(heads.begin(), heads.end(),
                                  [&](const Node::Head& head) { return head.time <= list->until; });
  if (!given && (ended || list->revokes)) ++stale_;
  if (given && ended) violate("collateral: a session was served on a list that had ended");
  if (given && list->revokes) violate("collateral: a session of a revoked chip was served");
  const bool told = answer.status == 503 && answer.headers.contains("retry-after");
  if (!given && ended && !told) {
    violate("collateral: a list has ended, and nobody is told when to try again");
  }
}

void Checkers::check_ends(const ContractState& state) {
  for (const OrderPlan& plan : plans_) {
    const auto order = state.orders.find(plan.id);
    const auto status = order == state.orders.end() ? OrderStatus::none : order->second.status;
    if (status != OrderStatus::settled && status != OrderStatus::closed) {
      violate("end: order " + plan.id.hex().substr(0, 8) + " is " +
              std::string(market::order_status_name(status)) + " after its last window");
    } else if (plan.must_settle && status != OrderStatus::settled) {
      violate("end: order " + plan.id.hex().substr(0, 8) +
              " was refunded, although nothing failed while there was time to run it");
    }
  }
}

}  // namespace sp::sim
