// Money of an order: what must be deposited, and what a receipt earns whom. The same rules as
// Market.sol (design section 7), so that people see the price before they pay, and can check the
// result. Pure functions.
#pragma once

#include <vector>

#include "market/values.hpp"

namespace sp::market {

/// What `create` takes: base fee, all ordered time, all fixed prices, each rounded up.
/// Errc::too_large.
Result<Amount> required_deposit(const Terms& terms, std::uint16_t attempt = 0);

/// The same for each payee: [0] the compute provider, [1 + i] the owner of part i.
Result<std::vector<Amount>> price_list(const Terms& terms, std::uint16_t attempt = 0);

/// What a provider's deposit is locked for: the sum of fixed prices of parts that others than the
/// customer own.
Result<Amount> exposure(const Terms& terms);

/// What the owner of a part can claim of the provider's deposit: the fixed price of a solution or
/// data of others than the customer. Zero for other parts, and beyond the last.
Amount claimable(const Terms& terms, std::size_t part);
/// Whether a settlement by this receipt leaves an owner unpaid who could claim.
bool leaves_claims(const Terms& terms, const Receipt& receipt);

/// A part's price for an order of so many seconds, rounded up. Errc::too_large.
Result<Amount> part_price(const Part& part, std::uint64_t seconds);

struct Settlement {
  Amount compute;
  std::vector<Amount> parts;      ///< from the escrow
  std::vector<Amount> from_lock;  ///< from the provider's deposit (Outcome::provider)
  Amount refund;                  ///< to the customer
};

/// What settling pays, when `chain_seconds` have passed from the attestation to the settlement (or
/// to the cancel, if earlier).
Result<Settlement> settlement(const Terms& terms, const Receipt& receipt,
                              std::uint64_t chain_seconds);

}  // namespace sp::market
