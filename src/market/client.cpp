#include "market/client.hpp"

#include "chain/log_search.hpp"
#include "crypto/eip712.hpp"
#include "crypto/hash.hpp"

namespace sp::market {
namespace {

using chain::AbiType;
using chain::AbiValue;
using Call = chain::TxSender::Call;
using Values = std::vector<AbiValue>;

// The members of OrderSettled that aren't topics.
const std::string kSettledData = "address,uint8,int32,bytes32,bytes32,uint256,uint256,uint256[]";

std::string created_signature() {
  return "OrderCreated(bytes32,address,address," + kTermsAbi + ",bytes)";
}
std::string settled_signature() {
  return "OrderSettled(bytes32,address,address," + kSettledData + ")";
}
std::string part_offered_signature() { return "PartOffered(bytes32,address," + kPartAbi + ")"; }
std::string compute_offered_signature() {
  return "ComputeOffered(bytes32,address," + kComputeAbi + ")";
}

Digest32 topic_of(const std::string& signature) { return crypto::keccak256(as_bytes(signature)); }

Bytes call_data(std::string_view signature, const Values& arguments) {
  auto data = chain::abi_call(signature, arguments);
  SP_CHECK(data.ok());  // our own values fit our own signatures
  return std::move(*data);
}

Result<Values> decode(std::string_view type_text, ByteView data) {
  auto type = AbiType::parse(type_text);
  SP_CHECK(type.ok());
  return chain::abi_decode(*type, data);
}

// The data of a log of one of our events, whose first topic and number of topics must be as
// expected.
Result<Values> decode_event(const chain::Log& log, const Digest32& topic, std::size_t topics,
                            std::string_view data_type) {
  if (log.topics.size() != topics || log.topics[0] != topic) {
    return Error{Errc::mismatch, "the log is of another event"};
  }
  return decode(data_type, log.data);
}

Address topic_address(const Digest32& topic) {
  Address address;
  std::copy(topic.data.begin() + 12, topic.data.end(), address.data.begin());
  return address;
}

AbiValue id_value(const OrderId& id) { return AbiValue::word(id.view()); }
AbiValue signature_value(const crypto::EthSignature& signature) {
  return AbiValue::bytes(signature.view());
}

constexpr std::string_view kOrderCall = "order(bytes32)";
constexpr std::string_view kOrderResult = "(uint128,uint8,uint40,uint40,uint16,uint24)";
constexpr std::string_view kOfferCall = "offer(bytes32)";
constexpr std::string_view kOfferResult = "(address,bool,uint32)";
constexpr std::string_view kProviderCall = "providerOf(address)";
constexpr std::string_view kProviderResult = "(address,address,address)";

Result<OrderRecord> order_record(const Values& values) {
  OrderRecord record;
  SP_ASSIGN(record.deposit, values[0].as_amount());
  SP_ASSIGN(const std::uint64_t status, values[1].as_number(4));
  record.status = static_cast<OrderStatus>(status);
  SP_ASSIGN(record.created_at, values[2].as_signed());
  SP_ASSIGN(record.cancelled_at, values[3].as_signed());
  SP_ASSIGN(const std::uint64_t attempt, values[4].as_number(0xffff));
  record.attempt = static_cast<std::uint16_t>(attempt);
  SP_ASSIGN(const std::uint64_t ended, values[5].as_number(0xffffff));
  record.ended = static_cast<std::uint32_t>(ended);
  return record;
}

Result<OfferRecord> offer_record(const Values& values) {
  OfferRecord record;
  SP_ASSIGN(record.provider, values[0].as_address());
  SP_ASSIGN(const std::uint64_t enabled, values[1].as_number(1));
  record.enabled = enabled == 1;
  SP_ASSIGN(const std::uint64_t orders, values[2].as_number(0xffffffff));
  record.orders = static_cast<std::uint32_t>(orders);
  return record;
}

Result<ProviderRecord> provider_record(const Values& values) {
  ProviderRecord record;
  SP_ASSIGN(record.action, values[0].as_address());
  SP_ASSIGN(record.receiver, values[1].as_address());
  return record;
}

chain::Chain::Read order_read(const Address& market, const OrderId& id) {
  return {market, call_data(kOrderCall, {id_value(id)})};
}

chain::Chain::Read offer_read(const Address& market, const OfferId& id) {
  return {market, call_data(kOfferCall, {AbiValue::word(id.view())})};
}

// A record of one answer of several.
template <class Record>
Result<Record> decoded(std::string_view type, const Result<Bytes>& answer,
                       Result<Record> (*read)(const Values&)) {
  if (!answer) return answer.error();
  SP_ASSIGN(const Values values, decode(type, *answer));
  return read(values);
}

// The first log that reads as what is searched for, from the newest blocks back: what is asked for
// is mostly new. An endpoint can put any log among them, and that must hide no true one. The error
// of the last where none does.
template <class Event, class Decode>
Result<Event> find_readable(chain::Chain& chain, const chain::LogFilter& filter, Decode decode,
                            std::string none) {
  Result<Event> event = Error{Errc::not_found, std::move(none)};
  const auto look = [&](const std::vector<chain::Log>& logs) {
    for (const chain::Log& log : logs) {
      event = decode(log);
      if (event) break;
    }
    return event.ok();
  };
  SP_TRY(chain::search_logs(chain, filter, chain::SearchOrder::newest_first, look));
  return event;
}

}  // namespace

std::string_view order_status_name(OrderStatus status) {
  switch (status) {
    case OrderStatus::none:
      return "none";
    case OrderStatus::open:
      return "open";
    case OrderStatus::settled:
      return "settled";
    case OrderStatus::closed:
      return "closed";
    case OrderStatus::refunded:
      return "refunded";
  }
  return "unknown";
}

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::none:
      return "none";
    case Phase::working:
      return "working";
    case Phase::settling:
      return "settling";
    case Phase::claiming:
      return "claiming";
    case Phase::closable:
      return "closable";
    case Phase::settled:
      return "settled";
    case Phase::closed:
      return "closed";
    case Phase::acquitting:
      return "acquitting";
  }
  return "unknown";
}

Digest32 order_created_topic() { return topic_of(created_signature()); }
Digest32 order_settled_topic() { return topic_of(settled_signature()); }
Digest32 order_cancelled_topic() { return topic_of("OrderCancelled(bytes32,address)"); }
Digest32 part_offered_topic() { return topic_of(part_offered_signature()); }
Digest32 compute_offered_topic() { return topic_of(compute_offered_signature()); }

Result<Values> MarketClient::read(const Address& contract, std::string_view signature,
                                  const Values& arguments, std::string_view result_type,
                                  chain::BlockTag tag) {
  SP_ASSIGN(const Bytes data, chain_.call(contract, call_data(signature, arguments), tag));
  return decode(result_type, data);
}

Result<OrderRecord> MarketClient::order(const OrderId& id, chain::BlockTag tag) {
  SP_ASSIGN(const Values values,
            read(domain_.contract, kOrderCall, {id_value(id)}, kOrderResult, tag));
  return order_record(values);
}

Result<Phase> MarketClient::phase(const Terms& terms) {
  SP_ASSIGN(const Values values,
            read(domain_.contract, "phase(" + kTermsAbi + ")", {to_abi(terms)}, "(uint8)", {}));
  SP_ASSIGN(const std::uint64_t phase, values[0].as_number(7));
  return static_cast<Phase>(phase);
}

Result<bool> MarketClient::is_acquitted(const OrderId& id, const Address& session) {
  SP_ASSIGN(const Values values, read(domain_.contract, "isAcquitted(bytes32,address)",
                                      {id_value(id), AbiValue::address(session)}, "(bool)", {}));
  SP_ASSIGN(const std::uint64_t acquitted, values[0].as_number(1));
  return acquitted == 1;
}

Result<OfferRecord> MarketClient::offer(const OfferId& id, chain::BlockTag tag) {
  SP_ASSIGN(const Values values,
            read(domain_.contract, kOfferCall, {AbiValue::word(id.view())}, kOfferResult, tag));
  return offer_record(values);
}

Result<Amount> MarketClient::balance(const Address& account, const Address& token) {
  SP_ASSIGN(const Values values,
            read(domain_.contract, "balanceOf(address,address)",
                 {AbiValue::address(account), AbiValue::address(token)}, "(uint256)", {}));
  return values[0].as_amount();
}

Result<Address> MarketClient::registry() {
  // The market's registry is immutable, so it is asked for once.
  if (registry_) return *registry_;
  SP_ASSIGN(const Values values, read(domain_.contract, "registry()", {}, "(address)", {}));
  SP_ASSIGN(registry_, values[0].as_address());
  return *registry_;
}

Result<ProviderRecord> MarketClient::provider(const Address& authority, chain::BlockTag tag) {
  SP_ASSIGN(const Address registry_address, registry());
  SP_ASSIGN(const Values values, read(registry_address, kProviderCall,
                                      {AbiValue::address(authority)}, kProviderResult, tag));
  return provider_record(values);
}

Result<MarketClient::OrderReads> MarketClient::read_order(const OrderId& id,
                                                          const std::vector<Address>& authorities,
                                                          const std::vector<OfferId>& offers,
                                                          chain::BlockTag tag) {
  std::vector<chain::Chain::Read> reads{order_read(domain_.contract, id)};
  if (!authorities.empty()) SP_TRY(registry());
  for (const Address& authority : authorities) {
    reads.push_back({*registry_, call_data(kProviderCall, {AbiValue::address(authority)})});
  }
  for (const OfferId& offer : offers) reads.push_back(offer_read(domain_.contract, offer));
  const std::vector<Result<Bytes>> answers = chain_.call_many(reads, tag);
  for (const auto& answer : answers) SP_TRY(answer);
  OrderReads all;
  auto answer = answers.begin();
  SP_ASSIGN(all.order, decoded(kOrderResult, *answer++, order_record));
  for (std::size_t i = 0; i < authorities.size(); ++i) {
    SP_ASSIGN(const ProviderRecord record, decoded(kProviderResult, *answer++, provider_record));
    all.providers.push_back(record);
  }
  for (std::size_t i = 0; i < offers.size(); ++i) {
    SP_ASSIGN(const OfferRecord record, decoded(kOfferResult, *answer++, offer_record));
    all.offers.push_back(record);
  }
  return all;
}

MarketClient::OrderAnswers MarketClient::ask_order(const OrderId& id,
                                                   const std::vector<OfferId>& offers,
                                                   chain::BlockTag tag) {
  std::vector<chain::Chain::Read> reads{order_read(domain_.contract, id)};
  for (const OfferId& offer : offers) reads.push_back(offer_read(domain_.contract, offer));
  const std::vector<Result<Bytes>> answers = chain_.call_many(reads, tag);
  OrderAnswers all{decoded(kOrderResult, answers[0], order_record), {}};
  for (std::size_t i = 1; i < answers.size(); ++i) {
    all.offers.push_back(decoded(kOfferResult, answers[i], offer_record));
  }
  return all;
}

Result<bool> MarketClient::is_active(const Address& authority, chain::BlockTag tag) {
  SP_ASSIGN(const Address registry_address, registry());
  SP_ASSIGN(
      const Values values,
      read(registry_address, "isActive(address,address)",
           {AbiValue::address(authority), AbiValue::address(domain_.contract)}, "(bool)", tag));
  SP_ASSIGN(const std::uint64_t active, values[0].as_number(1));
  return active == 1;
}

Result<std::pair<Amount, Amount>> MarketClient::deposit_of(const Address& authority,
                                                           const Address& token) {
  SP_ASSIGN(const Address registry_address, registry());
  SP_ASSIGN(const Values values,
            read(registry_address, "depositOf(address,address,address)",
                 {AbiValue::address(authority), AbiValue::address(domain_.contract),
                  AbiValue::address(token)},
                 "(uint128,uint128)", {}));
  SP_ASSIGN(const Amount total, values[0].as_amount());
  SP_ASSIGN(const Amount locked, values[1].as_amount());
  return std::pair(total, locked);
}

Result<CreatedEvent> MarketClient::find_created(const OrderId& id, std::uint64_t from,
                                                std::uint64_t to) {
  const Digest32 topic{id.data};
  return find_readable<CreatedEvent>(
      chain_, {domain_.contract, {order_created_topic(), topic}, from, to},
      [this](const chain::Log& log) { return decode_created(log); },
      "no order " + id.hex0x() + " on the chain");
}

Result<SettledEvent> MarketClient::find_settled(const OrderId& id, std::uint64_t from,
                                                std::uint64_t to) {
  const Digest32 topic{id.data};
  return find_readable<SettledEvent>(
      chain_, {domain_.contract, {order_settled_topic(), topic}, from, to},
      [this](const chain::Log& log) { return decode_settled(log); },
      "order " + id.hex0x() + " isn't settled");
}

Result<CreatedEvent> MarketClient::decode_created(const chain::Log& log) const {
  SP_ASSIGN(const Values values,
            decode_event(log, order_created_topic(), 4, "(" + kTermsAbi + ",bytes)"));
  CreatedEvent event;
  event.order = {log.topics[1].data};
  SP_ASSIGN(event.terms, terms_from_abi(values[0]));
  if (log.address != domain_.contract || event.terms.order_id(domain_) != event.order) {
    return Error{Errc::mismatch, "the endpoint's terms don't hash to the order's id"};
  }
  SP_ASSIGN(const Bytes hints, values[1].as_bytes_value());
  // Hints are anybody's words; unreadable ones are as good as none.
  if (auto decoded = decode_hints(hints)) event.hints = std::move(*decoded);
  event.block = log.block_number;
  event.tx = log.tx_hash;
  return event;
}

Result<SettledEvent> MarketClient::decode_settled(const chain::Log& log) const {
  SP_ASSIGN(const Values values,
            decode_event(log, order_settled_topic(), 4, "(" + kSettledData + ")"));
  SettledEvent event;
  event.order = {log.topics[1].data};
  event.customer = topic_address(log.topics[2]);
  event.provider = topic_address(log.topics[3]);
  SP_ASSIGN(event.session, values[0].as_address());
  SP_ASSIGN(const std::uint64_t outcome, values[1].as_number(4));
  event.outcome = static_cast<api::Outcome>(outcome);
  SP_ASSIGN(const std::int64_t exit_code, values[2].as_signed());
  event.exit_code = static_cast<std::int32_t>(exit_code);
  SP_ASSIGN(event.result, values[3].as_word());
  SP_ASSIGN(event.commitment, values[4].as_word());
  SP_ASSIGN(event.compute_paid, values[5].as_amount());
  SP_ASSIGN(event.refunded, values[6].as_amount());
  SP_ASSIGN(const Values paid, values[7].as_list());
  for (const AbiValue& amount : paid) {
    SP_ASSIGN(const Amount part_paid, amount.as_amount());
    event.parts_paid.push_back(part_paid);
  }
  event.block = log.block_number;
  event.tx = log.tx_hash;
  return event;
}

Call MarketClient::to_market(std::string_view signature, const Values& arguments) const {
  return {domain_.contract, call_data(signature, arguments), {}};
}

Call MarketClient::create(const Terms& terms, const Hints& hints) const {
  return to_market("create(" + kTermsAbi + ",bytes)",
                   {to_abi(terms), AbiValue::bytes(encode_hints(hints))});
}

Call MarketClient::create_with_permit(const Terms& terms, const Hints& hints,
                                      const Permit& permit) const {
  const ByteView signature = permit.signature.view();
  return to_market(
      "createWithPermit(" + kTermsAbi + ",bytes,(uint256,uint256,uint8,bytes32,bytes32))",
      {to_abi(terms), AbiValue::bytes(encode_hints(hints)),
       AbiValue::list({AbiValue::amount(permit.value), AbiValue::number(permit.deadline),
                       AbiValue::number(signature[64]), AbiValue::word(signature.first(32)),
                       AbiValue::word(signature.subspan(32, 32))})});
}

Call MarketClient::settle(const Terms& terms, const Signed<Attestation>& attestation,
                          const Signed<Receipt>& receipt) const {
  return to_market(
      "settle(" + kTermsAbi + "," + kAttestationAbi + ",bytes," + kReceiptAbi + ",bytes)",
      {to_abi(terms), to_abi(attestation.statement), signature_value(attestation.signature),
       to_abi(receipt.statement), signature_value(receipt.signature)});
}

Call MarketClient::acquit(const Terms& terms, const std::vector<Signed<Receipt>>& receipts) const {
  Values statements;
  Values signatures;
  for (const Signed<Receipt>& receipt : receipts) {
    statements.push_back(to_abi(receipt.statement));
    signatures.push_back(signature_value(receipt.signature));
  }
  return to_market("acquit(" + kTermsAbi + "," + kReceiptAbi + "[],bytes[])",
                   {to_abi(terms), AbiValue::list(std::move(statements)),
                    AbiValue::list(std::move(signatures))});
}

Call MarketClient::cancel(const Terms& terms) const {
  return to_market("cancel(" + kTermsAbi + ")", {to_abi(terms)});
}

Call MarketClient::claim(const Terms& terms, const Signed<Attestation>& attestation,
                         const Signed<KeyRequest>& request) const {
  return to_market(
      "claim(" + kTermsAbi + "," + kAttestationAbi + ",bytes," + kKeyRequestAbi + ",bytes)",
      {to_abi(terms), to_abi(attestation.statement), signature_value(attestation.signature),
       to_abi(request.statement), signature_value(request.signature)});
}

Call MarketClient::close(const Terms& terms) const {
  return to_market("close(" + kTermsAbi + ")", {to_abi(terms)});
}

Call MarketClient::withdraw(const Address& token, const Address& account) const {
  return to_market("withdraw(address,address)",
                   {AbiValue::address(token), AbiValue::address(account)});
}

Call MarketClient::offer_part(const Part& part) const {
  return to_market("offerPart(" + kPartAbi + ")", {to_abi(part)});
}

Call MarketClient::offer_compute(const Compute& compute) const {
  return to_market("offerCompute(" + kComputeAbi + ")", {to_abi(compute)});
}

Call MarketClient::set_enabled(const OfferId& id, bool enabled) const {
  return to_market("setEnabled(bytes32,bool)",
                   {AbiValue::word(id.view()), AbiValue::boolean(enabled)});
}

Call MarketClient::register_provider(const Address& registry, const Address& action,
                                     const Address& receiver) {
  return {registry,
          call_data("register(address,address)",
                    {AbiValue::address(action), AbiValue::address(receiver)}),
          {}};
}

Call MarketClient::deposit(const Address& registry, const Address& token, Amount amount) const {
  return {registry,
          call_data("deposit(address,address,uint128)",
                    {AbiValue::address(domain_.contract), AbiValue::address(token),
                     AbiValue::amount(amount)}),
          {}};
}

Call MarketClient::withdraw_deposit(const Address& registry, const Address& token,
                                    Amount amount) const {
  return {registry,
          call_data("withdraw(address,address,uint128)",
                    {AbiValue::address(domain_.contract), AbiValue::address(token),
                     AbiValue::amount(amount)}),
          {}};
}

Result<std::pair<OfferId, Part>> decode_part_offered(const chain::Log& log) {
  SP_ASSIGN(const Values values, decode_event(log, part_offered_topic(), 3, "(" + kPartAbi + ")"));
  SP_ASSIGN(Part part, part_from_abi(values[0]));
  const OfferId id{log.topics[1].data};
  if (part.offer_id() != id) return Error{Errc::mismatch, "the offer doesn't hash to its id"};
  return std::pair(id, std::move(part));
}

Result<std::pair<OfferId, Compute>> decode_compute_offered(const chain::Log& log) {
  SP_ASSIGN(const Values values,
            decode_event(log, compute_offered_topic(), 3, "(" + kComputeAbi + ")"));
  SP_ASSIGN(Compute compute, compute_from_abi(values[0]));
  const OfferId id{log.topics[1].data};
  if (compute.offer_id() != id) return Error{Errc::mismatch, "the offer doesn't hash to its id"};
  return std::pair(id, std::move(compute));
}

}  // namespace sp::market
