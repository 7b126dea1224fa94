// Random calls of the contracts, by a few accounts who mostly know what they do and now and then
// don't. All of it comes from a seed. Belongs to one thread.
#pragma once

#include "crypto/secp256k1.hpp"
#include "sim/contracts.hpp"
#include "sim/dice.hpp"

namespace sp::sim {

inline constexpr Number kWhole = 1'000'000'000'000'000'000U;  ///< of the token

/// A transaction to be, and what it is, for people.
struct RandomCall {
  const crypto::EthKey* from;
  chain::TxSender::Call call;
  std::string what;
};

class CallMaker {
 public:
  static constexpr std::size_t kAccounts = 6;

  CallMaker(std::uint64_t seed, const ContractAddresses& addresses,
            const market::MarketClient& market, const market::TokenClient& token);

  /// Calls that give the accounts money, deposits and something to sell.
  std::vector<RandomCall> opening();
  /// One more call, where the newest block has the time `now` and left `state`.
  RandomCall next(std::int64_t now, const ContractState& state);
  /// When the next call happens: later than `now`, often at the edge of an order's window.
  std::int64_t next_time(std::int64_t now, const ContractState& state);

  [[nodiscard]] const std::vector<crypto::EthKey>& accounts() const { return keys_; }
  /// What was ever offered or ordered, whether the market took it or not.
  [[nodiscard]] const std::vector<api::OfferId>& offers() const { return offers_; }
  [[nodiscard]] const std::vector<api::OrderId>& orders() const { return order_ids_; }

 private:
  /// What a session was attested for.
  struct Session {
    crypto::EthKey key;
    api::Signed<api::Attestation> attestation;
  };

  [[nodiscard]] const crypto::EthKey& provider() const { return keys_[0]; }
  [[nodiscard]] const crypto::EthKey& action() const { return keys_[action_]; }
  [[nodiscard]] const crypto::EthKey& author() const { return keys_[2]; }
  [[nodiscard]] const crypto::EthKey& customer() const { return keys_[3]; }
  [[nodiscard]] const crypto::EthKey& attestor() const { return keys_[5]; }
  const crypto::EthKey& anyone() { return keys_[dice_.below(keys_.size())]; }
  /// The one who should, or now and then somebody else.
  const crypto::EthKey& mostly(const crypto::EthKey& key);
  Amount money(std::uint64_t halves_max) {
    return Amount(dice_.below(halves_max + 1) * kWhole / 2);
  }
  /// The token, or now and then an address without code.
  Address some_token();

  template <class Offer>
  std::vector<Offer> some_of(const std::vector<Offer>& offers, const ContractState& state);
  api::Compute any_compute();
  api::Part any_part(api::PartKind kind);
  api::Terms any_terms(const ContractState& state);
  void spoil(api::Compute& compute);
  void spoil(api::Part& part);
  void spoil(api::Terms& terms);
  void spoil_shape(api::Terms& terms);

  RandomCall token_call();
  RandomCall account_call();
  RandomCall deposit_call();
  RandomCall offer_call();
  RandomCall create_call(const ContractState& state);
  RandomCall order_call(std::int64_t now, const ContractState& state);
  RandomCall phase_call(market::Phase phase, std::size_t order);
  RandomCall settle_call(const api::Terms& terms, const Session& session);
  RandomCall acquit_call(const api::Terms& terms, const Session& session);
  RandomCall claim_call(const api::Terms& terms, const Session& session);
  Session make_session(const api::Terms& terms, std::int64_t now);
  Session& session_of(std::size_t order);

  Dice dice_;
  ContractAddresses addresses_;
  const market::MarketClient& market_;
  const market::TokenClient& token_;
  std::vector<crypto::EthKey> keys_;
  std::size_t action_ = 1;    ///< whose key accepts sessions now
  std::size_t receiver_ = 0;  ///< who was proposed as the receiver last
  std::vector<api::Compute> computes_;
  std::vector<api::Part> parts_;
  std::vector<api::OfferId> offers_;
  std::vector<api::Terms> orders_;
  std::vector<api::OrderId> order_ids_;
  std::map<std::size_t, std::vector<Session>> sessions_;
};

}  // namespace sp::sim
