// Calls of accounts about their tokens, deposits and offers.
#include "sim/contracts/calls.hpp"

#include "base/check.hpp"

namespace sp::sim {
namespace {

using chain::AbiValue;
using Call = chain::TxSender::Call;

Call composed(const Address& to, std::string_view signature, const AbiValues& arguments) {
  auto data = chain::abi_call(signature, arguments);
  SP_CHECK(data.ok());
  return {to, std::move(*data), {}};
}

}  // namespace

RandomCall CallMaker::token_call() {
  switch (dice_.below(4)) {
    case 0:
      return {&anyone(), token_.faucet(dice_.chance(900) ? money(100) : money(4'000'000)),
              "faucet"};
    case 1:
      return {
          &anyone(),
          token_.approve(dice_.chance(500) ? addresses_.market : addresses_.registry, money(1500)),
          "approve"};
    case 2:
      return {&anyone(),
              token_.transfer(dice_.chance(900) ? anyone().address() : Address(), money(3)),
              "transfer"};
    default:
      return {&anyone(), market_.withdraw(some_token(), anyone().address()), "withdraw"};
  }
}

RandomCall CallMaker::account_call() {
  const Address& registry = addresses_.registry;
  const auto someone = [&] { return dice_.chance(900) ? anyone().address() : Address(); };
  switch (dice_.below(4)) {
    case 0:
      return {&anyone(),
              market::MarketClient::register_provider(registry, anyone().address(), someone()),
              "register"};
    case 1: {
      // The next sessions are mostly accepted by the new account.
      const std::size_t chosen = dice_.below(keys_.size());
      const bool own = dice_.chance(700);
      if (own) action_ = chosen;
      return {own ? &provider() : &anyone(),
              composed(registry, "setAction(address)",
                       {AbiValue::address(own ? keys_[chosen].address() : someone())}),
              "set action"};
    }
    case 2:
      receiver_ = dice_.below(keys_.size());
      return {
          &mostly(provider()),
          composed(registry, "proposeReceiver(address)",
                   {AbiValue::address(dice_.chance(900) ? keys_[receiver_].address() : someone())}),
          "propose receiver"};
    default:
      return {&mostly(keys_[receiver_]),
              composed(registry, "acceptReceiver(address)",
                       {AbiValue::address(mostly(provider()).address())}),
              "accept receiver"};
  }
}

RandomCall CallMaker::deposit_call() {
  const crypto::EthKey& from = dice_.chance(800) ? mostly(provider()) : author();
  if (dice_.chance(500)) {
    return {&from, market_.deposit(addresses_.registry, some_token(), money(30)), "deposit"};
  }
  return {&from, market_.withdraw_deposit(addresses_.registry, some_token(), money(20)),
          "withdraw deposit"};
}

RandomCall CallMaker::offer_call() {
  const std::uint64_t kind = dice_.below(6);
  if (kind == 0) {
    computes_.push_back(any_compute());
    if (dice_.chance(400)) spoil(computes_.back());
    offers_.push_back(computes_.back().offer_id());
    return {&mostly(provider()), market_.offer_compute(computes_.back()), "offer compute"};
  }
  if (kind == 1) {
    api::OfferId id = offers_[dice_.below(offers_.size())];
    if (dice_.chance(50)) id.data[0] ^= 1;
    return {&mostly(dice_.chance(500) ? author() : provider()),
            market_.set_enabled(id, dice_.chance(750)), "enable"};
  }
  const bool again = !parts_.empty() && dice_.chance(40);
  if (!again) {
    parts_.push_back(any_part(static_cast<api::PartKind>(dice_.between(2, 4))));
    if (dice_.chance(200)) spoil(parts_.back());
    offers_.push_back(parts_.back().offer_id());
  }
  const api::Part& part = parts_.back();
  const auto& owner = part.owner == provider().address() ? provider() : author();
  return {&mostly(owner), market_.offer_part(part), "offer part"};
}

}  // namespace sp::sim
