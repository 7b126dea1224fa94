#include "spctl/catalog.hpp"

#include <nlohmann/json.hpp>

#include "chain/log_search.hpp"

namespace sp::spctl {
namespace {

Result<std::vector<chain::Log>> all_logs(Session& session, const Digest32& topic,
                                         const std::optional<Digest32>& id) {
  SP_ASSIGN(const chain::Block newest, session.chain.block());
  chain::LogFilter filter{
      session.network.market.contract, {topic}, session.network.start_block, newest.number};
  if (id) filter.topics.emplace_back(*id);
  std::vector<chain::Log> all;
  const auto add = [&](const std::vector<chain::Log>& logs) {
    all.insert(all.end(), logs.begin(), logs.end());
    return false;
  };
  SP_TRY(chain::search_logs(session.chain, filter, chain::SearchOrder::oldest_first, add));
  return all;
}

template <class Offer>
Result<std::vector<Offer>> decode_all(
    const std::vector<chain::Log>& logs,
    Result<std::pair<api::OfferId, Offer>> (*decode)(const chain::Log&)) {
  std::vector<Offer> offers;
  for (const chain::Log& log : logs) {
    SP_ASSIGN(auto offer, decode(log));
    offers.push_back(std::move(offer.second));
  }
  return offers;
}

template <class Offer>
Result<Offer> only_one(Result<std::vector<Offer>> offers, const api::OfferId& id) {
  if (!offers) return offers.error();
  if (!offers->empty()) return std::move(offers->front());
  return failure(Errc::not_found, "offer " + id.hex0x() + " isn't there",
                 "the market has no such offer of this kind", "See 'spctl offers list'");
}

Result<market::OfferRecord> read_record(const Result<Json>& answer) {
  if (!answer) return answer.error();
  if (!answer->is_string()) return Error{Errc::malformed, "eth_call answers with no text"};
  SP_ASSIGN(const Bytes data, from_hex(answer->get<std::string>()));
  auto type = chain::AbiType::parse("(address,bool,uint32)");
  SP_CHECK(type.ok());  // our own text
  SP_ASSIGN(const auto values, chain::abi_decode(*type, data));
  market::OfferRecord record;
  SP_ASSIGN(record.provider, values[0].as_address());
  SP_ASSIGN(const std::uint64_t enabled, values[1].as_number(1));
  record.enabled = enabled == 1;
  SP_ASSIGN(const std::uint64_t orders, values[2].as_number(0xffffffff));
  record.orders = static_cast<std::uint32_t>(orders);
  return record;
}

}  // namespace

Result<std::vector<api::Compute>> compute_offers(Session& session) {
  SP_ASSIGN(const auto logs, all_logs(session, market::compute_offered_topic(), {}));
  return decode_all<api::Compute>(logs, market::decode_compute_offered);
}

Result<std::vector<api::Part>> part_offers(Session& session) {
  SP_ASSIGN(const auto logs, all_logs(session, market::part_offered_topic(), {}));
  return decode_all<api::Part>(logs, market::decode_part_offered);
}

Result<api::Part> find_part(Session& session, const api::OfferId& id) {
  SP_ASSIGN(const auto logs, all_logs(session, market::part_offered_topic(), Digest32{id.data}));
  return only_one(decode_all<api::Part>(logs, market::decode_part_offered), id);
}

Result<api::Compute> find_compute(Session& session, const api::OfferId& id) {
  SP_ASSIGN(const auto logs, all_logs(session, market::compute_offered_topic(), Digest32{id.data}));
  return only_one(decode_all<api::Compute>(logs, market::decode_compute_offered), id);
}

Result<std::vector<market::OfferRecord>> offer_records(Session& session,
                                                       const std::vector<api::OfferId>& ids) {
  std::vector<market::OfferRecord> records;
  for (std::size_t from = 0; from < ids.size(); from += chain::kRpcBatchMax) {
    const std::size_t count = std::min(chain::kRpcBatchMax, ids.size() - from);
    Json params = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      SP_ASSIGN(const Bytes data,
                chain::abi_call("offer(bytes32)", {chain::AbiValue::word(ids[from + i].view())}));
      const Json call{{"to", session.network.market.contract.hex0x()}, {"data", to_hex0x(data)}};
      params.push_back(Json::array({call, "latest"}));
    }
    for (const auto& answer :
         session.endpoint->call_many(std::vector<std::string>(count, "eth_call"), params)) {
      SP_ASSIGN(const market::OfferRecord record, read_record(answer));
      records.push_back(record);
    }
  }
  return records;
}

}  // namespace sp::spctl
