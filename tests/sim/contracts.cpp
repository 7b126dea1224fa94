#include "sim/contracts.hpp"

#include "crypto/hash.hpp"
#include "sim/contracts_call.hpp"

namespace sp::sim {

using chain::AbiType;
using chain::AbiValue;

Contracts::Contracts(const ContractAddresses& addresses, std::uint64_t chain_id,
                     Number minimum_deposit, Bug bug)
    : addresses_(addresses),
      domain_{chain_id, addresses.market},
      minimum_deposit_(minimum_deposit),
      bug_(bug) {
  const Address& token = addresses.token;
  add(token, "faucet", "uint256", &Contracts::mint);
  add(token, "transfer", "address,uint256", &Contracts::transfer);
  add(token, "approve", "address,uint256", &Contracts::approve);
  add(token, "balanceOf", "address", &Contracts::token_balance);
  add(token, "allowance", "address,address", &Contracts::allowance);
  const Address& registry = addresses.registry;
  add(registry, "register", "address,address", &Contracts::register_provider);
  add(registry, "setAction", "address", &Contracts::set_action);
  add(registry, "proposeReceiver", "address", &Contracts::propose_receiver);
  add(registry, "acceptReceiver", "address", &Contracts::accept_receiver);
  add(registry, "deposit", "address,address,uint128", &Contracts::deposit);
  add(registry, "withdraw", "address,address,uint128", &Contracts::withdraw_deposit);
  add(registry, "providerOf", "address", &Contracts::provider_of);
  add(registry, "isActive", "address,address", &Contracts::is_active_call);
  add(registry, "depositOf", "address,address,address", &Contracts::deposit_of);
  const Address& market = addresses.market;
  const std::string& terms = market::kTermsAbi;
  add(market, "offerPart", market::kPartAbi, &Contracts::offer_part);
  add(market, "offerCompute", market::kComputeAbi, &Contracts::offer_compute);
  add(market, "setEnabled", "bytes32,bool", &Contracts::set_enabled);
  add(market, "create", terms + ",bytes", &Contracts::create);
  add(market, "settle",
      terms + "," + market::kAttestationAbi + ",bytes," + market::kReceiptAbi + ",bytes",
      &Contracts::settle);
  add(market, "acquit", terms + "," + market::kReceiptAbi + "[],bytes[]", &Contracts::acquit);
  add(market, "cancel", terms, &Contracts::cancel);
  add(market, "claim",
      terms + "," + market::kAttestationAbi + ",bytes," + market::kKeyRequestAbi + ",bytes",
      &Contracts::claim);
  add(market, "close", terms, &Contracts::close);
  add(market, "withdraw", "address,address", &Contracts::withdraw);
  add(market, "order", "bytes32", &Contracts::order);
  add(market, "phase", terms, &Contracts::phase_call);
  add(market, "isAcquitted", "bytes32,address", &Contracts::is_acquitted);
  add(market, "offer", "bytes32", &Contracts::offer);
  add(market, "balanceOf", "address,address", &Contracts::balance_of);
  add(market, "registry", "", &Contracts::registry);
}

void Contracts::add(const Address& contract, const std::string& name, const std::string& types,
                    Function function) {
  // Parsing the types and hashing the name is the same for each of a thousand runs.
  static std::map<std::string, std::pair<Bytes, AbiType>> known;
  const std::string arguments = "(" + types + ")";
  auto found = known.find(name + arguments);
  if (found == known.end()) {
    auto type = AbiType::parse(arguments);
    SP_CHECK(type.ok());
    const auto selector = chain::abi_selector(name + arguments);
    found = known.emplace(name + arguments, std::pair(to_bytes(selector.view()), *type)).first;
  }
  table_[{contract, found->second.first}] = {found->second.second, function};
}

CallOutcome Contracts::execute(ContractState& state, const Address& sender, std::int64_t time,
                               const Address& to, ByteView data) const {
  CallOutcome outcome;
  const auto revert = [&](std::string why) {
    outcome = {};
    outcome.reverted = true;
    outcome.why = std::move(why);
    return outcome;
  };
  if (data.size() < 4) return revert("no function");
  const auto found = table_.find({to, to_bytes(data.first(4))});
  if (found == table_.end()) return revert("no such function");
  auto arguments = chain::abi_decode(found->second.arguments, data.subspan(4));
  if (!arguments) return revert(arguments.error().message);
  ContractState changed = state;
  Call call{changed, sender, time, to, std::move(*arguments), outcome};
  if (const Status done = (this->*found->second.function)(call); !done) {
    return revert(done.error().message);
  }
  state = std::move(changed);
  return outcome;
}

// ---- the token ----

Status Contracts::move(ContractState& state, const Address& from, const Address& to,
                       Number amount) {
  SP_TRY(require(state.tokens[from] >= amount, "ERC20InsufficientBalance"));
  state.tokens[from] -= amount;
  state.tokens[to] += amount;
  return {};
}

Status Contracts::pull(ContractState& state, const Address& token, const Address& from,
                       const Address& to, Number amount) const {
  if (amount == 0) return {};
  SP_TRY(require(token == addresses_.token, "no code at the token's address"));
  Number& allowed = state.allowances[{from, to}];
  SP_TRY(require(allowed >= amount, "ERC20InsufficientAllowance"));
  allowed -= amount;
  return move(state, from, to, amount);
}

Status Contracts::mint(Call& call) const {
  SP_ASSIGN(const Number amount, call.amount(0));
  constexpr Number kFaucetMax = Number{1'000'000} * 1'000'000'000'000'000'000U;
  SP_TRY(require(amount <= kFaucetMax, "TestToken_TooMuch"));
  call.state.tokens[call.sender] += amount;
  call.state.minted += amount;
  return {};
}

Status Contracts::transfer(Call& call) const {
  SP_ASSIGN(const Address to, call.address(0));
  SP_ASSIGN(const Number amount, call.amount(1));
  SP_TRY(require(!to.is_zero(), "ERC20InvalidReceiver"));
  return move(call.state, call.sender, to, amount);
}

Status Contracts::approve(Call& call) const {
  SP_ASSIGN(const Address spender, call.address(0));
  SP_ASSIGN(const Number amount, call.amount(1));
  call.state.allowances[{call.sender, spender}] = amount;
  return {};
}

Status Contracts::token_balance(Call& call) const {
  SP_ASSIGN(const Address account, call.address(0));
  return call.give("(uint256)", {number(value_of(call.state.tokens, account))});
}

Status Contracts::allowance(Call& call) const {
  SP_ASSIGN(const Address owner, call.address(0));
  SP_ASSIGN(const Address spender, call.address(1));
  return call.give("(uint256)", {number(value_of(call.state.allowances, {owner, spender}))});
}

// ---- the registry ----

bool Contracts::registered(const ContractState& state, const Address& provider) {
  return !value_of(state.providers, provider).action.is_zero();
}

bool Contracts::is_active(const ContractState& state, const Address& provider) const {
  const auto held =
      value_of(state.deposits, std::tuple(provider, addresses_.market, addresses_.token));
  return registered(state, provider) && held.total >= minimum_deposit_;
}

Status Contracts::register_provider(Call& call) const {
  SP_ASSIGN(const Address action, call.address(0));
  SP_ASSIGN(const Address receiver, call.address(1));
  SP_TRY(require(!registered(call.state, call.sender), "Registry_AlreadyRegistered"));
  SP_TRY(require(!action.is_zero() && !receiver.is_zero(), "Registry_ZeroAccount"));
  call.state.providers[call.sender] = {action, receiver, {}};
  return {};
}

Status Contracts::set_action(Call& call) const {
  SP_ASSIGN(const Address action, call.address(0));
  SP_TRY(require(registered(call.state, call.sender), "Registry_NotRegistered"));
  SP_TRY(require(!action.is_zero(), "Registry_ZeroAccount"));
  Address& held = call.state.providers[call.sender].action;
  call.state.replaced_at[{call.sender, held}] = call.time;
  held = action;
  return {};
}

Status Contracts::propose_receiver(Call& call) const {
  SP_ASSIGN(const Address receiver, call.address(0));
  SP_TRY(require(registered(call.state, call.sender), "Registry_NotRegistered"));
  call.state.providers[call.sender].pending = receiver;
  return {};
}

Status Contracts::accept_receiver(Call& call) const {
  SP_ASSIGN(const Address account, call.address(0));
  const Address pending = value_of(call.state.providers, account).pending;
  SP_TRY(require(call.sender == pending, "Registry_NotPendingReceiver"));
  auto& provider = call.state.providers[account];
  provider.receiver = pending;
  provider.pending = {};
  return {};
}

Status Contracts::deposit(Call& call) const {
  SP_ASSIGN(const Address market, call.address(0));
  SP_ASSIGN(const Address token, call.address(1));
  SP_ASSIGN(const Number amount, call.amount(2));
  SP_TRY(require(registered(call.state, call.sender), "Registry_NotRegistered"));
  call.state.deposits[{call.sender, market, token}].total += amount;
  return pull(call.state, token, call.sender, addresses_.registry, amount);
}

Status Contracts::withdraw_deposit(Call& call) const {
  SP_ASSIGN(const Address market, call.address(0));
  SP_ASSIGN(const Address token, call.address(1));
  SP_ASSIGN(const Number amount, call.amount(2));
  SP_TRY(require(registered(call.state, call.sender), "Registry_NotRegistered"));
  auto& held = call.state.deposits[{call.sender, market, token}];
  SP_TRY(require(held.total - held.locked >= amount, "Registry_FreeDepositShort"));
  held.total -= amount;
  SP_TRY(require(token == addresses_.token, "SafeERC20FailedOperation"));
  return move(call.state, addresses_.registry, call.state.providers[call.sender].receiver, amount);
}

Status Contracts::provider_of(Call& call) const {
  SP_ASSIGN(const Address account, call.address(0));
  const auto held = value_of(call.state.providers, account);
  return call.give("(address,address,address)",
                   {AbiValue::address(held.action), AbiValue::address(held.receiver),
                    AbiValue::address(held.pending)});
}

Status Contracts::is_active_call(Call& call) const {
  SP_ASSIGN(const Address account, call.address(0));
  return call.give("(bool)", {AbiValue::boolean(is_active(call.state, account))});
}

Status Contracts::deposit_of(Call& call) const {
  SP_ASSIGN(const Address provider, call.address(0));
  SP_ASSIGN(const Address market, call.address(1));
  SP_ASSIGN(const Address token, call.address(2));
  const auto held = value_of(call.state.deposits, std::tuple(provider, market, token));
  return call.give("(uint128,uint128)", {number(held.total), number(held.locked)});
}

// ---- the market's views ----

Status Contracts::order(Call& call) const {
  SP_ASSIGN(const Digest32 id, call.arguments[0].as_word());
  const auto held = value_of(call.state.orders, api::OrderId{id.data});
  return call.give(
      "(uint128,uint8,uint40,uint40,uint16,uint24)",
      {number(held.deposit), AbiValue::number(static_cast<std::uint8_t>(held.status)),
       AbiValue::signed_number(held.created_at), AbiValue::signed_number(held.cancelled_at),
       AbiValue::number(0), AbiValue::number(held.ended)});
}

Status Contracts::phase_call(Call& call) const {
  SP_ASSIGN(const api::Terms terms, call.terms());
  const auto held = value_of(call.state.orders, terms.order_id(domain_));
  const auto now = static_cast<std::uint8_t>(phase(terms, held, call.time));
  return call.give("(uint8)", {AbiValue::number(now)});
}

Status Contracts::is_acquitted(Call& call) const {
  SP_ASSIGN(const Digest32 id, call.arguments[0].as_word());
  SP_ASSIGN(const Address session, call.address(1));
  const auto held = value_of(call.state.orders, api::OrderId{id.data});
  return call.give("(bool)", {AbiValue::boolean(held.acquitted.contains(session))});
}

Status Contracts::offer(Call& call) const {
  SP_ASSIGN(const Digest32 id, call.arguments[0].as_word());
  const auto held = value_of(call.state.offers, api::OfferId{id.data});
  return call.give("(address,bool,uint32)",
                   {AbiValue::address(held.provider), AbiValue::boolean(held.enabled),
                    AbiValue::number(held.orders)});
}

Status Contracts::balance_of(Call& call) const {
  SP_ASSIGN(const Address account, call.address(0));
  SP_ASSIGN(const Address token, call.address(1));
  return call.give("(uint256)", {number(value_of(call.state.balances, {token, account}))});
}

Status Contracts::registry(Call& call) const {
  return call.give("(address)", {AbiValue::address(addresses_.registry)});
}

}  // namespace sp::sim
