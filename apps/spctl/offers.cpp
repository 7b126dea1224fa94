#include "spctl/offers.hpp"

#include "spctl/catalog.hpp"

namespace sp::spctl {
namespace {

template <class Offer>
Result<std::vector<market::OfferRecord>> records_of(Session& session,
                                                    const std::vector<Offer>& offers) {
  std::vector<api::OfferId> ids;
  for (const Offer& offer : offers) ids.push_back(offer.offer_id());
  return offer_records(session, ids);
}

}  // namespace

Result<std::vector<ListedCompute>> list_compute_offers(Session& session) {
  SP_ASSIGN(std::vector<api::Compute> offers, compute_offers(session));
  SP_ASSIGN(const auto records, records_of(session, offers));
  std::vector<ListedCompute> listed;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const api::OfferId id = offers[i].offer_id();
    listed.push_back({id, std::move(offers[i]), records[i]});
  }
  return listed;
}

Result<std::vector<ListedPart>> list_part_offers(Session& session) {
  SP_ASSIGN(std::vector<api::Part> offers, part_offers(session));
  SP_ASSIGN(const auto records, records_of(session, offers));
  std::vector<ListedPart> listed;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const api::OfferId id = offers[i].offer_id();
    listed.push_back({id, std::move(offers[i]), records[i]});
  }
  return listed;
}

}  // namespace sp::spctl
