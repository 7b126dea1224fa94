// The market and registry contracts, typed: reads, the calls that transactions carry, and events.
//
// A client is made of one Chain and is as safe for threads as that is, once registry() has
// answered: the client keeps that answer without a lock.
#pragma once

#include <optional>
#include <vector>

#include "chain/transaction.hpp"
#include "market/values.hpp"

namespace sp::market {

enum class OrderStatus : std::uint8_t {
  none = 0,
  open = 1,
  settled = 2,
  closed = 3,
  refunded = 4  ///< settled, and owners who are unpaid may claim; `settled` once it is closed
};
std::string_view order_status_name(OrderStatus status);
/// Whether a receipt has ended the order for its customer and its provider's work.
constexpr bool is_settled(OrderStatus status) {
  return status == OrderStatus::settled || status == OrderStatus::refunded;
}

/// What may happen to an order next (IMarket.phase).
enum class Phase : std::uint8_t {
  none,
  working,
  settling,
  claiming,
  closable,
  settled,
  closed,
  acquitting
};
std::string_view phase_name(Phase phase);

struct OrderRecord {
  Amount deposit;
  OrderStatus status = OrderStatus::none;
  std::int64_t created_at = 0;
  std::int64_t cancelled_at = 0;  ///< 0 = not cancelled
  std::uint16_t attempt = 0;
  std::uint32_t ended = 0;  ///< bit i: part i is paid, or can't be claimed any more
};

struct OfferRecord {
  Address provider;  ///< zero = no such offer
  bool enabled = false;
  std::uint32_t orders = 0;
};

struct ProviderRecord {
  Address action;  ///< zero = not registered
  Address receiver;
};

struct CreatedEvent {
  OrderId order;
  Terms terms;
  Hints hints;  ///< empty where they can't be read
  std::uint64_t block = 0;
  chain::TxHash tx;
};

struct SettledEvent {
  OrderId order;
  Address customer;
  Address provider;
  Address session;
  Amount compute_paid;
  std::vector<Amount> parts_paid;
  Amount refunded;
  api::Outcome outcome = api::Outcome::provider;
  std::int32_t exit_code = -1;
  Digest32 result;      ///< package id; zero = none
  Digest32 commitment;  ///< zero = none
  std::uint64_t block = 0;
  chain::TxHash tx;
};

class MarketClient {
 public:
  MarketClient(chain::Chain& chain, Eip712Domain domain) : chain_(chain), domain_(domain) {}

  [[nodiscard]] const Eip712Domain& domain() const { return domain_; }
  chain::Chain& chain() { return chain_; }

  Result<OrderRecord> order(const OrderId& id, chain::BlockTag tag = {});
  Result<Phase> phase(const Terms& terms);
  /// Whether the market knows that the session began nothing, so that nobody can claim by it.
  Result<bool> is_acquitted(const OrderId& id, const Address& session);
  Result<OfferRecord> offer(const OfferId& id, chain::BlockTag tag = {});
  Result<Amount> balance(const Address& account, const Address& token);
  Result<Address> registry();
  Result<ProviderRecord> provider(const Address& authority, chain::BlockTag tag = {});
  /// Whether the provider can be ordered: registered, and its security deposit is whole.
  Result<bool> is_active(const Address& authority, chain::BlockTag tag = {});
  /// Total and locked deposit of a provider in a token.
  Result<std::pair<Amount, Amount>> deposit_of(const Address& authority, const Address& token);

  /// An order, providers and offers in one round trip (up to kRpcBatchMax of them), each as its own
  /// call gives it. The first error where one has none.
  struct OrderReads {
    OrderRecord order;
    std::vector<ProviderRecord> providers;
    std::vector<OfferRecord> offers;
  };
  Result<OrderReads> read_order(const OrderId& id, const std::vector<Address>& authorities,
                                const std::vector<OfferId>& offers, chain::BlockTag tag = {});
  /// The same without providers, each with an error of its own.
  struct OrderAnswers {
    Result<OrderRecord> order;
    std::vector<Result<OfferRecord>> offers;  ///< one for each that was asked for
  };
  OrderAnswers ask_order(const OrderId& id, const std::vector<OfferId>& offers,
                         chain::BlockTag tag = {});

  /// The order's OrderCreated event in blocks from..to, its terms checked against the id.
  /// Errc::not_found; Errc::mismatch.
  Result<CreatedEvent> find_created(const OrderId& id, std::uint64_t from, std::uint64_t to);
  /// The order's OrderSettled event. Errc::not_found.
  Result<SettledEvent> find_settled(const OrderId& id, std::uint64_t from, std::uint64_t to);

  /// Decoders of logs; Errc::mismatch for logs of other events or contracts, and terms that don't
  /// hash to the id.
  Result<CreatedEvent> decode_created(const chain::Log& log) const;
  Result<SettledEvent> decode_settled(const chain::Log& log) const;

  // Calls for TxSender. They can't fail: our own values fit their types.
  [[nodiscard]] chain::TxSender::Call create(const Terms& terms, const Hints& hints) const;
  struct Permit {
    Amount value;
    std::uint64_t deadline = 0;
    crypto::EthSignature signature;
  };
  [[nodiscard]] chain::TxSender::Call create_with_permit(const Terms& terms, const Hints& hints,
                                                         const Permit& permit) const;
  [[nodiscard]] chain::TxSender::Call settle(const Terms& terms,
                                             const Signed<Attestation>& attestation,
                                             const Signed<Receipt>& receipt) const;
  [[nodiscard]] chain::TxSender::Call acquit(const Terms& terms,
                                             const std::vector<Signed<Receipt>>& receipts) const;
  [[nodiscard]] chain::TxSender::Call cancel(const Terms& terms) const;
  [[nodiscard]] chain::TxSender::Call claim(const Terms& terms,
                                            const Signed<Attestation>& attestation,
                                            const Signed<KeyRequest>& request) const;
  [[nodiscard]] chain::TxSender::Call close(const Terms& terms) const;
  [[nodiscard]] chain::TxSender::Call withdraw(const Address& token, const Address& account) const;
  [[nodiscard]] chain::TxSender::Call offer_part(const Part& part) const;
  [[nodiscard]] chain::TxSender::Call offer_compute(const Compute& compute) const;
  [[nodiscard]] chain::TxSender::Call set_enabled(const OfferId& id, bool enabled) const;

  // The registry's calls; `registry` from registry().
  [[nodiscard]] static chain::TxSender::Call register_provider(const Address& registry,
                                                               const Address& action,
                                                               const Address& receiver);
  /// Deposits count for one market: depositing for it is what allows it to lock them.
  [[nodiscard]] chain::TxSender::Call deposit(const Address& registry, const Address& token,
                                              Amount amount) const;
  [[nodiscard]] chain::TxSender::Call withdraw_deposit(const Address& registry,
                                                       const Address& token, Amount amount) const;

 private:
  Result<std::vector<chain::AbiValue>> read(const Address& contract, std::string_view signature,
                                            const std::vector<chain::AbiValue>& arguments,
                                            std::string_view result_type, chain::BlockTag tag);
  [[nodiscard]] chain::TxSender::Call to_market(
      std::string_view signature, const std::vector<chain::AbiValue>& arguments) const;

  chain::Chain& chain_;
  Eip712Domain domain_;
  std::optional<Address> registry_;
};

/// Topics of the events, for followers.
Digest32 order_created_topic();
Digest32 order_settled_topic();
Digest32 order_cancelled_topic();
Digest32 part_offered_topic();
Digest32 compute_offered_topic();
Result<std::pair<OfferId, Part>> decode_part_offered(const chain::Log& log);
Result<std::pair<OfferId, Compute>> decode_compute_offered(const chain::Log& log);

/// An ERC-20 token with ERC-2612 permits, typed.
class TokenClient {
 public:
  TokenClient(chain::Chain& chain, const Address& token) : chain_(chain), token_(token) {}
  Result<Amount> balance(const Address& account);
  Result<Amount> allowance(const Address& owner, const Address& spender);
  Result<std::string> symbol();
  Result<unsigned> decimals();
  /// The signature of a permit for `value` until `deadline`, by the owner's key. Errc::unsupported
  /// for a token without permits.
  Result<crypto::EthSignature> sign_permit(const crypto::EthKey& owner, const Address& spender,
                                           Amount value, std::uint64_t deadline,
                                           std::uint64_t chain_id);
  [[nodiscard]] chain::TxSender::Call transfer(const Address& to, Amount amount) const;
  [[nodiscard]] chain::TxSender::Call approve(const Address& spender, Amount amount) const;
  [[nodiscard]] chain::TxSender::Call faucet(Amount amount) const;

 private:
  chain::Chain& chain_;
  Address token_;
};

}  // namespace sp::market
