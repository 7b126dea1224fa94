// The books of the town: every token, wherever it lies, and what the market's rules say must move.
//
// The rules are those of contracts/src/libraries/Prices.sol, computed here on their own, without
// the product's pricing. Functions and values; they belong to the town's thread.
#pragma once

#include <map>

#include "api/statements.hpp"
#include "town.hpp"

namespace sp::hostile {

__extension__ using Money = __int128;

/// Named accounts: people, market and registry.
using People = std::map<std::string, Address>;

/// Where each token is: "token:NAME" in a wallet, "credit:NAME" in the market's books,
/// "deposit:NAME" and "locked:NAME" in the registry's.
using Books = std::map<std::string, Money>;

/// What changed, by name of the account: "+12", "-3"; what is the same isn't there.
using Changes = std::map<std::string, std::string>;

Books read_books(Town& town, const People& people);
Changes changes(const Books& before, const Books& after);

/// Sum of all wallets, market and registry included: no order makes or destroys a token.
Money all_tokens(const Books& books);

/// A list of changes in the making.
class Moves {
 public:
  Moves& add(const std::string& account, Money amount);
  [[nodiscard]] Changes list() const;

 private:
  std::map<std::string, Money> moved_;
};

/// What an order takes in escrow: base fee, time and all prices, rounded up.
Money required(const api::Terms& terms);
/// Of the provider's deposit, what is locked: fixed prices of parts that others own.
Money exposed(const api::Part& part, const Address& customer);

/// Of that, what is kept after a settlement that doesn't pay the part: its owner may claim.
Money claimable(const api::Part& part, const Address& customer);

/// All that changes from before the create to after the settle, by the receipt. `seconds` passed on
/// the chain from the attestation to the settlement, or to a cancel. Names as in `people`, of the
/// customer and provider of the terms.
Changes settled_changes(const api::Terms& terms, const api::Receipt& receipt, std::int64_t seconds,
                        const People& people);

/// From before the create to after the close of an order that nobody settled, with the parts that
/// were claimed.
Changes closed_changes(const api::Terms& terms, const std::vector<std::size_t>& claimed,
                       const People& people);

}  // namespace sp::hostile
