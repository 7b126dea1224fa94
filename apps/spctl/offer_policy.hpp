// Release policies of offers, put together from what an owner says on the command line. Pure
// functions.
#pragma once

#include "broker/policy.hpp"
#include "common/network.hpp"

namespace sp::spctl {

inline constexpr std::int64_t kPolicyDaysDefault = 365;
inline constexpr std::int64_t kPolicyDaysMax = 36'500;

struct PolicyWishes {
  std::vector<Digest32> solutions;    ///< package ids that may use it
  std::optional<api::OfferId> offer;  ///< through which it is sold; empty = any of the owner's
  std::uint32_t max_orders = 0;       ///< of the offer; 0 = any number
  std::string arguments = "any";      ///< "any", "none", or JSON rules (docs/POLICY.md)
  std::int64_t until = 0;             ///< seconds of Unix time
  std::uint32_t claim_window = broker::kClaimWindowDefault;  ///< least of an order, seconds
};

/// Sold to anybody, on the devices and loaders that the network accepts. Errc::malformed for the
/// argument rules.
Result<broker::ReleasePolicy> make_offer_policy(const apps::Network& network,
                                                const PolicyWishes& wishes);

}  // namespace sp::spctl
