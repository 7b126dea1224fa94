#include "chain_access.hpp"

namespace sp::apps {

ChainAccess::ChainAccess(const FollowedMarket& follows, bool alone, const std::string& ca_file,
                         const Clock& clock) {
  const std::vector<std::string>& urls = follows.rpc.urls;
  if (urls.size() == 1) {
    const chain::RpcPatience patience = alone ? chain::RpcPatience{} : kMemberPatience;
    endpoint_ = chain::http_endpoint(urls[0], clock, patience, ca_file);
  } else {
    std::vector<std::unique_ptr<chain::RpcEndpoint>> members;
    for (const std::string& url : urls) {
      members.push_back(chain::http_endpoint(url, clock, kMemberPatience, ca_file));
    }
    auto quorum = chain::quorum_endpoint(std::move(members), follows.rpc.agree);
    for (std::size_t i = 0; i < quorum->size(); ++i) {
      witnesses_.push_back(std::make_unique<Witness>(quorum->member(i), follows.market));
    }
    endpoint_ = std::move(quorum);
  }
  chain_.emplace(*endpoint_);
  market_.emplace(*chain_, follows.market);
}

Status ChainAccess::check() {
  SP_ASSIGN(const std::uint64_t id, chain_->chain_id());
  if (id != market_->domain().chain_id) {
    return Error{Errc::mismatch, "the endpoint is of chain " + std::to_string(id) +
                                     ", the settings name " +
                                     std::to_string(market_->domain().chain_id) +
                                     ": see \"rpc\" and \"chainId\" in them"};
  }
  // Asked for once, before there are threads: the client keeps it without a lock.
  const auto registry = market_->registry();
  if (!registry && registry.error().code == Errc::malformed) {
    return Error{Errc::mismatch, "there is no market at " + market_->domain().contract.hex0x() +
                                     " of the chain that the endpoint shows: see \"market\" and "
                                     "\"rpc\" in the settings"};
  }
  if (!registry) return registry.error();
  return {};
}

std::vector<market::MarketClient*> ChainAccess::witnesses() const {
  std::vector<market::MarketClient*> clients;
  for (const auto& witness : witnesses_) clients.push_back(&witness->market);
  return clients;
}

}  // namespace sp::apps
