#include "broker/markets_view.hpp"

namespace sp::broker {
namespace {

bool no_answer(Errc code) { return code == Errc::unavailable || code == Errc::timed_out; }

}  // namespace

MarketsView::MarketsView(std::vector<ChainView*> views) {
  for (ChainView* view : views) markets_.push_back({view});
}

void MarketsView::open(std::size_t index) {
  SP_CHECK(index < markets_.size());
  const std::lock_guard lock(mutex_);
  markets_[index].state = State::answers;
}

std::vector<std::size_t> MarketsView::order_of_asking(const api::OrderId& order) {
  const std::lock_guard lock(mutex_);
  const auto route = routes_.find(order);
  if (route != routes_.end()) return {route->second};
  std::vector<std::size_t> indices;
  for (const State state : {State::answers, State::fails, State::closed}) {
    for (std::size_t i = 0; i < markets_.size(); ++i) {
      if (markets_[i].state == state) indices.push_back(i);
    }
  }
  return indices;
}

Result<OrderFacts> MarketsView::ask(std::size_t index, const api::OrderId& order) {
  Market& market = markets_[index];
  {
    const std::lock_guard lock(mutex_);
    if (market.state == State::closed) {
      return Error{Errc::unavailable, "a chain hasn't answered since the start"};
    }
    if (market.state == State::fails && std::exchange(market.asked, true)) {
      return Error{Errc::unavailable, "a chain doesn't answer"};
    }
  }
  auto facts = market.view->facts(order);
  const std::lock_guard lock(mutex_);
  market.asked = false;
  market.state = facts || !no_answer(facts.error().code) ? State::answers : State::fails;
  if (facts) {
    if (routes_.size() >= kRoutesMax) routes_.clear();
    routes_[order] = index;
  }
  return facts;
}

Result<OrderFacts> MarketsView::facts(const api::OrderId& order) {
  Error last{Errc::not_found, "no market has the order"};
  for (const std::size_t index : order_of_asking(order)) {
    auto facts = ask(index, order);
    if (facts) return facts;
    // A market that contradicts itself or doesn't answer may have it: it isn't known to be nowhere.
    if (facts.error().code != Errc::not_found || last.code == Errc::not_found) {
      last = facts.error();
    }
  }
  return last;
}

}  // namespace sp::broker
