#include "broker/chain_view.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/sync.hpp"
#include "chain/log_search.hpp"
#include "crypto/hash.hpp"

namespace sp::broker {
namespace {

constexpr std::string_view kTag = "SPnewest";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBareSize = 16;  // of a checkpoint as it was before it had tag and digest
constexpr std::size_t kCheckpointSize = kTag.size() + 1 + kBareSize + Digest32::kSize;
// The checkpoint on disk may be this much older than what was seen: a restart can't be led back
// further.
constexpr std::int64_t kCheckpointLagSeconds = 30;

// What the checksum at a file's end must be.
Digest32 checksum_of(ByteView file) {
  return crypto::sha256(file.first(file.size() - std::min(file.size(), Digest32::kSize)));
}

// A part that nobody offers is an own upload: there is nothing to disable.
bool enabled(const market::OfferRecord& offer) { return offer.provider.is_zero() || offer.enabled; }

std::vector<api::OfferId> offers_of(const api::Terms& terms) {
  std::vector<api::OfferId> ids;
  for (const api::Part& part : terms.parts) ids.push_back(part.offer_id());
  return ids;
}

std::vector<Address> providers_of(const api::Terms& terms) {
  std::vector<Address> providers;
  for (const api::Compute& choice : terms.choices) providers.push_back(choice.provider);
  return providers;
}

// What one endpoint has against an order.
struct Objection {
  bool cancelled = false;
  bool ended = false;
  std::vector<bool> part_disabled;
};

// Each answer speaks for itself: one that fails takes no other's word away, and is no objection.
Objection objection_of(market::MarketClient& witness, const api::OrderId& order,
                       const api::Terms& terms) {
  const auto answers = witness.ask_order(order, offers_of(terms));
  Objection objection;
  if (answers.order) {
    // A witness that doesn't have the order yet (none) says nothing about it.
    const bool known = answers.order->status != market::OrderStatus::none;
    objection.cancelled = answers.order->cancelled_at != 0;
    objection.ended = known && answers.order->status != market::OrderStatus::open;
  }
  for (const auto& offer : answers.offers) {
    objection.part_disabled.push_back(offer && !enabled(*offer));
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
  const std::string where = "damaged checkpoint " + options_.checkpoint.string();
  if (!bytes) return bytes.error().in(where);
  const bool bare = bytes->size() == kBareSize;
  Reader reader(*bytes);
  if (!bare && as_text(reader.raw(kTag.size())) != kTag) {
    reader.fail(Errc::malformed, "not a checkpoint");
  }
  if (!bare && reader.u8() != kVersion) reader.fail(Errc::malformed, "unknown version");
  const std::uint64_t number = reader.u64();
  const std::uint64_t time = reader.u64();
  if (!bare && reader.fixed<Digest32>() != checksum_of(*bytes)) {
    reader.fail(Errc::malformed, "the checksum is wrong");
  }
  if (const Status status = reader.finish(); !status) return status.error().in(where);
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
  writer.raw(as_bytes(kTag)).u8(kVersion);
  writer.u64(newest_number_).u64(static_cast<std::uint64_t>(newest_time_));
  const Digest32 checksum = crypto::sha256(writer.bytes());
  writer.raw(checksum.view());
  SP_TRY(keep(files_, CrashSite::broker_checkpoint, options_.checkpoint, writer.bytes(),
              FileMode::owner_only));
  saved_time_ = newest_time_;
  return {};
}

std::optional<MarketView::Known> MarketView::known(const api::OrderId& order) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(order);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void MarketView::remember(const market::CreatedEvent& created) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kOrdersRememberedMax) known_.clear();
  known_[created.order] = {created.terms, created.block};
}

// Where it was last seen, or, after a reorganisation, wherever it is now.
Result<market::CreatedEvent> MarketView::find_created(const api::OrderId& order,
                                                      const chain::Block& newest,
                                                      const std::optional<Known>& known) {
  if (known && known->block <= newest.number) {
    auto created = client_.find_created(order, known->block, known->block);
    if (created || created.error().code != Errc::not_found) return created;
  }
  // Where a search takes many calls, an id that somebody made up costs one.
  if (newest.number >= options_.start_block + chain::kSearchBlocksMax) {
    SP_ASSIGN(const market::OrderRecord record, client_.order(order, {newest.number}));
    if (record.status == market::OrderStatus::none) {
      return Error{Errc::not_found, "no order " + order.hex0x() + " on the chain"};
    }
  }
  return client_.find_created(order, options_.start_block, newest.number);
}

Result<OrderFacts> MarketView::read_facts(const api::OrderId& order, const chain::Block& newest) {
  using Reads = market::MarketClient::OrderReads;
  // A quorum is asked about one agreed block; what is newer, the witnesses say.
  const chain::BlockTag at =
      witnesses_.empty() ? chain::BlockTag{} : chain::BlockTag{newest.number};
  const std::optional<Known> before = known(order);
  Later<Result<market::CreatedEvent>> finding([&] { return find_created(order, newest, before); });
  const auto read = [&](const api::Terms& terms) {
    return client_.read_order(order, providers_of(terms), offers_of(terms), at);
  };
  std::optional<Result<Reads>> reads;
  if (before) reads = read(before->terms);
  SP_ASSIGN(market::CreatedEvent created, finding.get());
  if (!reads) reads = read(created.terms);
  if (!*reads) return reads->error();
  remember(created);
  const market::OrderRecord& record = (*reads)->order;
  if (record.status == market::OrderStatus::none || created.block > newest.number) {
    return Error{Errc::mismatch, "the endpoint has an event of the order and not the order"};
  }
  const std::size_t choice = std::size_t{record.attempt} * created.terms.replicas;
  SP_TRY(created.terms.compute_of(record.attempt, 0));
  OrderFacts facts;
  facts.market = client_.domain();
  facts.attempt = record.attempt;
  facts.created_at = record.created_at;
  facts.confirmations = newest.number - created.block + 1;
  facts.cancelled = record.cancelled_at != 0;
  facts.ended = record.status != market::OrderStatus::open;
  facts.action = (*reads)->providers.at(choice).action;
  for (const market::OfferRecord& offer : (*reads)->offers) {
    facts.part_enabled.push_back(enabled(offer));
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
