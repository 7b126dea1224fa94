// An order from its create to its end: wait, open the result, check the proof, tell what was paid.
#pragma once

#include "spctl/context.hpp"
#include "spctl/ordering.hpp"

namespace sp::spctl {

/// Waits for the end of an order and shows it; the result goes into a new folder `out`, or, where
/// that is empty, into the order's folder in HOME. Returns the exit code: the workload's own where
/// it ran. Killed at any moment it can be called again. Belongs to one thread and uses others
/// inside. Errc::expired, Errc::unavailable (it wasn't run), Errc::mismatch, Errc::bad_signature
/// (result or proof aren't what was paid for), and errors of chain and store.
Result<int> follow_order(Context& context, Session& session, const PlacedOrder& placed,
                         const std::string& out, Timeline& timeline);

}  // namespace sp::spctl
