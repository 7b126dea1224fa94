#include "broker/chain_view.hpp"

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/sync.hpp"

namespace sp::broker {
namespace {

constexpr std::size_t kCheckpointSize = 16;
// The checkpoint on disk may be this much older than what was seen: a restart can't be led back
// further.
constexpr std::int64_t kCheckpointLagSeconds = 30;

Result<bool> enabled(market::MarketClient& client, const api::Part& part, chain::BlockTag at) {
  SP_ASSIGN(const market::OfferRecord offer, client.offer(part.offer_id(), at));
  // A part that nobody offers is an own upload: there is nothing to disable.
  if (offer.provider.is_zero()) return true;
  return offer.enabled;
}

// What one endpoint has against an order. What it doesn't answer is no objection.
struct Objection {
  bool cancelled = false;
  bool ended = false;
  std::vector<bool> part_disabled;
};

Objection objection_of(market::MarketClient& witness, const api::OrderId& order,
                       const api::Terms& terms) {
  Objection objection;
  objection.part_disabled.resize(terms.parts.size());
  const auto record = witness.order(order);
  if (!record) return objection;
  // A witness that doesn't have the order yet (none) says nothing about it.
  const bool known = record->status != market::OrderStatus::none;
  objection.cancelled = record->cancelled_at != 0;
  objection.ended = known && record->status != market::OrderStatus::open;
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    const auto offered = enabled(witness, terms.parts[i], {});
    if (!offered) break;
    objection.part_disabled[i] = !*offered;
  }
  return objection;
}

}  // namespace

MarketView::MarketView(market::MarketClient& client, Files& files, const Options& options,
                       std::vector<market::MarketClient*> witnesses)
    : client_(client), files_(files), options_(options), witnesses_(std::move(witnesses)) {}

Status MarketView::load() {
  const auto bytes = files_.read(options_.checkpoint, kCheckpointSize);
  if (!bytes && bytes.error().code == Errc::not_found) return {};
  if (!bytes) return bytes.error();
  Reader reader(*bytes);
  const std::uint64_t number = reader.u64();
  const std::uint64_t time = reader.u64();
  SP_TRY(reader.finish());
  const std::lock_guard lock(mutex_);
  newest_number_ = number;
  newest_time_ = static_cast<std::int64_t>(time);
  saved_time_ = newest_time_;
  return {};
}

Status MarketView::advance(const chain::Block& newest) {
  const std::lock_guard lock(mutex_);
  if (newest.number < newest_number_ && newest.time < newest_time_) {
    // Two requests at once can see two heads in either order, so this is worth another try.
    return Error{Errc::unavailable, "the endpoint is behind: block " +
                                        std::to_string(newest.number) + " after block " +
                                        std::to_string(newest_number_)};
  }
  newest_number_ = std::max(newest_number_, newest.number);
  newest_time_ = std::max(newest_time_, newest.time);
  if (newest_time_ - saved_time_ < kCheckpointLagSeconds) return {};
  Writer writer;
  writer.u64(newest_number_).u64(static_cast<std::uint64_t>(newest_time_));
  SP_TRY(keep(files_, CrashSite::broker_checkpoint, options_.checkpoint, writer.bytes(),
              FileMode::owner_only));
  saved_time_ = newest_time_;
  return {};
}

Result<OrderFacts> MarketView::read_facts(const api::OrderId& order, const chain::Block& newest) {
  // A quorum is asked about one agreed block; what is newer, the witnesses say.
  const chain::BlockTag at =
      witnesses_.empty() ? chain::BlockTag{} : chain::BlockTag{newest.number};
  SP_ASSIGN(market::CreatedEvent created,
            client_.find_created(order, options_.start_block, newest.number));
  SP_ASSIGN(const market::OrderRecord record, client_.order(order, at));
  if (record.status == market::OrderStatus::none || created.block > newest.number) {
    return Error{Errc::mismatch, "the endpoint has an event of the order and not the order"};
  }
  OrderFacts facts;
  facts.market = client_.domain();
  facts.attempt = record.attempt;
  facts.created_at = record.created_at;
  facts.confirmations = newest.number - created.block + 1;
  facts.cancelled = record.cancelled_at != 0;
  facts.ended = record.status != market::OrderStatus::open;
  SP_ASSIGN(const api::Compute compute, created.terms.compute_of(record.attempt, 0));
  SP_ASSIGN(const market::ProviderRecord provider, client_.provider(compute.provider, at));
  facts.action = provider.action;
  for (const api::Part& part : created.terms.parts) {
    SP_ASSIGN(const bool part_enabled, enabled(client_, part, at));
    facts.part_enabled.push_back(part_enabled);
  }
  facts.terms = std::move(created.terms);
  return facts;
}

// All at once: one that hangs takes its patience, not theirs one after the other.
void MarketView::hear_witnesses(const api::OrderId& order, OrderFacts& facts) const {
  std::vector<Later<Objection>> heard;
  for (market::MarketClient* witness : witnesses_) {
    heard.emplace_back(
        [witness, &order, &terms = facts.terms] { return objection_of(*witness, order, terms); });
  }
  for (Later<Objection>& said : heard) {
    const Objection objection = said.get();
    facts.cancelled = facts.cancelled || objection.cancelled;
    facts.ended = facts.ended || objection.ended;
    for (std::size_t i = 0; i < facts.part_enabled.size(); ++i) {
      if (objection.part_disabled[i]) facts.part_enabled[i] = false;
    }
  }
}

Result<OrderFacts> MarketView::facts(const api::OrderId& order) {
  SP_ASSIGN(const chain::Block newest, client_.chain().block());
  SP_TRY(advance(newest));
  SP_ASSIGN(OrderFacts facts, read_facts(order, newest));
  hear_witnesses(order, facts);
  const std::lock_guard lock(mutex_);
  facts.now = newest_time_;
  return facts;
}

}  // namespace sp::broker
