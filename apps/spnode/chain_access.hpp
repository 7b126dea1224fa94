// The chain as a daemon's settings say that it is reached: one endpoint, or a quorum of several.
#pragma once

#include <memory>
#include <vector>

#include "chain/quorum.hpp"
#include "common/settings.hpp"
#include "market/client.hpp"

namespace sp::apps {

/// How long an endpoint is tried where others wait meanwhile (members of a quorum, one chain of
/// several): less than a single one.
inline constexpr chain::RpcPatience kMemberPatience{2, std::chrono::milliseconds(4'000)};

/// Safe to call from any thread once check() has succeeded.
class ChainAccess {
 public:
  /// Asks nothing yet. `ca_file` as HttpClient's; `alone`: no other chain waits for this one.
  ChainAccess(const FollowedMarket& follows, bool alone, const std::string& ca_file,
              const Clock& clock);

  /// Asks for chain id and registry. Errc::mismatch where the chain isn't the settings';
  /// Errc::usage where endpoints are of different chains; errors of the endpoints. One thread at a
  /// time, before any other use.
  Status check();

  chain::Chain& chain() { return *chain_; }
  market::MarketClient& market() { return *market_; }
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

  std::unique_ptr<chain::RpcEndpoint> endpoint_;
  std::optional<chain::Chain> chain_;
  std::optional<market::MarketClient> market_;
  std::vector<std::unique_ptr<Witness>> witnesses_;
};

}  // namespace sp::apps
