// The chain as a daemon's settings say that it is reached: one endpoint, or a quorum of several.
#pragma once

#include <memory>
#include <vector>

#include "chain/quorum.hpp"
#include "common/settings.hpp"
#include "market/client.hpp"

namespace sp::apps {

/// How long one endpoint of several is tried: less than a single one, since the others answer.
inline constexpr chain::RpcPatience kMemberPatience{2, std::chrono::milliseconds(4'000)};

/// Safe to call from any thread.
class ChainAccess {
 public:
  /// `ca_file` as HttpClient's. Asks for the market's registry, and with several endpoints for the
  /// chain id. Errc::mismatch where that isn't the settings'; Errc::usage where the endpoints are
  /// of different chains; errors of the endpoints.
  static Result<std::unique_ptr<ChainAccess>> open(const FollowedMarket& follows,
                                                   const std::string& ca_file, const Clock& clock);

  chain::Chain& chain() { return chain_; }
  market::MarketClient& market() { return market_; }
  ChainAccess(const ChainAccess&) = delete;
  ChainAccess& operator=(const ChainAccess&) = delete;

  /// A client of each of several endpoints for itself; none where there is one endpoint.
  [[nodiscard]] std::vector<market::MarketClient*> witnesses() const;

 private:
  struct Witness {
    Witness(chain::RpcEndpoint& endpoint, const crypto::Eip712Domain& domain)
        : chain(endpoint), market(chain, domain) {}
    chain::Chain chain;
    market::MarketClient market;
  };
  ChainAccess(std::unique_ptr<chain::RpcEndpoint> endpoint, const crypto::Eip712Domain& domain)
      : endpoint_(std::move(endpoint)), chain_(*endpoint_), market_(chain_, domain) {}

  std::unique_ptr<chain::RpcEndpoint> endpoint_;
  chain::Chain chain_;
  market::MarketClient market_;
  std::vector<std::unique_ptr<Witness>> witnesses_;
};

}  // namespace sp::apps
