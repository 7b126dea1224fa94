// The one reorganisation of an upset's world, when its order is at the stage.
#include "sim/world.hpp"

namespace sp::sim {

// Takes the newest blocks back where the order is at the upset's stage for the first time.
void World::reach(OrderStage stage) {
  const api::OrderId& id = plans_[0].id;
  const bool created = node_->state().orders.contains(id);
  if (!options_.upset || after_upset_ || options_.upset->stage != stage || !created) return;
  faults_.note(tasks_.now());
  node_->take_back(options_.upset->depth, options_.upset->back);
  const auto& orders = node_->state().orders;
  const auto order = orders.find(id);
  after_upset_ = order == orders.end() ? market::OrderStatus::none : order->second.status;
}

void World::look_at_head() {
  checkers_->check_single_end(*node_);
  const auto& orders = node_->state().orders;
  for (const OrderPlan& plan : plans_) {
    const auto order = orders.find(plan.id);
    const bool settled =
        order != orders.end() && order->second.status == market::OrderStatus::settled;
    if (settled) settled_.insert(plan.id);
    if (!settled && settled_.erase(plan.id) > 0) ++undone_;
  }
  const auto order = orders.find(plans_[0].id);
  if (order == orders.end()) return;
  reach(order->second.status == market::OrderStatus::settled ? OrderStage::settled
                                                             : OrderStage::created);
}

}  // namespace sp::sim
