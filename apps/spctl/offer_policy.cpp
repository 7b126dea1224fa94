#include "spctl/offer_policy.hpp"

#include <nlohmann/json.hpp>

namespace sp::spctl {

Result<broker::ReleasePolicy> make_offer_policy(const apps::Network& network,
                                                const PolicyWishes& wishes) {
  broker::ReleasePolicy policy;
  policy.tee = network.loader_tee;
  policy.chains = {{network.market, network.confirmations}};
  policy.solutions.values = wishes.solutions;
  policy.orders.any = true;
  policy.accounts.any = true;
  policy.recipients.any = true;
  if (wishes.offer) {
    policy.offers.values = {*wishes.offer};
  } else {
    policy.offers.any = true;
  }
  policy.max_orders.reset();
  if (wishes.max_orders != 0) policy.max_orders = wishes.max_orders;
  policy.until = wishes.until;
  policy.claim_window = wishes.claim_window;
  if (wishes.arguments == "none") {
    policy.arguments = {{"argv.count", {"0"}}, {"env.count", {"0"}}};
  } else if (wishes.arguments != "any") {
    SP_ASSIGN(const Json json, parse_json(wishes.arguments, api::kArgumentsSizeMax));
    SP_ASSIGN(policy.arguments, api::argument_rules_from_json(json, "--arguments"));
  }
  return policy;
}

}  // namespace sp::spctl
