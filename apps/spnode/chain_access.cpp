#include "chain_access.hpp"

namespace sp::apps {

Result<std::unique_ptr<ChainAccess>> ChainAccess::open(const FollowedMarket& follows,
                                                       const std::string& ca_file,
                                                       const Clock& clock) {
  const std::vector<std::string>& urls = follows.rpc.urls;
  std::unique_ptr<ChainAccess> access;
  if (urls.size() == 1) {
    access.reset(
        new ChainAccess(chain::http_endpoint(urls[0], clock, {}, ca_file), follows.market));
  } else {
    std::vector<std::unique_ptr<chain::RpcEndpoint>> members;
    for (const std::string& url : urls) {
      members.push_back(chain::http_endpoint(url, clock, kMemberPatience, ca_file));
    }
    auto quorum = chain::quorum_endpoint(std::move(members), follows.rpc.agree);
    std::vector<std::unique_ptr<Witness>> witnesses;
    for (std::size_t i = 0; i < quorum->size(); ++i) {
      witnesses.push_back(std::make_unique<Witness>(quorum->member(i), follows.market));
    }
    access.reset(new ChainAccess(std::move(quorum), follows.market));
    access->witnesses_ = std::move(witnesses);
    SP_ASSIGN(const std::uint64_t id, access->chain_.chain_id());
    if (id != follows.market.chain_id) {
      return Error{Errc::mismatch, "the endpoints are of chain " + std::to_string(id) +
                                       ", the settings name " +
                                       std::to_string(follows.market.chain_id)};
    }
  }
  // Asked for once, before there are threads: the client keeps it without a lock.
  const auto registry = access->market_.registry();
  if (!registry && registry.error().code == Errc::malformed) {
    return Error{Errc::mismatch, "there is no market at " + follows.market.contract.hex0x() +
                                     " of the chain that the endpoint shows: see \"market\" and "
                                     "\"rpc\" in the settings"};
  }
  SP_TRY(registry);
  return access;
}

std::vector<market::MarketClient*> ChainAccess::witnesses() const {
  std::vector<market::MarketClient*> clients;
  for (const auto& witness : witnesses_) clients.push_back(&witness->market);
  return clients;
}

}  // namespace sp::apps
