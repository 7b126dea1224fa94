// The offers of a market, from its events and its state.
//
// As safe for threads as the Session that is passed.
#pragma once

#include "spctl/context.hpp"

namespace sp::spctl {

/// All compute offers, in the order in which they were made. Errc::unavailable, Errc::malformed.
Result<std::vector<api::Compute>> compute_offers(Session& session);
/// All solution, data and storage offers.
Result<std::vector<api::Part>> part_offers(Session& session);
/// One offer by its id. Errc::not_found says that to people.
Result<api::Part> find_part(Session& session, const api::OfferId& id);
Result<api::Compute> find_compute(Session& session, const api::OfferId& id);

/// State of offers, in the order of the ids, in few round trips.
Result<std::vector<market::OfferRecord>> offer_records(Session& session,
                                                       const std::vector<api::OfferId>& ids);

}  // namespace sp::spctl
