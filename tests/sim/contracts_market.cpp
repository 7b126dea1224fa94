// The market's functions that change something.
#include "crypto/hash.hpp"
#include "sim/contracts_call.hpp"
#include "sim/contracts_values.hpp"

namespace sp::sim {
namespace {

using chain::AbiValue;
using market::OrderStatus;
using market::Phase;

constexpr Number kHour = 3600;
constexpr std::size_t kPartsMin = 3;
constexpr std::uint32_t kDay = 24 * 3600;
constexpr std::uint32_t kWindowMax = 60 * kDay;  // to begin, to settle
constexpr std::uint32_t kAnswerMax = 7 * kDay;   // after the end

Number hourly_down(Number price, Number seconds) { return price * seconds / kHour; }
Number hourly_up(Number price, Number seconds) { return (price * seconds + kHour - 1) / kHour; }

Number required(const api::Terms& terms) {
  const api::Compute& compute = terms.choices[0];
  Number amount =
      compute.base_fee.units() + hourly_up(compute.price_per_hour.units(), terms.ordered_seconds);
  for (const api::Part& part : terms.parts) {
    amount += part.price_type == api::PriceType::fixed
                  ? part.price.units()
                  : hourly_up(part.price.units(), terms.ordered_seconds);
  }
  return amount;
}

Number exposed(const api::Part& part, const Address& customer) {
  const bool owed = part.price_type == api::PriceType::fixed && part.owner != customer;
  return owed ? part.price.units() : 0;
}

Number exposure(const api::Terms& terms) {
  Number amount = 0;
  for (const api::Part& part : terms.parts) amount += exposed(part, terms.customer);
  return amount;
}

Digest32 topic(const Address& address) {
  Digest32 word;
  std::copy(address.data.begin(), address.data.end(), word.data.begin() + 12);
  return word;
}
Digest32 topic(const api::OrderId& id) { return {id.data}; }

// ---- terms (Rules.sol) ----

// What version 1 of the protocol leaves out.
Status check_version(const api::Terms& terms) {
  SP_TRY(require(terms.mode == 0, "Market_UnsupportedMode"));
  SP_TRY(require(terms.replicas == 1 && terms.quorum == 1, "Market_UnsupportedReplicas"));
  SP_TRY(require(terms.egress.empty(), "Market_UnsupportedEgress"));
  SP_TRY(require(terms.options.empty(), "Market_UnsupportedOptions"));
  return require(terms.extensions.is_zero(), "Market_UnsupportedExtensions");
}

api::PartKind kind_at(std::size_t index, std::size_t count) {
  if (index == api::Terms::kArguments) return api::PartKind::arguments;
  if (index == api::Terms::kSolution) return api::PartKind::solution;
  return index + 1 == count ? api::PartKind::storage : api::PartKind::data;
}

Status check_shape(const api::Part& part) {
  const bool has_content = part.kind != api::PartKind::storage;
  SP_TRY(require(part.brokers.size() == (has_content ? 1 : 0), "Market_BadBrokerCount"));
  return require(part.digest.is_zero() != has_content, "Market_BadDigest");
}

Status check_parts(const api::Terms& terms) {
  const std::size_t count = terms.parts.size();
  SP_TRY(require(count >= kPartsMin && count <= api::kPartsMax, "Market_BadPartCount"));
  for (std::size_t i = 0; i < count; ++i) {
    const api::Part& part = terms.parts[i];
    SP_TRY(require(part.kind == kind_at(i, count), "Market_BadPartKind"));
    SP_TRY(require(part.token == terms.token, "Market_TokenDiffers"));
    SP_TRY(check_shape(part));
  }
  return {};
}

Status check_attestor_count(const api::Compute& compute) {
  return require(!compute.attestors.empty() && compute.attestors.size() <= api::kAttestorsMax,
                 "Market_BadAttestorCount");
}

Status check_choices(const api::Terms& terms) {
  SP_TRY(require(!terms.choices.empty() && terms.choices.size() <= api::kChoicesMax,
                 "Market_BadChoiceCount"));
  for (const api::Compute& choice : terms.choices) SP_TRY(check_attestor_count(choice));
  return {};
}

Status check_lengths(std::initializer_list<std::uint32_t> windows, std::uint32_t max) {
  return require(std::max(windows) <= max, "Market_WindowTooLong");
}

Status check_window(std::uint32_t window, std::uint64_t min, std::uint32_t max) {
  SP_TRY(require(window >= min, "Market_WindowTooShort"));
  return check_lengths({window}, max);
}

Status check_resource(std::uint32_t wanted, std::uint32_t offered) {
  SP_TRY(require(wanted != 0, "Market_NoResource"));
  return require(wanted <= offered, "Market_ResourceAboveOffer");
}

// Whether the order is within the compute offer.
Status check_fits(const api::Terms& terms, const api::Compute& compute) {
  SP_TRY(require(compute.token == terms.token, "Market_TokenDiffers"));
  SP_TRY(require(!terms.result_key.is_zero(), "Market_NoResultKey"));
  const auto& attestors = compute.attestors;
  SP_TRY(require(std::find(attestors.begin(), attestors.end(), terms.attestor) != attestors.end(),
                 "Market_AttestorNotAccepted"));
  SP_TRY(require(
      terms.ordered_seconds >= compute.min_seconds && terms.ordered_seconds <= compute.max_seconds,
      "Market_SecondsOutOfRange"));
  SP_TRY(check_window(terms.work_by, compute.min_work_by, kWindowMax));
  SP_TRY(check_window(terms.settle_by, compute.min_settle_by, kWindowMax));
  SP_TRY(check_window(terms.settle_by, std::uint64_t{terms.work_by} + terms.ordered_seconds,
                      kWindowMax));
  SP_TRY(check_window(terms.settle_window, compute.min_settle_window, kAnswerMax));
  SP_TRY(check_window(terms.claim_window, compute.min_claim_window, kAnswerMax));
  SP_TRY(check_resource(terms.cpu_milli, compute.cpu_milli));
  SP_TRY(check_resource(terms.memory_mib, compute.memory_mib));
  SP_TRY(check_resource(terms.disk_mib, compute.disk_mib));
  return check_resource(terms.pids, compute.pids);
}

Status check_terms(const api::Terms& terms) {
  SP_TRY(check_version(terms));
  SP_TRY(check_parts(terms));
  SP_TRY(check_choices(terms));
  return check_fits(terms, terms.choices[0]);
}

}  // namespace

Digest32 order_closed_topic() {
  return crypto::keccak256(as_bytes("OrderClosed(bytes32,address,uint256)"));
}
Digest32 part_claimed_topic() {
  return crypto::keccak256(as_bytes("PartClaimed(bytes32,address,address,uint256,uint256)"));
}
Digest32 session_acquitted_topic() {
  return crypto::keccak256(as_bytes("SessionAcquitted(bytes32,address)"));
}

Phase Contracts::phase(const api::Terms& terms, const ContractState::Order& order,
                       std::int64_t time) {
  if (order.status == OrderStatus::none) return Phase::none;
  if (order.status == OrderStatus::settled) return Phase::settled;
  if (order.status == OrderStatus::closed) return Phase::closed;
  if (order.status == OrderStatus::refunded) {
    const std::int64_t told = order.refunded_at + terms.settle_window;
    if (time <= told) return Phase::acquitting;
    return time <= told + terms.claim_window ? Phase::claiming : Phase::closable;
  }
  const bool cancelled = order.cancelled_at != 0;
  const std::int64_t end = cancelled ? order.cancelled_at : order.created_at + terms.settle_by;
  if (!cancelled && time <= end) return Phase::working;
  if (time <= end + terms.settle_window) return Phase::settling;
  if (time <= end + terms.settle_window + terms.claim_window) return Phase::claiming;
  return Phase::closable;
}

// ---- offers ----

Status Contracts::require_provider(const Call& call, const Address& provider) {
  const Address action = value_of(call.state.providers, provider).action;
  const bool may = !action.is_zero() && (call.sender == provider || call.sender == action);
  return require(may, "Market_NotProvider");
}

Status Contracts::add_offer(Call& call, const api::OfferId& id, const Address& provider) const {
  SP_TRY(require_provider(call, provider));
  SP_TRY(require(!call.state.offers.contains(id), "Market_OfferExists"));
  call.state.offers[id] = {provider, true, 0};
  return {};
}

Status Contracts::offer_part(Call& call) const {
  SP_ASSIGN(const api::Part part, market::part_from_abi(call.arguments[0]));
  SP_TRY(require(part.kind != api::PartKind::arguments, "Market_NotOfferable"));
  SP_TRY(require(!part.token.is_zero(), "Market_ZeroToken"));
  SP_TRY(check_shape(part));
  SP_TRY(add_offer(call, part.offer_id(), part.owner));
  return call.emit(market::part_offered_topic(), {{part.offer_id().data}, topic(part.owner)},
                   "(" + market::kPartAbi + ")", {call.arguments[0]});
}

Status Contracts::offer_compute(Call& call) const {
  SP_ASSIGN(const api::Compute compute, market::compute_from_abi(call.arguments[0]));
  using attest::EvidenceKind;
  const bool backs = compute.kind == EvidenceKind::dev || compute.kind == EvidenceKind::sev_snp ||
                     compute.kind == EvidenceKind::tdx;
  SP_TRY(require(backs, "Market_EvidenceCantBack"));
  SP_TRY(require(!compute.chip.is_zero(), "Market_NoChip"));
  SP_TRY(require(!compute.token.is_zero(), "Market_ZeroToken"));
  SP_TRY(require(compute.min_seconds != 0 && compute.min_seconds <= compute.max_seconds,
                 "Market_BadTimeRange"));
  SP_TRY(check_lengths({compute.min_work_by, compute.min_settle_by}, kWindowMax));
  SP_TRY(check_lengths({compute.min_settle_window, compute.min_claim_window}, kAnswerMax));
  SP_TRY(check_attestor_count(compute));
  SP_TRY(add_offer(call, compute.offer_id(), compute.provider));
  return call.emit(market::compute_offered_topic(),
                   {{compute.offer_id().data}, topic(compute.provider)},
                   "(" + market::kComputeAbi + ")", {call.arguments[0]});
}

Status Contracts::set_enabled(Call& call) const {
  SP_ASSIGN(const Digest32 word, call.arguments[0].as_word());
  SP_ASSIGN(const std::uint64_t enabled, call.arguments[1].as_number(1));
  const auto found = call.state.offers.find(api::OfferId{word.data});
  SP_TRY(require(found != call.state.offers.end(), "Market_UnknownOffer"));
  SP_TRY(require_provider(call, found->second.provider));
  found->second.enabled = enabled == 1;
  return {};
}

Status Contracts::require_orderable(const Call& call, const api::OfferId& id) const {
  const auto held = value_of(call.state.offers, id);
  SP_TRY(require(held.enabled, "Market_NotOrderable"));
  return require(is_active(call.state, held.provider), "Market_ProviderInactive");
}

// ---- create ----

Status Contracts::take_part(Call& call, const api::Part& part, const Address& customer) const {
  const bool upload = part.owner == customer && part.price.units() == 0 && part.max_orders == 0;
  if (upload && !call.state.offers.contains(part.offer_id())) return {};
  SP_TRY(require_orderable(call, part.offer_id()));
  if (part.max_orders == 0) return {};
  std::uint32_t& orders = call.state.offers[part.offer_id()].orders;
  SP_TRY(require(orders < part.max_orders, "Market_OfferExhausted"));
  ++orders;
  return {};
}

void Contracts::uncount(Call& call, const api::Part& part) {
  if (part.max_orders != 0) --call.state.offers[part.offer_id()].orders;
}

Status Contracts::lock(Call& call, const api::Terms& terms) const {
  const Number amount = exposure(terms);
  SP_TRY(require(amount <= terms.choices[0].max_exposure.units(), "Market_ExposureTooHigh"));
  if (amount == 0) return {};
  auto& held = call.state.deposits[{terms.choices[0].provider, addresses_.market, terms.token}];
  SP_TRY(require(held.total - held.locked >= amount, "Registry_FreeDepositShort"));
  held.locked += amount;
  return {};
}

Status Contracts::create(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  SP_ASSIGN(const Bytes hints, call.arguments[1].as_bytes_value());
  SP_TRY(require(call.sender == terms.customer, "Market_NotCustomer"));
  SP_TRY(require(hints.size() <= market::kHintsSizeMax, "Market_HintsTooLong"));
  SP_TRY(check_terms(terms));
  const api::OrderId id = terms.order_id(domain_);
  SP_TRY(require(!call.state.orders.contains(id), "Market_OrderExists"));
  SP_TRY(require_orderable(call, terms.choices[0].offer_id()));
  for (const api::Part& part : terms.parts) SP_TRY(take_part(call, part, terms.customer));
  const Number price = required(terms);
  call.state.orders[id] = {price, OrderStatus::open, call.time, 0, 0, 0, {}};
  SP_TRY(lock(call, terms));
  SP_TRY(call.emit(market::order_created_topic(),
                   {topic(id), topic(terms.customer), topic(terms.choices[0].provider)},
                   "(" + market::kTermsAbi + ",bytes)", {call.arguments[0], call.arguments[1]}));
  return pull(call.state, terms.token, terms.customer, addresses_.market, price);
}

// ---- money ----

void Contracts::credit(Call& call, const api::Terms& terms, const Address& account,
                       Number amount) const {
  if (amount != 0) call.state.balances[{terms.token, account}] += amount;
}

Status Contracts::end_lock(Call& call, const api::Terms& terms, Number locked, Number paid) const {
  auto& held = call.state.deposits[{terms.choices[0].provider, addresses_.market, terms.token}];
  SP_TRY(require(held.locked >= locked, "Registry_LockShort"));
  held.locked -= locked;
  held.total -= paid;
  return move(call.state, addresses_.registry, addresses_.market, paid);
}

Status Contracts::pay(Call& call, const api::OrderId& id, const api::Terms& terms,
                      const api::Attestation& attestation, const api::Receipt& receipt,
                      Number billable) const {
  const bool from_lock = receipt.outcome == api::Outcome::provider;
  const api::Compute& compute = terms.choices[0];
  const std::uint32_t earning = receipt.started ? receipt.opened : 0;
  ContractState::Order& order = call.state.orders[id];
  Number locked = 0;
  Number parts_total = 0;
  AbiValues parts_paid;
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    const api::Part& part = terms.parts[i];
    const Number owed = exposed(part, terms.customer);
    Number amount = 0;
    const bool earns = ((earning >> i) & 1) == 1 && !(from_lock && owed == 0);
    const bool keeps = part.kind != api::PartKind::storage && bug_ != Bug::market_frees_locks;
    if (!earns && owed != 0 && keeps) {
      parts_paid.push_back(number(0));
      continue;
    }
    locked += owed;
    order.ended |= 1U << i;
    if (!earns) {
      uncount(call, part);
    } else if (from_lock) {
      amount = owed;
    } else {
      amount = part.price_type == api::PriceType::fixed ? part.price.units()
                                                        : hourly_down(part.price.units(), billable);
    }
    parts_total += amount;
    credit(call, terms, part.owner, amount);
    parts_paid.push_back(number(amount));
  }
  Number compute_paid = from_lock ? 0 : compute.base_fee.units();
  if (!from_lock && receipt.outcome != api::Outcome::input) {
    compute_paid += hourly_down(compute.price_per_hour.units(), billable);
  }
  const Number deposit = order.deposit;
  const bool ends = order.ended + 1 == 1U << terms.parts.size();
  if (ends) {
    order.status = OrderStatus::settled;
    order.ended = 0;
  } else {
    order.status = OrderStatus::refunded;
    order.deposit = 0;
    order.refunded_at = call.time;
    SP_TRY(add_acquitted(call, id, attestation.session));
  }
  Number refunded = from_lock ? deposit : deposit - compute_paid - parts_total;
  if (bug_ == Bug::market_mints) refunded = deposit;
  if (bug_ == Bug::market_underpays && compute_paid > 0) --compute_paid, ++refunded;
  credit(call, terms, compute.provider, compute_paid);
  credit(call, terms, terms.customer, refunded);
  SP_TRY(call.emit(
      market::order_settled_topic(), {topic(id), topic(terms.customer), topic(compute.provider)},
      "(address,uint8,int32,bytes32,bytes32,uint256,uint256,uint256[])",
      {AbiValue::address(attestation.session),
       AbiValue::number(static_cast<std::uint8_t>(receipt.outcome)),
       AbiValue::signed_number(receipt.exit_code), AbiValue::word(receipt.result.view()),
       AbiValue::word(receipt.commitment.view()), number(compute_paid), number(refunded),
       AbiValue::list(std::move(parts_paid))}));
  return end_lock(call, terms, locked, from_lock ? parts_total : 0);
}

// The planted second end: an event without money.
Status Contracts::emit_settled(Call& call, const api::OrderId& id, const api::Terms& terms) {
  return call.emit(market::order_settled_topic(), {topic(id), topic(terms.customer)}, "()", {});
}

Status Contracts::settle(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  SP_ASSIGN(const api::Attestation attestation, attestation_from_abi(call.arguments[1]));
  SP_ASSIGN(const Bytes attestation_signature, call.arguments[2].as_bytes_value());
  SP_ASSIGN(const api::Receipt receipt, receipt_from_abi(call.arguments[3]));
  SP_ASSIGN(const Bytes receipt_signature, call.arguments[4].as_bytes_value());
  const api::OrderId id = terms.order_id(domain_);
  const auto held = value_of(call.state.orders, id);
  const Phase now = phase(terms, held, call.time);
  const bool twice = bug_ == Bug::market_settles_twice || bug_ == Bug::market_ends_twice;
  const bool again = twice && now == Phase::settled;
  SP_TRY(require(now == Phase::working || now == Phase::settling || again, "Market_WrongPhase"));
  SP_TRY(check_attestation(call, id, held, terms, attestation, attestation_signature));
  SP_TRY(require(receipt.run.order == id, "Market_WrongOrder"));
  SP_TRY(require(receipt.run.attempt == 0 && receipt.run.replica == 0, "Market_WrongAttempt"));
  SP_TRY(check_receipt(receipt, terms.parts.size()));
  SP_TRY(require(receipt.outcome != api::Outcome::cancelled || held.cancelled_at != 0 ||
                     bug_ == Bug::market_takes_cancels,
                 "Market_NotCancelled"));
  SP_TRY(require(is_signed_by(receipt.digest(domain_), receipt_signature, attestation.session),
                 "Market_BadSignature"));
  if (bug_ == Bug::market_ends_twice && again) return emit_settled(call, id, terms);
  const std::int64_t until = held.cancelled_at != 0 ? held.cancelled_at : call.time;
  const Number measured =
      std::min<Number>(receipt.duration_ms / 1000, static_cast<Number>(until - attestation.time));
  return pay(call, id, terms, attestation, receipt,
             std::min<Number>(measured, terms.ordered_seconds));
}

Status Contracts::add_acquitted(Call& call, const api::OrderId& id, const Address& session) {
  call.state.orders[id].acquitted.insert(session);
  return call.emit(session_acquitted_topic(), {topic(id), topic(session)}, "()", {});
}

Status Contracts::acquit(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  SP_ASSIGN(const AbiValues receipts, call.arguments[1].as_list());
  SP_ASSIGN(const AbiValues signatures, call.arguments[2].as_list());
  SP_TRY(require(receipts.size() == signatures.size(), "Market_BadSignatureCount"));
  const api::OrderId id = terms.order_id(domain_);
  const OrderStatus status = value_of(call.state.orders, id).status;
  SP_TRY(
      require(status == OrderStatus::open || status == OrderStatus::refunded, "Market_WrongPhase"));
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    SP_ASSIGN(const api::Receipt receipt, receipt_from_abi(receipts[i]));
    SP_ASSIGN(const Bytes signature, signatures[i].as_bytes_value());
    SP_TRY(require(receipt.run.order == id, "Market_WrongOrder"));
    SP_TRY(require(receipt.run.attempt == 0 && receipt.run.replica == 0, "Market_WrongAttempt"));
    SP_TRY(require(!receipt.started, "Market_Started"));
    const auto read = crypto::EthSignature::from(signature);
    SP_TRY(require(read.ok(), "Market_BadSignature"));
    const auto session = crypto::recover(receipt.digest(domain_), *read);
    SP_TRY(require(session.ok() && !session->is_zero(), "Market_BadSignature"));
    SP_TRY(add_acquitted(call, id, *session));
  }
  return {};
}

Status Contracts::cancel(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  SP_TRY(require(call.sender == terms.customer, "Market_NotCustomer"));
  const api::OrderId id = terms.order_id(domain_);
  SP_TRY(require(phase(terms, value_of(call.state.orders, id), call.time) == Phase::working,
                 "Market_WrongPhase"));
  call.state.orders[id].cancelled_at = call.time;
  return call.emit(market::order_cancelled_topic(), {topic(id), topic(terms.customer)}, "()", {});
}

Status Contracts::claim(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  SP_ASSIGN(const api::Attestation attestation, attestation_from_abi(call.arguments[1]));
  SP_ASSIGN(const Bytes attestation_signature, call.arguments[2].as_bytes_value());
  SP_ASSIGN(const api::KeyRequest request, key_request_from_abi(call.arguments[3]));
  SP_ASSIGN(const Bytes request_signature, call.arguments[4].as_bytes_value());
  const api::OrderId id = terms.order_id(domain_);
  const auto held = value_of(call.state.orders, id);
  SP_TRY(require(phase(terms, held, call.time) == Phase::claiming, "Market_WrongPhase"));
  SP_TRY(require(!held.acquitted.contains(attestation.session), "Market_Acquitted"));
  SP_TRY(check_attestation(call, id, held, terms, attestation, attestation_signature));
  SP_TRY(require(request.run.order == id, "Market_WrongOrder"));
  SP_TRY(require(request.run.attempt == 0 && request.run.replica == 0, "Market_WrongAttempt"));
  SP_TRY(require(request.attestation == attestation.digest(domain_), "Market_WrongAttestation"));
  SP_TRY(require(is_signed_by(request.digest(domain_), request_signature, attestation.session),
                 "Market_BadSignature"));
  const bool is_part =
      request.part < terms.parts.size() && terms.parts[request.part].kind != api::PartKind::storage;
  const Number price = is_part ? exposed(terms.parts[request.part], terms.customer) : 0;
  SP_TRY(require(price != 0, "Market_NothingToClaim"));
  SP_TRY(require(((held.ended >> request.part) & 1) == 0, "Market_AlreadyPaid"));
  call.state.orders[id].ended |= 1U << request.part;
  const Address& owner = terms.parts[request.part].owner;
  credit(call, terms, owner, price);
  SP_TRY(call.emit(part_claimed_topic(),
                   {topic(id), topic(owner), topic(terms.choices[0].provider)}, "(uint256,uint256)",
                   {AbiValue::number(request.part), number(price)}));
  return end_lock(call, terms, price, price);
}

Status Contracts::close(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  const api::OrderId id = terms.order_id(domain_);
  const auto held = value_of(call.state.orders, id);
  SP_TRY(require(phase(terms, held, call.time) == Phase::closable, "Market_WrongPhase"));
  SP_TRY(require(bug_ != Bug::market_never_closes, "planted"));
  const bool refunded = held.status == OrderStatus::refunded;
  call.state.orders[id].status = refunded ? OrderStatus::settled : OrderStatus::closed;
  Number locked = 0;
  for (std::size_t i = 0; i < terms.parts.size(); ++i) {
    if (((held.ended >> i) & 1) == 1) continue;
    locked += exposed(terms.parts[i], terms.customer);
    uncount(call, terms.parts[i]);
  }
  credit(call, terms, terms.customer, held.deposit);
  SP_TRY(call.emit(order_closed_topic(), {topic(id), topic(terms.customer)}, "(uint256)",
                   {number(held.deposit)}));
  return end_lock(call, terms, locked, 0);
}

Status Contracts::withdraw(Call& call) const {
  SP_ASSIGN(const Address token, call.address(0));
  SP_ASSIGN(const Address account, call.address(1));
  const Number amount = value_of(call.state.balances, {token, account});
  SP_TRY(call.give("(uint256)", {number(amount)}));
  if (amount == 0) return {};
  call.state.balances[{token, account}] = 0;
  const bool provider = registered(call.state, account);
  const Address receiver = provider ? call.state.providers[account].receiver : account;
  return move(call.state, addresses_.market, receiver, amount);
}

}  // namespace sp::sim
