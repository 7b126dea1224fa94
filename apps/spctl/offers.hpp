// Offers as the chain has them, with their state (catalog.hpp). Each call reads the chain; the
// functions belong to the main thread.
#pragma once

#include "spctl/context.hpp"

namespace sp::spctl {

struct ListedCompute {
  api::OfferId id;
  api::Compute compute;
  market::OfferRecord record;
};

struct ListedPart {
  api::OfferId id;
  api::Part part;
  market::OfferRecord record;
};

/// All compute offers, disabled ones included, in the order of the chain.
Result<std::vector<ListedCompute>> list_compute_offers(Session& session);
/// All value and storage offers.
Result<std::vector<ListedPart>> list_part_offers(Session& session);

}  // namespace sp::spctl
