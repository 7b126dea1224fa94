#include "sim/contracts/calls.hpp"

namespace sp::sim {
namespace {

using Call = chain::TxSender::Call;

constexpr std::uint32_t kTooLong = 7 * 24 * 3600 + 1;  // of a window after an order's end

Address strange_address() {
  Address address;
  address.data.fill(0x5e);
  return address;
}

}  // namespace

CallMaker::CallMaker(std::uint64_t seed, const ContractAddresses& addresses,
                     const market::MarketClient& market, const market::TokenClient& token)
    : dice_(seed), addresses_(addresses), market_(market), token_(token) {
  for (std::size_t i = 0; i < kAccounts; ++i) keys_.push_back(crypto::EthKey::generate(dice_));
}

const crypto::EthKey& CallMaker::mostly(const crypto::EthKey& key) {
  return dice_.chance(930) ? key : anyone();
}

Address CallMaker::some_token() { return dice_.chance(960) ? addresses_.token : strange_address(); }

std::vector<RandomCall> CallMaker::opening() {
  std::vector<RandomCall> calls;
  const auto add = [&](const crypto::EthKey& from, Call call, const char* what) {
    calls.push_back({&from, std::move(call), what});
  };
  for (const crypto::EthKey* key : {&provider(), &author(), &customer()}) {
    add(*key, token_.faucet(Amount(1000 * kWhole)), "faucet");
    add(*key, token_.approve(addresses_.market, Amount(500 * kWhole)), "approve");
    add(*key, token_.approve(addresses_.registry, Amount(500 * kWhole)), "approve");
  }
  for (const crypto::EthKey* key : {&provider(), &author()}) {
    const Address acting = key == &provider() ? action().address() : key->address();
    add(*key, market::MarketClient::register_provider(addresses_.registry, acting, key->address()),
        "register");
    add(*key, market_.deposit(addresses_.registry, addresses_.token, Amount(60 * kWhole)),
        "deposit");
  }
  for (int i = 0; i < 2; ++i) {
    computes_.push_back(any_compute());
    add(provider(), market_.offer_compute(computes_.back()), "offer compute");
    for (const auto kind : {api::PartKind::solution, api::PartKind::data, api::PartKind::storage}) {
      parts_.push_back(any_part(kind));
      const auto& owner = kind == api::PartKind::storage ? provider() : author();
      add(owner, market_.offer_part(parts_.back()), "offer part");
    }
  }
  for (const api::Compute& compute : computes_) offers_.push_back(compute.offer_id());
  for (const api::Part& part : parts_) offers_.push_back(part.offer_id());
  return calls;
}

RandomCall CallMaker::next(std::int64_t now, const ContractState& state) {
  const std::uint64_t what = dice_.below(20);
  if (what < 4 || orders_.empty()) return create_call(state);
  if (what < 14) return order_call(now, state);
  if (what < 15) return token_call();
  if (what < 17) return account_call();
  if (what < 18) return deposit_call();
  return offer_call();
}

std::int64_t CallMaker::next_time(std::int64_t now, const ContractState& state) {
  const auto soon = now + static_cast<std::int64_t>(dice_.between(1, 12));
  if (orders_.empty() || dice_.chance(750)) return soon;
  const std::size_t index =
      orders_.size() - 1 - dice_.below(std::min<std::size_t>(orders_.size(), 3));
  const api::Terms& terms = orders_[index];
  const auto held = state.orders.find(order_ids_[index]);
  if (held == state.orders.end()) return soon;
  const std::int64_t end = held->second.cancelled_at != 0
                               ? held->second.cancelled_at
                               : held->second.created_at + terms.settle_by;
  const std::int64_t edges[] = {held->second.created_at + terms.work_by, end,
                                end + terms.settle_window,
                                end + terms.settle_window + terms.claim_window};
  const std::int64_t edge = edges[dice_.below(std::size(edges))];
  return std::max(now + 1, edge + static_cast<std::int64_t>(dice_.below(2)));
}

// ---- what there is to sell ----

api::Compute CallMaker::any_compute() {
  api::Compute compute;
  compute.kind = attest::EvidenceKind::dev;
  compute.min_seconds = static_cast<std::uint32_t>(dice_.between(1, 20));
  compute.max_seconds = 3600;
  compute.min_work_by = static_cast<std::uint32_t>(dice_.below(60));
  compute.min_settle_window = static_cast<std::uint32_t>(dice_.below(25));
  compute.cpu_milli = compute.memory_mib = compute.disk_mib = compute.pids = 1000;
  compute.price_per_hour = money(20);
  compute.base_fee = money(2);
  compute.max_exposure = money(40);
  compute.provider = provider().address();
  compute.token = addresses_.token;
  compute.attestors = {attestor().address()};
  compute.chip.data.fill(0x77);
  dice_.fill(compute.info.data);
  return compute;
}

void CallMaker::spoil(api::Compute& compute) {
  switch (dice_.below(7)) {
    case 0:
      compute.kind = attest::EvidenceKind::sgx;
      return;
    case 1:
      compute.chip = {};
      return;
    case 2:
      compute.token = {};
      return;
    case 3:
      if (dice_.chance(500)) compute.min_seconds = 0;
      compute.max_seconds = static_cast<std::uint32_t>(dice_.below(15));
      return;
    case 4:
      compute.attestors.assign(dice_.chance(500) ? 0 : api::kAttestorsMax + 1,
                               attestor().address());
      return;
    case 5:
      compute.min_claim_window = kTooLong;
      return;
    default:
      compute.provider = anyone().address();
  }
}

api::Part CallMaker::any_part(api::PartKind kind) {
  api::Part part;
  part.kind = kind;
  const bool owned = kind != api::PartKind::arguments;
  part.owner = !owned                           ? customer().address()
               : kind == api::PartKind::storage ? provider().address()
                                                : author().address();
  part.price_type = dice_.chance(600) ? api::PriceType::fixed : api::PriceType::per_hour;
  if (owned) part.price = money(6);
  part.max_orders = owned && dice_.chance(100) ? 3 : 0;
  part.token = addresses_.token;
  part.store.data.fill(0x55);
  if (kind != api::PartKind::storage) {
    part.brokers = {attestor().address()};
    dice_.fill(part.digest.data);
  } else {
    dice_.fill(part.info.data);
  }
  return part;
}

void CallMaker::spoil(api::Part& part) {
  switch (dice_.below(5)) {
    case 0:
      part.kind = static_cast<api::PartKind>(dice_.between(1, 4));
      return;
    case 1:
      part.token = dice_.chance(500) ? Address() : strange_address();
      return;
    case 2:
      part.brokers.push_back(attestor().address());
      return;
    case 3:
      part.digest = {};
      return;
    default:
      part.owner = anyone().address();
  }
}

// ---- orders ----

// Of what was offered and is sold, mostly.
template <class Offer>
std::vector<Offer> CallMaker::some_of(const std::vector<Offer>& offers,
                                      const ContractState& state) {
  std::vector<Offer> sold;
  for (const Offer& offer : offers) {
    const auto held = state.offers.find(offer.offer_id());
    if (held != state.offers.end() && held->second.enabled) sold.push_back(offer);
  }
  return sold.empty() || dice_.chance(50) ? offers : sold;
}

api::Terms CallMaker::any_terms(const ContractState& state) {
  api::Terms terms;
  terms.ordered_seconds = static_cast<std::uint32_t>(dice_.between(15, 200));
  terms.work_by = static_cast<std::uint32_t>(dice_.between(50, 300));
  terms.settle_by = terms.work_by + terms.ordered_seconds;
  terms.settle_window = static_cast<std::uint32_t>(dice_.between(20, 150));
  terms.claim_window = static_cast<std::uint32_t>(dice_.between(0, 300));
  terms.cpu_milli = terms.memory_mib = terms.disk_mib = terms.pids = 100;
  terms.customer = customer().address();
  terms.token = addresses_.token;
  terms.attestor = attestor().address();
  terms.result_key.data.fill(9);
  dice_.fill(terms.salt.data);
  const auto computes = some_of(computes_, state);
  terms.choices = {computes[dice_.below(computes.size())]};
  terms.parts.push_back(any_part(api::PartKind::arguments));
  for (const auto kind : {api::PartKind::solution, api::PartKind::data, api::PartKind::storage}) {
    std::vector<api::Part> offered;
    for (const api::Part& part : some_of(parts_, state)) {
      if (part.kind == kind) offered.push_back(part);
    }
    const bool own = kind != api::PartKind::storage && dice_.chance(60);
    terms.parts.push_back(offered.empty() || own ? any_part(kind)
                                                 : offered[dice_.below(offered.size())]);
    if (own) {
      terms.parts.back().owner = customer().address();
      terms.parts.back().price = Amount(0);
      terms.parts.back().max_orders = 0;
    }
  }
  if (dice_.chance(250)) spoil(terms);
  return terms;
}

void CallMaker::spoil(api::Terms& terms) {
  switch (dice_.below(14)) {
    case 0:
      terms.mode = 1;
      return;
    case 1:
      terms.replicas = 2;
      return;
    case 2:
      terms.egress = {"example.org:443"};
      return;
    case 3:
      terms.options.resize(1);
      return;
    case 4:
      terms.extensions.data.fill(1);
      return;
    case 5:
      terms.result_key = {};
      return;
    case 6:
      terms.attestor = author().address();
      return;
    case 7:
      terms.ordered_seconds = dice_.chance(500) ? 1 : 4000;
      return;
    case 8:
      terms.settle_by -= 1;
      return;
    case 9:
      terms.work_by = terms.settle_window = 1;
      return;
    case 10:
      terms.disk_mib = dice_.chance(500) ? 0 : 1001;
      return;
    case 11:
      terms.token = strange_address();
      for (api::Part& part : terms.parts) part.token = terms.token;
      return;
    case 12:
      (dice_.chance(500) ? terms.claim_window : terms.settle_window) = kTooLong;
      return;
    default:
      spoil_shape(terms);
  }
}

void CallMaker::spoil_shape(api::Terms& terms) {
  switch (dice_.below(5)) {
    case 0:
      terms.choices.assign(dice_.chance(500) ? 0 : api::kChoicesMax + 1, terms.choices[0]);
      return;
    case 1:
      terms.parts.resize(2);
      return;
    case 2:
      std::swap(terms.parts[1], terms.parts[2]);
      return;
    case 3:
      terms.choices.push_back(any_compute());
      terms.choices.back().attestors.clear();
      return;
    default:
      spoil(terms.parts[dice_.below(terms.parts.size())]);
  }
}

RandomCall CallMaker::create_call(const ContractState& state) {
  const api::Terms terms = any_terms(state);
  const bool again = !orders_.empty() && dice_.chance(40);
  orders_.push_back(again ? orders_.back() : terms);
  order_ids_.push_back(orders_.back().order_id(market_.domain()));
  return {&mostly(customer()), market_.create(orders_.back(), {}), "create"};
}

CallMaker::Session CallMaker::make_session(const api::Terms& terms, std::int64_t now) {
  Session session{crypto::EthKey::generate(dice_), {}};
  api::Attestation word;
  const api::Compute compute = terms.choices.empty() ? api::Compute() : terms.choices[0];
  word.kind = dice_.chance(980) ? compute.kind : attest::EvidenceKind::tdx;
  word.vendor = attest::Vendor::dev;
  word.tcb_status = attest::TcbStatus::up_to_date;
  word.chip = compute.chip;
  if (dice_.chance(20)) word.chip.data[0] ^= 1;
  word.run = {terms.order_id(market_.domain()), 0, 0};
  if (dice_.chance(20)) word.run.attempt = 1;
  if (dice_.chance(20)) word.run.order.data[0] ^= 1;
  word.session = session.key.address();
  word.time = now;
  if (dice_.chance(100)) word.time -= static_cast<std::int64_t>(dice_.below(200));
  if (dice_.chance(30)) word.time += 1000;
  const api::Acceptance acceptance{word.run, word.session};
  word.acceptance = mostly(action()).sign(acceptance.digest(market_.domain()));
  if (dice_.chance(20)) word.acceptance.data[64] = 29;
  session.attestation =
      api::Signed<api::Attestation>::make(word, market_.domain(), mostly(attestor()));
  return session;
}

CallMaker::Session& CallMaker::session_of(std::size_t order) {
  auto& sessions = sessions_.at(order);
  return sessions[dice_.below(sessions.size())];
}

RandomCall CallMaker::settle_call(const api::Terms& terms, const Session& session) {
  api::Receipt receipt;
  receipt.run = {terms.order_id(market_.domain()), 0, 0};
  if (dice_.chance(20)) receipt.run.replica = 1;
  receipt.outcome = static_cast<api::Outcome>(dice_.below(5));
  receipt.started = receipt.outcome != api::Outcome::input;
  if (dice_.chance(100)) receipt.started = !receipt.started;
  receipt.opened = dice_.chance(700) ? 15U : static_cast<std::uint32_t>(dice_.below(18));
  receipt.fault_part = static_cast<std::uint8_t>(dice_.below(5));
  receipt.exit_code = static_cast<std::int32_t>(dice_.below(3)) - 1;
  receipt.duration_ms = dice_.below(300'000);
  if (dice_.chance(900)) receipt.result.data.fill(3);
  receipt.commitment.data.fill(4);
  const auto signed_receipt = api::Signed<api::Receipt>::make(
      receipt, market_.domain(), dice_.chance(950) ? session.key : author());
  return {&anyone(), market_.settle(terms, session.attestation, signed_receipt), "settle"};
}

RandomCall CallMaker::acquit_call(const api::Terms& terms, const Session& session) {
  api::Receipt receipt;
  receipt.run = {terms.order_id(market_.domain()), 0, 0};
  if (dice_.chance(30)) receipt.run.attempt = 1;
  receipt.outcome = api::Outcome::provider;
  receipt.started = dice_.chance(100);
  std::vector<api::Signed<api::Receipt>> made;
  for (std::size_t i = dice_.between(1, 2); i != 0; --i) {
    made.push_back(api::Signed<api::Receipt>::make(receipt, market_.domain(),
                                                   i == 1 ? session.key : author()));
  }
  return {&anyone(), market_.acquit(terms, made), "acquit"};
}

RandomCall CallMaker::claim_call(const api::Terms& terms, const Session& session) {
  api::KeyRequest request{
      {terms.order_id(market_.domain()), 0, 0},
      static_cast<std::uint8_t>(dice_.chance(700) ? dice_.between(1, 2) : dice_.below(5)),
      session.attestation.statement.digest(market_.domain())};
  if (dice_.chance(30)) request.attestation.data[0] ^= 1;
  if (dice_.chance(30)) request.run.attempt = 1;
  const auto made = api::Signed<api::KeyRequest>::make(request, market_.domain(),
                                                       dice_.chance(950) ? session.key : author());
  return {&anyone(), market_.claim(terms, session.attestation, made), "claim"};
}

// A call about one of the newest orders, mostly one that its phase allows.
RandomCall CallMaker::order_call(std::int64_t now, const ContractState& state) {
  const auto is_open = [&](std::size_t index) {
    const auto held = state.orders.find(order_ids_[index]);
    return held != state.orders.end() && (held->second.status == market::OrderStatus::open ||
                                          held->second.status == market::OrderStatus::refunded);
  };
  const auto phase_of = [&](std::size_t index) {
    return Contracts::phase(orders_[index], state.orders.at(order_ids_[index]), now);
  };
  // Few calls fall into a claim window by themselves, so that an order in one comes first.
  std::vector<std::size_t> open_ones;
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    if (!is_open(i)) continue;
    open_ones.push_back(i);
    if (sessions_[i].empty()) sessions_[i].push_back(make_session(orders_[i], now));
    if (phase_of(i) == market::Phase::claiming) open_ones.insert(open_ones.end(), 8, i);
  }
  if (open_ones.empty() && dice_.chance(850)) return create_call(state);
  const bool any = open_ones.empty() || dice_.chance(80);
  const std::size_t index =
      any ? dice_.below(orders_.size()) : open_ones[dice_.below(open_ones.size())];
  const bool open = is_open(index);
  auto& sessions = sessions_[index];
  if (sessions.empty() || dice_.chance(150)) sessions.push_back(make_session(orders_[index], now));
  if (!open || dice_.chance(100)) {
    return phase_call(static_cast<market::Phase>(dice_.between(1, 4)), index);
  }
  const market::Phase phase = phase_of(index);
  const bool waits = phase == market::Phase::working || phase == market::Phase::settling;
  if (waits && dice_.chance(400)) return deposit_call();
  return phase_call(phase, index);
}

RandomCall CallMaker::phase_call(market::Phase phase, std::size_t order) {
  const api::Terms& terms = orders_[order];
  const Session& session = session_of(order);
  if (dice_.chance(60)) return acquit_call(terms, session);
  if (phase == market::Phase::claiming) return claim_call(terms, session);
  if (phase == market::Phase::closable) return {&anyone(), market_.close(terms), "close"};
  if (phase == market::Phase::working && dice_.chance(350)) {
    return {&mostly(customer()), market_.cancel(terms), "cancel"};
  }
  return settle_call(terms, session);
}

}  // namespace sp::sim
