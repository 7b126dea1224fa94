// The proof of what ran: fetching its parts, putting the bundle together, and what only the chain
// can say of it.
//
// What a provider answers is hostile input: nothing of it counts before market::verify_proof has
// passed it.
#pragma once

#include "market/proof.hpp"
#include "spctl/watch.hpp"

namespace sp::spctl {

/// What the owner of this home trusts for an order: their own network's market and broker, and
/// their own policy on devices.
market::Trust own_trust(const apps::Network& network, const api::OrderId& order);

/// Asks the provider for the evidence and statements of a settled order and makes the bundle.
/// Errc::not_found, Errc::unavailable, Errc::mismatch (not about what was settled).
Result<market::ProofBundle> fetch_proof(Context& context, Session& session,
                                        const OrderRecord& record, const Watched& watched,
                                        const CreatedNote& created);

/// The checks that need the chain, in place of those that verify_proof leaves unchecked.
void check_on_chain(market::MarketClient& client, const market::ProofBundle& bundle,
                    const market::Trust& trust, std::vector<market::ProofCheck>& checks);

/// "passed", "FAILED", "unchecked".
std::string_view check_result_name(market::CheckResult result);
/// The number of checks by outcome: "24 passed, 0 failed, 2 unchecked".
std::string check_counts(const std::vector<market::ProofCheck>& checks);
Json checks_json(const std::vector<market::ProofCheck>& checks);

}  // namespace sp::spctl
