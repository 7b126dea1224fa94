// Market.sol, Registry.sol and TestToken.sol as a state machine in memory: what a call changes,
// logs and gives back, or that it reverts. contracts/src is the specification, and
// contracts/contracts_test.cpp holds this against the compiled contracts.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "market/client.hpp"
#include "sim/bugs.hpp"

namespace sp::sim {

using Number = Amount::Number;
using AbiValues = std::vector<chain::AbiValue>;

struct ContractAddresses {
  Address token, registry, market;
};

/// All storage of the three contracts; a value.
struct ContractState {
  struct Provider {
    Address action, receiver, pending;
  };
  struct Deposit {
    Number total = 0, locked = 0;
  };
  struct Offer {
    Address provider;
    bool enabled = false;
    std::uint32_t orders = 0;
  };
  struct Order {
    Number deposit = 0;
    market::OrderStatus status = market::OrderStatus::none;
    std::int64_t created_at = 0;
    std::int64_t cancelled_at = 0;
    std::uint32_t ended = 0;
    std::int64_t refunded_at = 0;
    std::set<Address> acquitted;
  };
  Number minted = 0;
  std::map<Address, Number> tokens;
  std::map<std::pair<Address, Address>, Number> allowances;  // owner, spender
  std::map<Address, Provider> providers;
  std::map<std::pair<Address, Address>, std::int64_t> replaced_at;    // provider, account
  std::map<std::tuple<Address, Address, Address>, Deposit> deposits;  // provider, market, token
  std::map<api::OfferId, Offer> offers;
  std::map<api::OrderId, Order> orders;
  std::map<std::pair<Address, Address>, Number> balances;  // token, account
};

struct Emitted {
  Address address;
  std::vector<Digest32> topics;
  Bytes data;
};

/// What a call did. Where it reverted, the state is as before and `why` says by which rule.
struct CallOutcome {
  bool reverted = false;
  std::string why;
  Bytes output;
  std::vector<Emitted> logs;
};

class Contracts {
 public:
  Contracts(const ContractAddresses& addresses, std::uint64_t chain_id, Number minimum_deposit,
            Bug bug);

  CallOutcome execute(ContractState& state, const Address& sender, std::int64_t time,
                      const Address& to, ByteView data) const;
  /// The phase of an order (IMarket.phase).
  static market::Phase phase(const api::Terms& terms, const ContractState::Order& order,
                             std::int64_t time);
  [[nodiscard]] const ContractAddresses& addresses() const { return addresses_; }
  [[nodiscard]] const api::Eip712Domain& domain() const { return domain_; }

 private:
  struct Call;
  using Function = Status (Contracts::*)(Call&) const;
  struct Entry {
    chain::AbiType arguments;
    Function function;
  };
  using Selector = FixedBytes<struct SelectorTag, 4>;
  using Table = std::map<std::pair<Address, Bytes>, Entry>;

  void add(const Address& contract, const std::string& name, const std::string& types,
           Function function);

  // The token.
  Status mint(Call& call) const;
  Status transfer(Call& call) const;
  Status approve(Call& call) const;
  Status token_balance(Call& call) const;
  Status allowance(Call& call) const;
  // The registry.
  Status register_provider(Call& call) const;
  Status set_action(Call& call) const;
  Status propose_receiver(Call& call) const;
  Status accept_receiver(Call& call) const;
  Status deposit(Call& call) const;
  Status withdraw_deposit(Call& call) const;
  Status provider_of(Call& call) const;
  Status is_active_call(Call& call) const;
  Status deposit_of(Call& call) const;
  // The market.
  Status offer_part(Call& call) const;
  Status offer_compute(Call& call) const;
  Status set_enabled(Call& call) const;
  Status create(Call& call) const;
  Status settle(Call& call) const;
  Status acquit(Call& call) const;
  Status cancel(Call& call) const;
  Status claim(Call& call) const;
  Status close(Call& call) const;
  Status withdraw(Call& call) const;
  Status order(Call& call) const;
  Status phase_call(Call& call) const;
  Status is_acquitted(Call& call) const;
  Status offer(Call& call) const;
  Status balance_of(Call& call) const;
  Status registry(Call& call) const;

  static Status move(ContractState& state, const Address& from, const Address& to, Number amount);
  Status pull(ContractState& state, const Address& token, const Address& from, const Address& to,
              Number amount) const;
  static bool registered(const ContractState& state, const Address& provider);
  [[nodiscard]] bool is_active(const ContractState& state, const Address& provider) const;
  Status add_offer(Call& call, const api::OfferId& id, const Address& provider) const;
  static Status require_provider(const Call& call, const Address& provider);
  Status require_orderable(const Call& call, const api::OfferId& id) const;
  Status take_part(Call& call, const api::Part& part, const Address& customer) const;
  static void uncount(Call& call, const api::Part& part);
  Status lock(Call& call, const api::Terms& terms) const;
  Status end_lock(Call& call, const api::Terms& terms, Number locked, Number paid) const;
  Status check_attestation(const Call& call, const api::OrderId& id,
                           const ContractState::Order& held, const api::Terms& terms,
                           const api::Attestation& attestation, const Bytes& signature) const;
  static Status check_receipt(const api::Receipt& receipt, std::size_t parts);
  Status pay(Call& call, const api::OrderId& id, const api::Terms& terms,
             const api::Attestation& attestation, const api::Receipt& receipt,
             Number billable) const;
  static Status emit_settled(Call& call, const api::OrderId& id, const api::Terms& terms);
  static Status add_acquitted(Call& call, const api::OrderId& id, const Address& session);
  void credit(Call& call, const api::Terms& terms, const Address& account, Number amount) const;

  ContractAddresses addresses_;
  api::Eip712Domain domain_;
  Number minimum_deposit_;
  Bug bug_;
  Table table_;
};

/// Topics of the market's events that its client doesn't read.
Digest32 order_closed_topic();
Digest32 part_claimed_topic();
Digest32 session_acquitted_topic();

}  // namespace sp::sim
